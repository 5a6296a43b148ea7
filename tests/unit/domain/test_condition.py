import copy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.builders import a_model
from tests.unit.domain.conditions import EXTRA, Known, conditions, facts, holds

from vitals.domain.condition import (
    FIELDS,
    Condition,
    ConditionError,
    Field,
    Term,
    condition_from_json,
    signal_fields,
)
from vitals.domain.model_document import DEFAULT_MODEL
from vitals.storage.codec import decode, encode

LOW = {"field": "health_score", "operator": "<", "value": 40}
LARGE = {"field": "tier", "operator": "=", "value": "enterprise"}


def of(field: str, operator: str, value: Any = None) -> Condition:
    return condition_from_json({"field": field, "operator": operator, "value": value})


def refusal(raw: object, extra: dict[str, Field] | None = None) -> ConditionError:
    with pytest.raises(ConditionError) as refused:
        condition_from_json(raw, extra)
    return refused.value


@given(conditions, facts)
@settings(max_examples=500)
def test_a_condition_holds_when_all_terms_of_one_group_do(
    condition: Condition, known: Known
) -> None:
    assert condition.holds(known) == holds(condition, known)


@given(conditions)
@settings(max_examples=300)
def test_json_reads_back_as_the_same_condition(condition: Condition) -> None:
    assert condition_from_json(condition.to_json(), EXTRA) == condition
    assert condition_from_json(decode(encode(condition.to_json())), EXTRA) == condition


@pytest.mark.parametrize(
    ("field", "operator", "value", "holding", "failing"),
    [
        ("health_score", "<", 50, [49, Decimal("49.9"), -1], [50, 51]),
        ("health_score", "<=", 50, [49, 50], [Decimal("50.1")]),
        ("tickets", ">", 14, [15], [14, 13]),
        ("tickets", ">=", 14, [15, 14], [13]),
        ("csat", "=", 2.5, [Decimal("2.5")], [2, 3, Decimal("2.51")]),
        ("csat", "!=", "2.5", [2, 3], [Decimal("2.5")]),
        ("tier", "=", "Mid-Market", ["mid"], ["smb"]),
        ("tier", "!=", "mid", ["smb"], ["mid"]),
        ("status", "in", ["At Risk", "critical"], ["at_risk", "critical"], ["watch"]),
        ("status", "not in", ["At Risk", "critical"], ["watch"], ["at_risk", "critical"]),
        ("manager", "=", "JANE", ["jane", "Jane"], ["jan", "janet"]),
        ("manager", "not in", ["JANE", "bob"], ["ann"], ["jane", "BOB"]),
        ("tags", "has", "VIP", [frozenset({"vip", "beta"})], [frozenset(), frozenset({"beta"})]),
        ("tags", "has not", "VIP", [frozenset(), frozenset({"beta"})], [frozenset({"vip"})]),
        ("tags", "has any", ["VIP", "b"], [frozenset({"b", "c"})], [frozenset({"c"})]),
        ("tags", "is set", None, [frozenset({"c"})], [frozenset()]),
        ("tags", "is not set", None, [frozenset()], [frozenset({"c"})]),
        ("nps", "is set", None, [0], []),
        ("nps", "is not set", None, [], [0]),
    ],
)
def test_each_operator_means_what_it_says(
    field: str, operator: str, value: Any, holding: list[Any], failing: list[Any]
) -> None:
    condition = of(field, operator, value)
    assert [each for each in holding if not condition.holds(Known({field: each}))] == []
    assert [each for each in failing if condition.holds(Known({field: each}))] == []


@pytest.mark.parametrize(
    "condition",
    [
        of("nps", "!=", 7),
        of("nps", "<", 7),
        of("tier", "!=", "smb"),
        of("tier", "not in", ["smb"]),
        of("manager", "!=", "jane"),
        of("tags", "has not", "vip"),
        of("renewal_within", "<=", 60),
        of("nps", "is set"),
    ],
    ids=str,
)
def test_a_missing_value_fails_every_term_but_is_not_set(condition: Condition) -> None:
    [field] = condition.fields
    assert not condition.holds(Known({}))
    assert of(field, "is not set").holds(Known({}))


def test_a_value_of_another_kind_counts_as_missing() -> None:
    assert not of("nps", "!=", 7).holds(Known({"nps": "promoter"}))
    assert not of("nps", "<", 7).holds(Known({"nps": "promoter"}))
    assert not of("growth", "!=", "none").holds(Known({"growth": 3}))
    assert not of("growth", "not in", ["none"]).holds(Known({"growth": Decimal("1.5")}))


def test_values_that_decide_nothing_are_not_asked_for() -> None:
    condition = condition_from_json({"any": [{"all": [LOW, LARGE]}, {"all": [LARGE]}]})
    healthy = Known({"health_score": 80, "tier": "smb"})
    assert not condition.holds(healthy)
    assert healthy.asked == ["health_score", "tier"]
    failing = Known({"health_score": 20, "tier": "enterprise"})
    assert condition.holds(failing)
    assert failing.asked == ["health_score", "tier"]


def test_a_condition_tells_which_fields_it_reads() -> None:
    condition = condition_from_json({"any": [{"all": [LOW, LARGE]}, {"all": [LOW]}]})
    assert condition.fields == {"health_score", "tier"}


def test_a_condition_that_was_asked_is_still_equal_to_one_that_was_not() -> None:
    asked, fresh = condition_from_json(LOW), condition_from_json(LOW)
    asked.holds(Known({}))
    assert asked == fresh
    assert hash(asked) == hash(fresh)
    assert copy.copy(asked) == fresh


def test_the_example_of_the_requirements_reads() -> None:
    terms = (
        Term("health_score", "<", 40),
        Term("tier", "=", "enterprise"),
        Term("renewal_within", "<=", 60),
    )
    raw = [
        {"field": "Health Score", "operator": "<", "value": "40"},
        {"field": "Tier", "operator": "is", "value": "Enterprise"},
        {"field": "Renewal Within (days)", "operator": "<=", "value": 60.0},
    ]
    for given_ in (raw, {"all": raw}, {"any": [raw]}, {"any": [{"all": raw}]}):
        assert condition_from_json(given_) == Condition((terms,))


def test_the_seventeen_fields_go_by_the_names_that_people_see() -> None:
    labels = (
        "Health Score, Status, Tier, Lifecycle, Logins, Adoption %, Tickets, NPS, CSAT, MRR",
        "Days Since Contact, Growth, Momentum, Cadence Status, Renewal Within (days), Tags",
        "Manager",
    )
    terms = [{"field": label, "operator": "is set"} for label in ", ".join(labels).split(", ")]
    assert [condition_from_json(term).groups[0][0].field for term in terms] == list(FIELDS)
    assert len(FIELDS) == 17


@pytest.mark.parametrize(
    ("spelling", "operator"),
    [("==", "="), ("IS", "="), ("is  not", "!="), ("<>", "!="), ("NOT_IN", "not in")],
)
def test_other_spellings_of_operators_become_the_one_form(spelling: str, operator: str) -> None:
    value: Any = ["mid", "Mid-Market"] if "in" in operator else "mid"
    kept: Any = ("mid",) if "in" in operator else "mid"
    assert of("tier", spelling, value).groups == ((Term("tier", operator, kept),),)


def test_lists_keep_the_first_of_equal_words() -> None:
    assert of("tags", "in", ["VIP", "b", "vip"]).groups[0][0].value == ("VIP", "b")


TERM = {"field": "nps", "operator": "is set"}


@pytest.mark.parametrize(
    ("raw", "at", "hint"),
    [
        (None, "", "must be a term"),
        (5, "", "must be a term"),
        ("nps < 3", "", "must be a term"),
        ({}, "", "must be a term"),
        ([], "", "at least one"),
        ({"any": []}, "any", "at least one"),
        ({"any": 5}, "any", "must be a term"),
        ({"any": [{"all": []}]}, "any.0.all", "at least one"),
        ({"any": [[TERM], []]}, "any.1", "at least one"),
        ({"any": [[TERM], 7]}, "any.1", "must be a term"),
        ({"any": [TERM], "all": [TERM]}, "", "'all' is not read here"),
        ({"any": [{"all": [TERM], "any": []}]}, "any.0", "'any' is not read here"),
        ({**TERM, "op": "<"}, "", "'op' is not read here"),
        ([TERM, {"field": "nps"}], "1.operator", "nothing is no operator of nps"),
        ([TERM, {"operator": "<"}], "1.field", "nothing is no field"),
        ({"field": "helth_score", "operator": "<"}, "field", "did you mean health_score?"),
        ({"field": "Momentun", "operator": "<"}, "field", "did you mean momentum?"),
        ({"field": "sco re s", "operator": "<"}, "field", "did you mean health_score?"),
        ({"field": "xyzzy", "operator": "<"}, "field", "the fields are health_score, status"),
        ({"field": ["nps"], "operator": "<"}, "field", "a list is no field"),
        ({"field": "tier", "operator": "<"}, "operator", "=, !=, in, not in, is set, is not set"),
        ({"field": "nps", "operator": "in"}, "operator", "<, <=, >, >=, =, !=, is set, is not set"),
        ({"field": "tags", "operator": "="}, "operator", "has, has not, has any, is set"),
        ({"field": "manager", "operator": "has"}, "operator", "=, !=, in, not in"),
        ({"field": "nps", "operator": 5}, "operator", "a number is no operator"),
        ({**LOW, "value": "forty"}, "value", "a number, like 40 or 2.5, not with 'forty'"),
        ({**LOW, "value": True}, "value", "not with a boolean"),
        ({**LOW, "value": None}, "value", "not with nothing"),
        ({**LOW, "value": [40]}, "value", "not with a list"),
        ({**LOW, "value": {"n": 1}}, "value", "not with an object"),
        ({**LOW, "value": float("nan")}, "value", "not with a number"),
        ({**LARGE, "value": "gold"}, "value", "one of enterprise, mid, smb, not 'gold'"),
        ({**LARGE, "value": 5}, "value", "not a number"),
        ({**LARGE, "operator": "in"}, "value", "takes a list of words, not 'enterprise'"),
        ({**LARGE, "operator": "in", "value": []}, "value", "takes a list of words"),
        ({**LARGE, "operator": "in", "value": ["smb", "x"]}, "value.1", "not 'x'"),
        ({**LARGE, "operator": "in", "value": ["smb", ["mid"]]}, "value.1", "not a list"),
        ({"field": "tags", "operator": "has", "value": " "}, "value", "with a word"),
        ({"field": "tags", "operator": "has", "value": "a\nb"}, "value", "control characters"),
        ({"field": "tags", "operator": "has", "value": "\ud800"}, "value", "control characters"),
        ({**TERM, "value": 5}, "value", "takes no value"),
        ({"any": [TERM] * 21}, "any", "21 groups; at most 20"),
        ([TERM] * 21, "", "21 terms; at most 20"),
        ({"any": [[TERM] * 17] * 3}, "", "51 terms"),
        ({"field": "manager", "operator": "=", "value": "x" * 2000}, "", "2012 characters"),
    ],
)
def test_what_is_no_condition_is_refused_with_its_place(raw: object, at: str, hint: str) -> None:
    refused = refusal(raw)
    assert refused.at == at
    assert hint in refused.message
    assert len(refused.message) < 300


def test_the_path_leads_to_the_value() -> None:
    refused = refusal({"any": [{"all": [LOW, {**LOW, "value": "x"}]}]})
    assert refused.at == "any.0.all.1.value"


def test_the_largest_condition_is_taken() -> None:
    largest = {"any": [[TERM] * 20, [TERM] * 13, *[[TERM]] * 17]}
    assert sum(map(len, condition_from_json(largest).groups)) == 50


junk = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8))
    | st.sampled_from(["nps", "tier", "tags", "manager", "<", "=", "in", "has any", "is set", ""]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["any", "all", "field", "operator", "value", "x"]), inner, max_size=4
        )
    ),
    max_leaves=20,
)


@given(junk)
@example({"any": {"any": []}})
@example([[TERM]])
@example({"field": "nps", "operator": "<", "value": 10**400})
@settings(max_examples=500)
def test_junk_is_refused_or_is_a_condition(raw: object) -> None:
    try:
        condition = condition_from_json(raw)
    except ConditionError:
        return
    assert condition_from_json(condition.to_json()) == condition


def test_a_models_own_signals_are_fields() -> None:
    signals = {
        **DEFAULT_MODEL["signals"],
        "growth": {
            "weight": 5,
            "curve": {"type": "choice", "options": {"shrinking": 0, "none": 20, "strong": 100}},
        },
        "seats": {"weight": 0, "curve": {"type": "linear", "zero": 0, "full": 9}},
        "momentum": {"weight": 0, "curve": {"type": "choice", "options": {"up": 100}}},
    }
    extra = signal_fields(a_model(signals=signals))
    assert extra["seats"] == Field("seats", "number")
    raw: list[dict[str, Any]] = [
        {"field": "Seats", "operator": "<", "value": 3},
        {"field": "growth_signal", "operator": "=", "value": "Shrinking"},
        # A field of the rules keeps its meaning, whatever a signal is called.
        {"field": "momentum", "operator": "<", "value": 3},
        {"field": "days", "operator": ">", "value": 3},
    ]
    assert [term.field for term in condition_from_json(raw, extra).groups[0]] == [
        "seats",
        "growth",
        "momentum",
        "days_since_contact",
    ]
    assert refusal(raw[0]).at == "field"
    assert refusal({**raw[1], "value": "mild"}, extra).at == "value"


def test_a_name_is_nobody_elses_alias() -> None:
    extra = {"score": Field("score", "number"), "seats": Field("seats", "number", None, ("mrr",))}
    read = [
        condition_from_json({"field": name, "operator": "is set"}, extra).groups[0][0].field
        for name in ("score", "mrr", "seats", "Score")
    ]
    assert read == ["score", "mrr", "seats", "score"]
