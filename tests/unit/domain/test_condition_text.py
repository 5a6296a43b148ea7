import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.unit.domain.conditions import (
    EVERY,
    EXTRA,
    Known,
    conditions,
    facts,
    holds,
    term_holds,
    terms,
)

from vitals.domain.condition import (
    FIELDS,
    OPERATORS,
    Condition,
    ConditionError,
    Field,
    Term,
    condition_from_json,
)
from vitals.domain.condition_text import MAX_DEPTH, parse, text

GUIDE = (Path(__file__).parents[3] / "docs" / "conditions.md").read_text()
TABLE = "| field | also | type | operators | words or meaning |"
RULE = "health_score < 40 AND tier = 'enterprise' AND renewal_within <= 60"


def refusal(written: str) -> ConditionError:
    with pytest.raises(ConditionError) as refused:
        parse(written)
    return refused.value


@given(conditions)
@settings(max_examples=300)
def test_the_text_of_a_condition_reads_back_as_the_same_condition(condition: Condition) -> None:
    assert parse(text(condition), EXTRA) == condition


@given(conditions, facts)
@settings(max_examples=200)
def test_a_text_holds_of_what_its_condition_holds_of(condition: Condition, known: Known) -> None:
    assert parse(text(condition), EXTRA).holds(known) == holds(condition, known)


@dataclass(frozen=True)
class Tree:
    """An AND or an OR of terms and trees, as somebody may write one."""

    joint: str
    parts: tuple["Term | Tree", ...]

    def __str__(self) -> str:
        shown = (f"({part})" if isinstance(part, Tree) else str(part) for part in self.parts)
        return f" {self.joint} ".join(shown)

    def holds(self, known: Known) -> bool:
        each = (
            part.holds(known)
            if isinstance(part, Tree)
            else term_holds(part, known.values[part.field])
            for part in self.parts
        )
        return all(each) if self.joint.lower() in ("and", "&&") else any(each)

    def groups(self) -> int:
        """Return how many groups this has when it is multiplied out."""
        counts = [part.groups() if isinstance(part, Tree) else 1 for part in self.parts]
        return sum(counts) if self.joint.lower() in ("or", "||") else prod(counts)


trees = st.recursive(
    terms(FIELDS),
    lambda inner: st.builds(
        Tree,
        st.sampled_from(["AND", "OR", "and", "Or", "&&", "||"]),
        st.lists(inner, min_size=1, max_size=3).map(tuple),
    ),
    max_leaves=9,
).filter(lambda tree: isinstance(tree, Tree) and tree.groups() <= 5 and len(str(tree)) < 400)
"""Trees that are within every limit when they are multiplied out."""


@given(trees, facts)
@settings(max_examples=300)
def test_parentheses_are_multiplied_out_without_a_change_of_meaning(
    tree: Tree, known: Known
) -> None:
    condition = parse(str(tree))
    assert len(condition.groups) == tree.groups()
    assert condition.holds(known) == tree.holds(known)


def test_and_binds_closer_than_or() -> None:
    low, few, many = Term("nps", "<", 3), Term("logins", "<", 1), Term("tickets", ">", 9)
    written = "nps < 3 OR logins < 1 AND tickets > 9"
    assert parse(written) == Condition(((low,), (few, many)))
    assert parse("(nps < 3 OR logins < 1) AND tickets > 9") == Condition(((low, many), (few, many)))


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (RULE, RULE),
        ("Health Score < 40 AND Tier = Enterprise AND Renewal within 60 days", RULE),
        ("score<40&&tier=='ENT'&&renewal<=60", RULE),
        ('(((score<+40.0))) and (tier is "enterprise" and "Renewal Within (days)" ≤ 60)', RULE),
        ("\n health_score < 40\n\tand tier = enterprise AND renewal_within <= 60 days\n", RULE),
        ("tier = Mid-Market", "tier = 'mid'"),
        ("status is At Risk", "status = 'at_risk'"),
        ("status is not At Risk", "status != 'at_risk'"),
        ("tier <> smb", "tier != 'smb'"),
        ("tier ≠ smb", "tier != 'smb'"),
        ("tier in (smb, mid market,'ENT')", "tier in ('smb', 'mid', 'enterprise')"),
        ("tier NOT IN ( 'smb' )", "tier not in ('smb')"),
        ("adoption % < 40.50%", "adoption < 40.5"),
        ("adoption < 40 %", "adoption < 40"),
        ("days > 14 days", "days_since_contact > 14"),
        ("momentum < -5", "momentum < -5"),
        ("momentum<-.5", "momentum < -0.5"),
        ("mrr >= 1e3", "mrr >= 1000"),
        ("csat < 1e-7", "csat < 0.0000001"),
        ("nps < '7'", "nps < 7"),
        ("nps is null", "nps is not set"),
        ("manager IS NOT NULL", "manager is set"),
        ("manager is empty", "manager is not set"),
        ("manager is 'set'", "manager = 'set'"),
        ("manager = Jane Doe and nps < 3", "manager = 'Jane Doe' AND nps < 3"),
        ("manager = 'Ann O''Hara'", "manager = 'Ann O''Hara'"),
        ('manager = "Ann O\'Hara"', "manager = 'Ann O''Hara'"),
        ('manager = "the ""boss"""', "manager = 'the \"boss\"'"),
        ("tags contains VIP", "tags has 'VIP'"),
        ("tags has not 2024/q3", "tags has not '2024/q3'"),
        ("tags in (a, 'b c')", "tags has any ('a', 'b c')"),
        ("tags has 'any'", "tags has 'any'"),
        ("tags has 'AND'", "tags has 'AND'"),
    ],
)
def test_what_people_type_becomes_the_one_form(written: str, kept: str) -> None:
    assert text(parse(written)) == kept
    assert text(parse(kept)) == kept


def test_signals_with_the_names_of_operators_are_printed_in_quotes() -> None:
    condition = Condition(((Term("or", "<", 3), Term("is", "=", "not set")),))
    assert text(condition) == '"or" < 3 AND "is" = \'not set\''
    assert parse(text(condition), EXTRA) == condition


@pytest.mark.parametrize(
    ("written", "column", "hint"),
    [
        ("", 1, "expected a field, as in health_score < 40"),
        ("   ", 4, "not the end"),
        ("helth_score < 3", 1, "'helth_score' is no field; did you mean health_score?"),
        ("nps < 3 AND tire = smb", 13, "did you mean tier?"),
        ("40 > nps", 1, "'40' is no field"),
        ("< 3", 1, "expected a field"),
        ("AND nps < 3", 1, "expected a field"),
        ("nps < 3 AND", 12, "expected a field"),
        ("NOT nps < 3", 1, "use another operator"),
        ("nps", 4, "expected an operator after nps (<, <=, >, >=, =, !=, is set, is not set)"),
        ("nps 40", 5, "expected an operator after nps"),
        ("tier enterprise", 6, "expected an operator after tier (=, !=, in, not in"),
        ("tier < 3", 6, "no operator of tier, which takes =, !=, in, not in, is set, is not set"),
        ("nps in (3)", 5, "no operator of nps"),
        ("tags = vip", 6, "which takes has, has not, has any"),
        ("manager has 'x'", 9, "no operator of manager"),
        ("nps not 3", 5, "expected an operator after nps"),
        ("nps <", 6, "expected a number, not the end"),
        ("tier =", 7, "expected one of enterprise, mid, smb, not the end"),
        ("manager = AND", 11, "expected a word in quotes"),
        ("nps < forty", 7, "compared with a number, like 40 or 2.5, not with 'forty'"),
        ("nps < ''", 7, "compared with a number"),
        ("manager = ''", 11, "compared with a word"),
        ("tier = gold AND nps < 3", 8, "tier is one of enterprise, mid, smb, not 'gold'"),
        ("tier in ('smb', gold)", 17, "not 'gold'"),
        ("tier in smb", 9, "expected a list after in, like ('a', 'b'), not 'smb'"),
        ("tier in ()", 10, "expected one of enterprise, mid, smb"),
        ("tier in (smb", 13, "expected a comma or ) in the list"),
        ("tags has any vip", 14, "expected a list after has any"),
        ("nps is set 5", 12, "expected AND, OR or the end"),
        ("nps < 3 tier = smb", 9, "expected AND, OR or the end, not 'tier'"),
        ("manager = jane tags has vip", 21, "expected AND, OR or the end, not 'has'"),
        ("nps < 3)", 8, "expected AND, OR or the end, not ')'"),
        ("(nps < 3", 9, "expected AND, OR or )"),
        ("()", 2, "expected a field"),
        ("nps < 3 %", 9, "expected AND, OR or the end, not '%'"),
        ("mrr > 1,000", 8, "numbers are written without separators"),
        ("mrr > $1000", 7, "'$' has no meaning here"),
        ("nps < 3 & csat < 2", 9, "'&' has no meaning here"),
        ("manager = 'Jane", 11, "the quote that opens here is not closed"),
        ("manager = O'Hara", 12, "the quote that opens here is not closed"),
        ("manager = \u201cJane\u201d", 11, "use ' or \""),
        ("tags has 'a\nb'", 10, "control characters"),
        ("renewal within sixty days", 16, "expected an operator after renewal_within"),
        ("n" * 2001, 2001, "2001 characters; at most 2000"),
    ],
)
def test_a_mistake_is_named_with_its_column_and_what_would_be_right(
    written: str, column: int, hint: str
) -> None:
    refused = refusal(written)
    assert refused.at == str(column)
    assert str(refused) == refused.message
    assert refused.message.startswith(f"column {column}: ")
    assert hint in refused.message
    assert len(refused.message) < 300


def test_a_condition_may_be_as_large_as_the_limits_and_no_larger() -> None:
    def either(count: int) -> str:
        return " or ".join(["nps < 3"] * count)

    def both(count: int) -> str:
        return " and ".join(["nps < 3"] * count)

    assert len(parse(either(20)).groups) == 20
    assert refusal(either(21)).message.endswith(
        "21 groups when written as an OR of ANDs; at most 20"
    )
    assert len(parse(both(20)).groups[0]) == 20
    assert "21 terms in one group; at most 20" in refusal(both(21)).message
    assert len(parse(f"({either(5)}) and ({either(4)})").groups) == 20
    assert "25 groups" in refusal(f"({either(5)}) and ({either(5)})").message
    assert "51 terms" in refusal(f"({either(17)}) and nps < 3 and csat < 3").message
    assert parse("(" * MAX_DEPTH + "nps < 3" + ")" * MAX_DEPTH)
    assert "deep" in refusal("(" * (MAX_DEPTH + 1) + "nps < 3" + ")" * (MAX_DEPTH + 1)).message


def test_a_text_that_would_be_printed_too_long_is_refused() -> None:
    name = "x" * 900
    assert parse(f"(nps < 3 or nps > 8) and manager = '{name}'")
    written = f"(nps < 3 or nps > 8 or csat < 1) and manager = '{name}'"
    assert "characters long when written as text; at most 2000" in refusal(written).message


@pytest.mark.parametrize(
    "written",
    [
        " and ".join(["(nps<1 or nps>2)"] * 90),
        "(" * 2000,
        "(nps<1 or " * 200,
        "not " * 500,
        "'" * 1999,
        "''" * 1000,
        "a " * 1000,
        "nps " * 500,
        "renewal within " * 130,
        "tags in (" + "a," * 900,
        "<" * 2000,
        "1" * 2000,
        "nps < " + "1" * 1990,
        "nps < 1e" + "9" * 1990,
    ],
    ids=lambda written: written[:12],
)
def test_what_could_take_forever_is_refused_at_once(written: str) -> None:
    assert refusal(written).message


PIECES = (
    "nps tier tags manager adoption renewal health score < <= == <> ≤ is not set null has any in",
    "contains and OR && || ( ) , % 40 -5 1e9 days smb vip 'a' \"b\" '' ' \" \u201c \\ \0 é ² ٣ .",
)
pieces = st.sampled_from(" ".join(PIECES).split())
junk = st.one_of(
    st.lists(pieces, max_size=30).map(" ".join),
    st.lists(pieces, max_size=30).map("".join),
    st.text(max_size=40),
)


@given(junk)
@example("nps in")
@example("tags has 'ﬁ'")
@settings(max_examples=1000)
def test_junk_is_refused_with_a_column_or_is_a_condition(written: str) -> None:
    try:
        condition = parse(written, EXTRA)
    except ConditionError as error:
        refused = error
    else:
        assert parse(text(condition), EXTRA) == condition
        assert text(parse(text(condition), EXTRA)) == text(condition)
        return
    assert 1 <= int(refused.at) <= len(written) + 1


@given(conditions, st.data())
@settings(max_examples=300)
def test_a_text_with_one_piece_lost_or_doubled_is_refused_or_a_condition(
    condition: Condition, data: st.DataObject
) -> None:
    whole = text(condition)
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, len(whole)))
    for changed in (whole[:start] + whole[end:], whole[:end] + whole[start:]):
        try:
            read = parse(changed, EXTRA)
        except ConditionError:
            continue
        assert parse(text(read), EXTRA) == read
        assert {term.field for group in read.groups for term in group} <= EVERY.keys()


def blocks(language: str) -> list[str]:
    """Return the guide's examples in *language*."""
    found = re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    assert found
    return found


def rows(header: str) -> Iterator[list[str]]:
    """Yield the cells of each row of the guide's table that begins with *header*."""
    _, found, rest = GUIDE.partition(f"\n{header}\n")
    assert found
    for line in rest.splitlines()[1:]:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split("|")]


def code(cell: str) -> tuple[str, ...]:
    return tuple(re.findall(r"`([^`]+)`", cell))


def test_the_guides_table_of_fields_is_what_conditions_take() -> None:
    documented = {}
    for first, also, kind, operators, words in rows(TABLE):
        [name] = code(first)
        documented[name] = Field(name, kind, code(words) or None, code(also))
        assert code(operators) == OPERATORS[kind]
    assert documented == dict(FIELDS)
    assert list(documented) == list(FIELDS)


@pytest.mark.parametrize("written", blocks("text"))
def test_every_text_in_the_guide_is_a_condition(written: str) -> None:
    assert parse(text(parse(written))) == parse(written)


def test_both_ways_to_say_it_in_the_guide_say_the_same() -> None:
    compared = 0
    for _, first, others in rows("| to say | write | or |"):
        [kept] = code(first)
        assert text(parse(kept)) == kept
        for other in re.findall(r"`([^`]+)`|<code>(.*?)</code>", others):
            written = "".join(other).replace("&#124;", "|")
            folded = text(parse(written))
            assert folded == kept, written
            compared += 1
    assert compared > 10


def test_the_guides_json_says_what_its_texts_say() -> None:
    first, terms_, single = map(json.loads, blocks("json"))
    assert text(condition_from_json(first)) == RULE == blocks("text")[0].strip()
    assert condition_from_json(first).to_json() == first
    assert text(condition_from_json(terms_)) == (
        "lifecycle not in ('won', 'churned') AND nps is set"
    )
    assert text(condition_from_json(single)) == "tags has any ('vip', 'beta')"


def test_the_guides_multiplied_text_is_its_example_in_one_form() -> None:
    _, written, kept, *_ = blocks("text")
    assert text(parse(written)) == kept.strip()


def test_the_guides_words_on_missing_values_are_true() -> None:
    nobody = Known({"tags": frozenset()})
    for written in ("nps < 7", "nps >= 7", "nps != 7", "tier not in ('smb')"):
        assert f"`{written}`" in GUIDE
        assert not parse(written).holds(nobody)
    for written in ("tags has not 'vip'", "tags is not set"):
        assert f"`{written}`" in GUIDE
        assert parse(written).holds(nobody)
    assert parse("nps < 7 OR nps is not set").holds(nobody)
