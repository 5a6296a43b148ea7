"""What a condition may ask: its fields, their operators, and how each part is read (IQ-131)."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from vitals.domain.model import CONTACT, LIFECYCLES, STATUSES, TIERS, ScoringModel
from vitals.domain.numbers import Number, parse_number
from vitals.domain.spelling import meant, squeezed

NUMBER: Final = "number"
WORD: Final = "word"
TAGS: Final = "tags"

LESS, AT_MOST, MORE, AT_LEAST, EQUAL, OTHER = "<", "<=", ">", ">=", "=", "!="
IN, NOT_IN = "in", "not in"
HAS, HAS_NOT, HAS_ANY = "has", "has not", "has any"
SET, NOT_SET = "is set", "is not set"

OPERATORS: Mapping[str, tuple[str, ...]] = {
    NUMBER: (LESS, AT_MOST, MORE, AT_LEAST, EQUAL, OTHER, SET, NOT_SET),
    WORD: (EQUAL, OTHER, IN, NOT_IN, SET, NOT_SET),
    TAGS: (HAS, HAS_NOT, HAS_ANY, SET, NOT_SET),
}
"""The operators that each kind of field takes, in their one form."""
WITH_LIST = (IN, NOT_IN, HAS_ANY)
WITHOUT_VALUE = (SET, NOT_SET)
SPELLINGS: Mapping[str, str] = {
    operator: operator for operators in OPERATORS.values() for operator in operators
} | {
    "==": EQUAL,
    "is": EQUAL,
    "<>": OTHER,
    "is not": OTHER,
    "≤": AT_MOST,
    "≥": AT_LEAST,
    "≠": OTHER,
    "contains": HAS,
    "not contains": HAS_NOT,
    # Who knows SQL would else look for a manager of that name.
    "is null": NOT_SET,
    "is not null": SET,
    "is empty": NOT_SET,
    "is not empty": SET,
}
"""Each accepted spelling of an operator, in lower case with single spaces, and the operator."""

_SHOWN = 40
_KINDS: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (type(None), "nothing"),
    (bool, "a boolean"),
    ((list, tuple), "a list"),
    (Mapping, "an object"),
)


class ConditionError(ValueError):
    """A condition was refused: *message* says why and what would be right, *at* says where.

    *at* is a path such as `any.0.all.1.value` (empty: the whole), or the 1-based column of a text.
    """

    def __init__(self, message: str, at: str) -> None:
        super().__init__(message)
        self.message = message
        self.at = at


@dataclass(frozen=True, slots=True)
class Field:
    """One field: *kind* is number, word or tags; a word without *options* is free text."""

    name: str
    kind: str
    options: tuple[str, ...] | None = None
    aliases: tuple[str, ...] = ()


FIELDS: Mapping[str, Field] = {
    field.name: field
    for field in (
        Field("health_score", NUMBER, aliases=("score",)),
        Field("status", WORD, STATUSES, ("health_status", "band")),
        Field("tier", WORD, TIERS),
        Field("lifecycle", WORD, LIFECYCLES, ("lifecycle_stage", "stage")),
        Field("logins", NUMBER, aliases=("logins_30d", "login_frequency")),
        Field("adoption", NUMBER, aliases=("adoption_pct", "feature_adoption_pct")),
        Field("tickets", NUMBER, aliases=("open_tickets",)),
        Field("nps", NUMBER),
        Field("csat", NUMBER),
        Field("mrr", NUMBER),
        Field("days_since_contact", NUMBER, aliases=(CONTACT,)),
        Field("growth", WORD, ("none", "mild", "strong"), ("growth_signal",)),
        Field("momentum", NUMBER),
        Field("cadence_status", WORD, ("on_track", "due_soon", "overdue"), ("cadence",)),
        Field("renewal_within", NUMBER, aliases=("renewal_within_days", "renewal")),
        Field("tags", TAGS, aliases=("tag",)),
        Field("manager", WORD, aliases=("csm",)),
    )
}
"""The seventeen fields that every tenant has (IQ-131)."""
_OF_SIGNALS = ("logins", "adoption", "tickets", "nps", "csat", "growth")


def signal_fields(model: ScoringModel) -> dict[str, Field]:
    """Return the signals of *model* as fields, to be given as `extra` where conditions are read.

    A built-in signal is there as the model has it: with other words, or with words for numbers. A
    signal whose name is that of a field which is no signal is left out.
    """
    return {
        signal.name: Field(
            signal.name, WORD if signal.options else NUMBER, signal.options, signal.aliases
        )
        for signal in model.signals
        if signal.name != CONTACT and (signal.name not in FIELDS or signal.name in _OF_SIGNALS)
    }


@dataclass(frozen=True, slots=True)
class Written:
    """A part of a condition as somebody wrote it, and where; a list holds its own parts."""

    value: object
    at: str


class Vocabulary:
    """The fields that a condition may name: the seventeen and *extra*, which wins."""

    __slots__ = ("_exact", "_squeezed", "fields")

    def __init__(self, extra: Mapping[str, Field] | None = None) -> None:
        every = (*FIELDS.values(), *(extra or {}).values())
        self.fields: Mapping[str, Field] = {field.name: field for field in every}
        aliases = {alias: self.fields[field.name] for field in every for alias in field.aliases}
        # A name is nobody else's alias.
        self._exact: Mapping[str, Field] = {**aliases, **self.fields}
        self._squeezed = {squeezed(spelling): found for spelling, found in self._exact.items()}

    def find(self, spelling: str) -> Field | None:
        """Return the field that *spelling* names: `health_score`, `score`, `Health Score`."""
        exact = self._exact.get(spelling.strip())
        return exact or self._squeezed.get(squeezed(spelling))

    def field(self, given: Written) -> Field:
        """Return the field that *given* names.

        Raises ConditionError with the likeliest meant.
        """
        found = self.find(given.value) if isinstance(given.value, str) else None
        if found is None:
            raise ConditionError(self._unknown(given.value), given.at)
        return found

    def _unknown(self, raw: object) -> str:
        import difflib  # noqa: PLC0415 - only mistakes pay for it

        written = raw.strip().casefold()[:_SHOWN] if isinstance(raw, str) else ""
        close = difflib.get_close_matches(written.replace(" ", "_"), self._exact, n=1, cutoff=0.6)
        if close:
            return f"{shown(raw)} is no field; did you mean {self._exact[close[0]].name}?"
        return f"{shown(raw)} is no field; the fields are {', '.join(self.fields)}"


PLAIN: Final = Vocabulary()
"""The seventeen fields alone."""


def vocabulary(extra: Mapping[str, Field] | None) -> Vocabulary:
    """Return the vocabulary of the seventeen fields and *extra*."""
    return Vocabulary(extra) if extra else PLAIN


def operator_of(field: Field, given: Written) -> str:
    """Return the operator that *given* spells, in its one form.

    Raises ConditionError naming the operators that *field* takes, if it is none of them.
    """
    allowed = OPERATORS[field.kind]
    found = None
    if isinstance(given.value, str):
        found = SPELLINGS.get(" ".join(given.value.replace("_", " ").casefold().split()))
    if field.kind == TAGS and found == IN:
        found = HAS_ANY
    if found is None or found not in allowed:
        message = f"{shown(given.value)} is no operator of {field.name}, which takes"
        raise ConditionError(f"{message} {', '.join(allowed)}", given.at)
    return found


def value_of(field: Field, operator: str, given: Written) -> Any:
    """Return what *field* is compared with: a number, a word, a tuple of words, or None.

    Words with options come in their one form, others as written. Raises ConditionError for a
    value of another kind.
    """
    if operator in WITHOUT_VALUE:
        if given.value is not None:
            raise ConditionError(f"{field.name} {operator} takes no value", given.at)
        return None
    if operator not in WITH_LIST:
        return _number(field, given) if field.kind == NUMBER else _word(field, given)
    if not isinstance(given.value, tuple) or not given.value:
        message = f"{field.name} {operator} takes a list of words, not {shown(given.value)}"
        raise ConditionError(message, given.at)
    words: dict[str, str] = {}
    for each in given.value:
        word = _word(field, each)
        words.setdefault(word if field.options else word.casefold(), word)
    return tuple(words.values())


def _number(field: Field, given: Written) -> Number:
    try:
        return parse_number(given.value)
    except ValueError:
        message = f"{field.name} is compared with a number, like 40 or 2.5, not with"
        raise ConditionError(f"{message} {shown(given.value)}", given.at) from None


def _word(field: Field, given: Written) -> str:
    raw = given.value
    if field.options is not None:
        found = meant(raw, field.options) if isinstance(raw, str) else None
        if found is None:
            message = f"{field.name} is one of {', '.join(field.options)}, not {shown(raw)}"
            raise ConditionError(message, given.at)
        return found
    if not isinstance(raw, str) or not raw.strip():
        message = f"{field.name} is compared with a word, not with {shown(raw)}"
        raise ConditionError(message, given.at)
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in raw.strip()):
        message = f"{field.name} is compared with text without control characters"
        raise ConditionError(message, given.at)
    return raw.strip()


def shown(raw: object) -> str:
    """Return *raw* for a message: a text with its quotes and not too long, else what it is."""
    if isinstance(raw, str):
        return repr(raw if len(raw) <= _SHOWN else f"{raw[: _SHOWN - 1]}…")
    return next((name for kind, name in _KINDS if isinstance(raw, kind)), "a number")
