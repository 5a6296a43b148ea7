"""What Hypothesis draws for conditions, and the slow, obvious reading of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st
from tests.unit.strategies import numbers

from vitals.domain.condition import (
    FIELDS,
    MAX_IN_ALL,
    MAX_TEXT,
    OPERATORS,
    Condition,
    Field,
    Term,
)
from vitals.domain.numbers import parse_number

EXTRA: Mapping[str, Field] = {
    field.name: field
    for field in (
        Field("seats", "number", aliases=("licences",)),
        Field("plan", "word", ("A+", "A-", 'it\'s "free"', "or", "1")),
        Field("or", "number"),
        Field("is", "word", ("not set", "set")),
        Field("Größe, in %", "number"),
    )
}
"""A tenant's own signals, with names and words that are easily taken for something else."""
EVERY: Mapping[str, Field] = {**FIELDS, **EXTRA}

POOL = ("vip", "VIP", "Straße", "STRASSE", "Jane Doe", "jane doe", "O'Brien", "and", '"', "set")
exact = st.one_of(
    numbers(-20, 120),
    st.sampled_from([10**15, -(10**15)]),
    st.floats(-1e15, 1e15).map(parse_number),
)


def _is_text(word: str) -> bool:
    return bool(word) and all(unicodedata.category(letter) not in ("Cc", "Cs") for letter in word)


free_words = st.one_of(st.sampled_from(POOL), st.text(max_size=12).map(str.strip).filter(_is_text))


@st.composite
def terms(draw: st.DrawFn, fields: Mapping[str, Field] = EVERY) -> Term:
    """Draw a term in its one form, any field with any operator that it takes."""
    field = draw(st.sampled_from(list(fields.values())))
    operator = draw(st.sampled_from(OPERATORS[field.kind]))
    if operator in ("is set", "is not set"):
        return Term(field.name, operator)
    if field.kind == "number":
        return Term(field.name, operator, draw(exact))
    words = st.sampled_from(field.options) if field.options else free_words
    if operator not in ("in", "not in", "has any"):
        return Term(field.name, operator, draw(words))
    same = None if field.options else str.casefold
    several = st.lists(words, min_size=1, max_size=4, unique_by=same or (lambda word: word))
    return Term(field.name, operator, tuple(draw(several)))


def _is_small(condition: Condition) -> bool:
    in_all = sum(map(len, condition.groups))
    return in_all <= MAX_IN_ALL and len(str(condition)) <= MAX_TEXT


conditions = (
    st.lists(st.lists(terms(), min_size=1, max_size=5).map(tuple), min_size=1, max_size=5)
    .map(lambda groups: Condition(tuple(groups)))
    .filter(_is_small)
)


class Known:
    """Facts from a dictionary; *asked* are the fields whose values were wanted, in order."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values
        self.asked: list[str] = []

    def value(self, field: str) -> Any:
        self.asked.append(field)
        return self.values.get(field)


_any_tags = st.frozensets(st.sampled_from(POOL).map(str.casefold), max_size=3)
_any_kind = st.one_of(
    numbers(-20, 120), st.sampled_from(POOL), st.sampled_from(["A+", "mid", "none"]), _any_tags
)


def _values(field: Field) -> st.SearchStrategy[Any]:
    """Return what *field* may be of a customer: mostly of its kind, sometimes nothing."""
    proper: st.SearchStrategy[Any] = numbers(-20, 120)
    if field.kind == "tags":
        proper = _any_tags
    elif field.kind == "word":
        proper = st.sampled_from(field.options or POOL)
    return st.one_of(proper, proper, st.none(), _any_kind)


facts = st.fixed_dictionaries({field.name: _values(field) for field in EVERY.values()}).map(Known)


def holds(condition: Condition, known: Known) -> bool:
    """Tell what docs/conditions.md says: some group, all of whose terms hold."""
    return any(
        all(term_holds(term, known.values.get(term.field)) for term in group)
        for group in condition.groups
    )


def term_holds(term: Term, value: Any) -> bool:
    """Tell whether *term* holds of *value*, one operator after the other."""
    kind = EVERY[term.field].kind
    if term.operator in ("is set", "is not set"):
        return (value in (None, frozenset())) == (term.operator == "is not set")
    if kind == "number":
        known = isinstance(value, int | Decimal)
        return known and _compared(Fraction(value), term.operator, Fraction(term.value))
    if not isinstance(value, frozenset if kind == "tags" else str):
        return False
    wanted = [term.value] if isinstance(term.value, str) else list(term.value)
    if isinstance(value, frozenset):
        found = any(tag.casefold() in value for tag in wanted)
        return not found if term.operator == "has not" else found
    if term.field == "manager":
        value, wanted = value.casefold(), [word.casefold() for word in wanted]
    return (value in wanted) == (term.operator in ("=", "in"))


def _compared(value: Fraction, operator: str, bound: Fraction) -> bool:
    order = (value > bound) - (value < bound)
    return {
        "<": order == -1,
        "<=": order <= 0,
        ">": order == 1,
        ">=": order >= 0,
        "=": order == 0,
        "!=": order != 0,
    }[operator]
