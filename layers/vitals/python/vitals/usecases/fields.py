"""Types of input: what HTTP, Zapier, CSV and people send, read into exact values (AMB-56)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, NoReturn

from pydantic import Field, PlainValidator
from pydantic_core import PydanticCustomError

from vitals.domain import spelling
from vitals.domain.instants import parse_day, parse_instant
from vitals.domain.model import LIFECYCLES, STATUSES, TIERS
from vitals.domain.numbers import Number, parse_number
from vitals.domain.patch import MAX_TAGS

squeezed = spelling.squeezed
MAX_TAG = 100
MAX_DEPTH = 5
MAX_KEYS = 200
LARGEST_INTEGER = 2**53
"""Greater ones are not what JavaScript reads."""
FINEST = 20
"""So many decimals a number may have: more than any double near 1 shows."""
MAX_AMOUNT = 10**13
"""No customer pays so much; twelve times as much must still be a number (IQ-099)."""


def refuse(code: str, message: str) -> NoReturn:
    """Refuse a value: *code* is stable, *message* says what would be accepted."""
    raise PydanticCustomError(code, message)


def word(raw: object, allowed: Iterable[str]) -> str:
    """Return the one of *allowed* that *raw* spells; refuse `unknown_value` with the list."""
    choices = tuple(allowed)
    found = spelling.meant(raw, choices) if isinstance(raw, str) else None
    if found:
        return found
    refuse("unknown_value", f"must be one of: {', '.join(choices)}")


def words(raw: object, allowed: Iterable[str]) -> frozenset[str]:
    """Return the ones of *allowed* that the list, or comma-separated string, *raw* spells."""
    return frozenset(word(part, allowed) for part in split(raw))


def split(raw: object) -> list[str]:
    """Return the trimmed parts of a list of strings or a comma-separated string (AMB-35)."""
    parts = raw.split(",") if isinstance(raw, str) else raw
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
        refuse("must_be_strings", "must be a list of strings or one comma-separated string")
    return [trimmed for part in parts if (trimmed := part.strip())]


def text(limit: int) -> Any:
    """Return a validator of text of up to *limit* characters; a number counts as its digits."""

    def read(raw: object) -> str:
        if isinstance(raw, int | float | Number) and not isinstance(raw, bool):
            raw = str(raw)
        if not isinstance(raw, str):
            refuse("must_be_string", "must be a string")
        trimmed = raw.strip()
        if not trimmed:
            refuse("required", "must not be blank")
        if not any(letter.isprintable() for letter in trimmed):
            refuse("required", "must have a character that can be seen")
        if any(map(_is_control, trimmed)):
            refuse("must_be_text", "must be text, without control characters")
        if len(trimmed) > limit:
            refuse("too_long", f"must be at most {limit} characters, is {len(trimmed)}")
        return trimmed

    return PlainValidator(read, json_schema_input_type=Annotated[str, Field(max_length=limit)])


def _is_control(letter: str) -> bool:
    return unicodedata.category(letter) == "Cc" and letter not in "\n\r\t"


def number(raw: object) -> Number:
    """Return *raw* as an exact number; refuse `must_be_number`."""
    try:
        found = parse_number(raw)
    except ValueError:
        message = "must be a number up to 10^15, or a string of one without separators"
        refuse("must_be_number", message)
    # Exact sums of finer ones would take longer than anybody waits.
    if isinstance(found, Decimal) and int(found.as_tuple().exponent) < -FINEST:
        refuse("too_precise", f"must have at most {FINEST} decimals")
    return found


def bounded(raw: object, minimum: Number | None, maximum: Number | None) -> Number:
    """Return *raw* as a number within bounds; never clamped, refused instead (AMB-56)."""
    found = number(raw)
    low = minimum is not None and found < minimum
    if low and minimum == 0 and maximum is None:
        refuse("must_be_non_negative", "must not be negative")
    if low or (maximum is not None and found > maximum):
        bounds = f"from {minimum} to {maximum}" if maximum is not None else f"at least {minimum}"
        refuse("out_of_range", f"must be {bounds}, is {found}")
    return found


def whole(minimum: int, maximum: int) -> Any:
    """Return a validator of whole numbers within bounds."""

    def read(raw: object) -> int:
        found = bounded(raw, minimum, maximum)
        if not isinstance(found, int):
            refuse("must_be_whole", "must be a whole number")
        return found

    schema = Annotated[int, Field(ge=minimum, le=maximum)]
    return PlainValidator(read, json_schema_input_type=schema)


def _amount(raw: object) -> Number:
    found = bounded(raw, 0, None)
    if found > MAX_AMOUNT:
        refuse("out_of_range", f"must be at most {MAX_AMOUNT}, is {found}")
    return found


def _percent_score(raw: object) -> Number:
    return bounded(raw, 0, 100)


def _day(raw: object) -> date:
    if isinstance(raw, str):
        try:
            return parse_day(raw)
        except ValueError:
            pass
    refuse("must_be_date", "must be a date in ISO 8601, like 2026-03-01")


def _instant(raw: object) -> datetime:
    if isinstance(raw, str):
        try:
            return parse_instant(raw)
        except ValueError:
            pass
    refuse("must_be_instant", "must be an instant in ISO 8601, like 2026-03-01T00:00:00Z")


def _flag(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    spelled = str(raw).strip().casefold()
    if spelled in ("true", "1", "yes"):
        return True
    if spelled in ("false", "0", "no"):
        return False
    refuse("must_be_boolean", "must be true or false")


def _tags(raw: object) -> tuple[str, ...]:
    tags: dict[str, str] = {}
    for tag in split(raw):
        tags.setdefault(tag.casefold(), tag)
    if len(tags) > MAX_TAGS or any(len(tag) > MAX_TAG for tag in tags.values()):
        refuse("too_long", f"must be at most {MAX_TAGS} tags of {MAX_TAG} characters")
    return tuple(tags.values())


def _custom(raw: object) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        refuse("must_be_object", "must be an object")
    if _count(raw, 1) - 1 > MAX_KEYS:
        refuse("too_large", f"must hold at most {MAX_KEYS} values")
    return {key: exact(value, key) for key, value in raw.items()}


def _count(value: object, depth: int) -> int:
    """Return how many values are in *value*; refuse deep nesting."""
    if not isinstance(value, dict | list):
        return 1
    if depth > MAX_DEPTH:
        refuse("too_deep", f"must be nested at most {MAX_DEPTH} deep")
    inner = value.values() if isinstance(value, dict) else value
    return 1 + sum(_count(each, depth + 1) for each in inner)


def exact(value: Any, path: str) -> Any:
    """Return *value* with every number exact, as signals are; refuse one that JSON readers lose.

    *path* is how the refusal names it.
    """
    if isinstance(value, dict):
        return {key: exact(each, f"{path}.{key}") for key, each in value.items()}
    if isinstance(value, list):
        return [exact(each, f"{path}.{index}") for index, each in enumerate(value)]
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, int) and abs(value) <= LARGEST_INTEGER:
        return value
    try:
        return parse_number(value)
    except ValueError:
        refuse("out_of_range", f"{path} is too large a number to be read back: send it as a string")


Name = Annotated[str, text(200)]
Short = Annotated[str, text(128)]
Note = Annotated[str, text(4000)]
Amount = Annotated[Number, PlainValidator(_amount, json_schema_input_type=float)]
Percent = Annotated[
    Number,
    PlainValidator(_percent_score, json_schema_input_type=Annotated[float, Field(ge=0, le=100)]),
]
Day = Annotated[date, PlainValidator(_day, json_schema_input_type=date)]
Instant = Annotated[datetime, PlainValidator(_instant, json_schema_input_type=datetime)]
Flag = Annotated[bool, PlainValidator(_flag, json_schema_input_type=bool)]
Tags = Annotated[tuple[str, ...], PlainValidator(_tags, json_schema_input_type=list[str] | str)]
Custom = Annotated[
    Mapping[str, Any], PlainValidator(_custom, json_schema_input_type=dict[str, Any])
]


def one_of(*allowed: str) -> Any:
    """Return a validator of one word of *allowed*."""
    schema = Annotated[str, Field(json_schema_extra={"enum": list(allowed)})]
    return PlainValidator(lambda raw: word(raw, allowed), json_schema_input_type=schema)


def any_of(*allowed: str) -> Any:
    """Return a validator of some words of *allowed*, comma-separated or listed."""
    schema = Annotated[str, Field(examples=[",".join(allowed[:2])])]
    return PlainValidator(lambda raw: words(raw, allowed), json_schema_input_type=schema)


Tier = Annotated[str, one_of(*TIERS)]
Lifecycle = Annotated[str, one_of(*LIFECYCLES)]
Sentiment = Annotated[str, one_of("positive", "neutral", "negative")]
Statuses = Annotated[frozenset[str], any_of(*STATUSES)]
Folded = Annotated[
    frozenset[str],
    PlainValidator(
        lambda raw: frozenset(part.casefold() for part in split(raw)), json_schema_input_type=str
    ),
]
