"""Conditions of custom rules: groups of terms, whether they hold, and their JSON form (IQ-129)."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, Final, Protocol

from vitals.domain.condition_fields import (
    EQUAL,
    FIELDS,
    HAS,
    HAS_ANY,
    HAS_NOT,
    IN,
    NOT_SET,
    NUMBER,
    OPERATORS,
    SET,
    TAGS,
    WITHOUT_VALUE,
    WORD,
    ConditionError,
    Field,
    Vocabulary,
    Written,
    operator_of,
    shown,
    signal_fields,
    value_of,
    vocabulary,
)

__all__ = [
    "FIELDS",
    "MAX_GROUPS",
    "MAX_IN_ALL",
    "MAX_TERMS",
    "MAX_TEXT",
    "NUMBER",
    "OPERATORS",
    "TAGS",
    "WORD",
    "Condition",
    "ConditionError",
    "Facts",
    "Field",
    "Groups",
    "Term",
    "condition_from_json",
    "signal_fields",
    "within_limits",
]

MAX_GROUPS: Final = 20
MAX_TERMS: Final = 20
"""So many terms a group may have."""
MAX_IN_ALL: Final = 50
"""So many terms all groups together may have."""
MAX_TEXT: Final = 2000
"""So many characters the text of a condition may have, as written and as printed."""

KEYWORDS = frozenset({"and", "or", "in", "is", "not", "has", "contains"})
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHAPE = (
    'must be a term {"field", "operator", "value"}, a list of terms that must all hold, or '
    '{"any": [{"all": [terms]}]}'
)

Test = Callable[[Any], bool]


class Facts(Protocol):
    """What is known of one customer at one instant."""

    def value(self, field: str) -> Any:
        """Return the value of *field*: int, Decimal, str, frozenset of folded tags, or None."""


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison. *value* is a number, a word, a tuple of words, or None for `is set`."""

    field: str
    operator: str
    value: Any = None

    def __str__(self) -> str:
        name = self.field
        if name.casefold() in KEYWORDS or not _PLAIN_NAME.fullmatch(name):
            name = _quoted(name, '"')
        if self.operator in WITHOUT_VALUE:
            return f"{name} {self.operator}"
        return f"{name} {self.operator} {_printed(self.value)}"

    def to_json(self) -> dict[str, Any]:
        """Return the term as an object; `is set` and `is not set` have no value."""
        found = {"field": self.field, "operator": self.operator}
        if self.operator in WITHOUT_VALUE:
            return found
        value = list(self.value) if isinstance(self.value, tuple) else self.value
        return {**found, "value": value}


Groups = tuple[tuple[Term, ...], ...]


@dataclass(frozen=True)
class Condition:
    """An OR of groups, each an AND of terms (IQ-129).

    A customer without a value for a field fails every term about it, `!=`, `not in` and `has not`
    too; only `is not set` holds. A value of another kind than the term's, as a signal has whose
    curve was changed, counts as none. No tags at all is a value (`has not` holds) that is not set.
    Tags and managers are compared case-folded.

    What `condition_from_json` and `condition_text.parse` return is within the limits and in one
    form: equal conditions have equal texts.
    """

    groups: Groups

    def __str__(self) -> str:
        return " OR ".join(" AND ".join(map(str, group)) for group in self.groups)

    def holds(self, facts: Facts) -> bool:
        """Tell whether one group holds of *facts*; values that decide nothing are not asked for."""
        value = facts.value
        for group in self._tests:
            for field, test in group:
                if not test(value(field)):
                    break
            else:
                return True
        return False

    @cached_property
    def fields(self) -> frozenset[str]:
        """Return the names of the fields that the terms are about."""
        return frozenset(term.field for group in self.groups for term in group)

    def to_json(self) -> dict[str, Any]:
        """Return the condition as `{"any": [{"all": [terms]}]}`; fractions are Decimals."""
        return {"any": [{"all": [term.to_json() for term in group]} for group in self.groups]}

    @cached_property
    def _tests(self) -> tuple[tuple[tuple[str, Test], ...], ...]:
        return tuple(tuple((term.field, _test(term)) for term in group) for group in self.groups)


_NUMBERS = (int, Decimal)
_NO_TAGS: frozenset[str] = frozenset()
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}
_FOLDED = frozenset(f.name for f in FIELDS.values() if f.kind == WORD and f.options is None)


def _test(term: Term) -> Test:
    """Return the term as a function of the field's value, made once and called often."""
    value = term.value
    if term.operator == SET:
        return lambda found: found is not None and found != _NO_TAGS
    if term.operator == NOT_SET:
        return lambda found: found is None or found == _NO_TAGS
    if not isinstance(value, str | tuple):
        compare = _COMPARISONS[term.operator]
        return lambda found: isinstance(found, _NUMBERS) and compare(found, value)
    words = (value,) if isinstance(value, str) else value
    if term.operator in (HAS, HAS_NOT, HAS_ANY):
        return _tags_test(frozenset(map(str.casefold, words)), without=term.operator == HAS_NOT)
    wanted = term.operator in (EQUAL, IN)
    if term.field in _FOLDED:
        folded = frozenset(map(str.casefold, words))
        return lambda found: isinstance(found, str) and (found.casefold() in folded) is wanted
    exact = frozenset(words)
    # What is no word is in no set of words.
    return exact.__contains__ if wanted else lambda f: isinstance(f, str) and f not in exact


def _tags_test(tags: frozenset[str], *, without: bool) -> Test:
    return lambda found: isinstance(found, frozenset) and tags.isdisjoint(found) is without


def _quoted(word: str, quote: str = "'") -> str:
    return f"{quote}{word.replace(quote, quote * 2)}{quote}"


def _printed(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_quoted, value))})"
    # A Decimal's own form may have an exponent.
    return _quoted(value) if isinstance(value, str) else format(Decimal(value), "f")


def within_limits(groups: Sequence[Sequence[Term]], at: str) -> None:
    """Raise ConditionError if *groups* are more or larger than a condition may be."""
    if len(groups) > MAX_GROUPS:
        message = f"has {len(groups)} groups when written as an OR of ANDs; at most {MAX_GROUPS}"
        raise ConditionError(message, at)
    largest, total = max(map(len, groups)), sum(map(len, groups))
    if largest > MAX_TERMS:
        raise ConditionError(f"has {largest} terms in one group; at most {MAX_TERMS}", at)
    if total > MAX_IN_ALL:
        message = f"has {total} terms when written as an OR of ANDs; at most {MAX_IN_ALL}"
        raise ConditionError(message, at)


def finished(groups: Groups, at: str) -> Condition:
    """Return the condition of *groups*; raise ConditionError if it or its text is too large."""
    within_limits(groups, at)
    condition = Condition(groups)
    length = len(str(condition))
    if length > MAX_TEXT:
        message = f"is {length} characters long when written as text; at most {MAX_TEXT}"
        raise ConditionError(message, at)
    return condition


def condition_from_json(raw: object, extra: Mapping[str, Field] | None = None) -> Condition:
    """Return the condition that *raw* describes; *extra* are the tenant's own fields.

    *raw* is `{"any": [groups]}`, one group (`{"all": [terms]}` or a list of terms), or one term.
    Raises ConditionError whose `at` is the path of what was refused.
    """
    words = vocabulary(extra)
    if isinstance(raw, Mapping) and "any" in raw:
        _no_other_keys(raw, ("any",), "")
        listed = _listed(raw["any"], "any", MAX_GROUPS, "groups")
        groups = tuple(_group(each, f"any.{index}", words) for index, each in enumerate(listed))
    else:
        groups = (_group(raw, "", words),)
    return finished(groups, "")


def _group(raw: object, at: str, words: Vocabulary) -> tuple[Term, ...]:
    if isinstance(raw, Mapping) and "all" in raw:
        _no_other_keys(raw, ("all",), at)
        raw, at = raw["all"], _path(at, "all")
    elif isinstance(raw, Mapping):
        return (_term(raw, at, words),)
    listed = _listed(raw, at, MAX_TERMS, "terms")
    return tuple(_term(each, _path(at, index), words) for index, each in enumerate(listed))


def _term(raw: object, at: str, words: Vocabulary) -> Term:
    if not isinstance(raw, Mapping) or not raw.keys() & {"field", "operator"}:
        raise ConditionError(f"{_SHAPE}, not {shown(raw)}", at)
    _no_other_keys(raw, ("field", "operator", "value"), at)
    field = words.field(_part(raw, "field", at))
    found = operator_of(field, _part(raw, "operator", at))
    return Term(field.name, found, value_of(field, found, _part(raw, "value", at)))


def _part(raw: Mapping[Any, object], key: str, at: str) -> Written:
    at = _path(at, key)
    value = raw.get(key)
    if isinstance(value, list | tuple):
        return Written(tuple(_parts(value, at)), at)
    return Written(value, at)


def _parts(values: Sequence[object], at: str) -> Iterator[Written]:
    for index, each in enumerate(values):
        yield Written(each, _path(at, index))


def _listed(raw: object, at: str, limit: int, what: str) -> Sequence[object]:
    if not isinstance(raw, list | tuple):
        raise ConditionError(f"{_SHAPE}, not {shown(raw)}", at)
    if not raw:
        raise ConditionError(f"is empty: must have at least one of its {what}", at)
    if len(raw) > limit:
        raise ConditionError(f"has {len(raw)} {what}; at most {limit}", at)
    return raw


def _no_other_keys(raw: Mapping[Any, object], known: tuple[str, ...], at: str) -> None:
    for key in raw:
        if key not in known:
            message = f"{shown(key)} is not read here, only {', '.join(known)}"
            raise ConditionError(message, at)


def _path(at: str, key: str | int) -> str:
    return f"{at}.{key}" if at else str(key)
