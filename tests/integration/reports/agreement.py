"""Whether what was answered is what an oracle expects: every value, key, section and sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from vitals.domain.instants import iso


class Said:
    """A sentence: the values that it names, in its order; it names no other number."""

    def __init__(self, *values: Any) -> None:
        self.values = values


@dataclass(frozen=True)
class Percent:
    """A share, which a sentence gives its sign; in figures it is the number."""

    value: Any


@dataclass(frozen=True)
class Points:
    """A change, of which a sentence says whether it is one up or down."""

    value: Any


@dataclass(frozen=True)
class Month:
    """The first day of a month that a sentence names."""

    value: date


@dataclass(frozen=True)
class Given:
    """What is taken over from the raw data as it is there."""

    value: Any


def differences(expected: Any, found: Any, at: str = "") -> list[str]:
    """Return where *found* is not as *expected*; empty if it is."""
    if isinstance(expected, Said):
        return _unsaid(expected, found, at)
    if isinstance(expected, Mapping):
        if not isinstance(found, dict) or list(expected) != list(found):
            keys = list(found) if isinstance(found, dict) else found
            return [f"{at}: expected {list(expected)}, not {keys}"]
        return [
            each
            for key in expected
            for each in differences(expected[key], found[key], f"{at}.{key}")
        ]
    if isinstance(expected, list | tuple):
        if not isinstance(found, list) or len(expected) != len(found):
            return [f"{at}: expected {len(expected)}: {_short(expected)}, not {_short(found)}"]
        return [
            each
            for place, (one, other) in enumerate(zip(expected, found, strict=True))
            for each in differences(one, other, f"{at}[{place}]")
        ]
    return (
        []
        if _same(plain(expected), found)
        else [f"{at}: expected {plain(expected)!r}, not {found!r}"]
    )


def plain(value: Any) -> Any:
    """Return an oracle's value as JSON has it; numbers stay fractions."""
    if isinstance(value, Given):
        return value.value
    if isinstance(value, datetime):
        return iso(value)
    return value.isoformat() if isinstance(value, date) else value


def _short(values: Any) -> str:
    return str(values)[:400]


def _same(expected: Any, found: Any) -> bool:
    if expected is None or found is None or isinstance(expected, bool) or isinstance(found, bool):
        return expected is found
    if isinstance(expected, int | Fraction | float) and isinstance(found, int | float):
        return Fraction(str(expected)) == Fraction(str(found))
    return bool(expected == found)


def _unsaid(expected: Said, found: Any, at: str) -> list[str]:
    """Return where the sentence does not name what it should: all in order, and no other number."""
    rest = found
    if not isinstance(rest, str):
        return [f"{at}: expected a sentence on {expected.values}, not {found!r}"]
    for value in expected.values:
        word = worded(value)
        before, here, rest = _cut(rest, word)
        if not here or any(letter.isdigit() for letter in before):
            return [f"{at}: expected {[worded(each) for each in expected.values]} in {found!r}"]
    if any(letter.isdigit() for letter in rest):
        return [f"{at}: nothing expects {rest!r} in {found!r}"]
    return []


def _cut(text: str, word: str) -> tuple[str, str, str]:
    """Cut *text* at *word*, where that is no part of another number, nor one of another kind."""
    start = 0
    while True:
        place = text.find(word, start)
        if place < 0:
            return text, "", ""
        before, after = text[:place], text[place + len(word) :]
        begins, ends = _NUMBER_BEGINS.match(word), _NUMBER_ENDS.search(word)
        longer = begins and _NUMBER_BEFORE.search(before)
        longer = longer or (ends and _NUMBER_AFTER.match(after))
        if not longer:
            return before, word, after
        start = place + 1


_NUMBER_BEGINS = re.compile(r"[-+]?\d")
_NUMBER_ENDS = re.compile(r"\d%?$")
_NUMBER_BEFORE = re.compile(r"[-+\d]$|\d\.$")
_NUMBER_AFTER = re.compile(r"[\d%]|[-.]\d")


def worded(value: Any) -> str:
    """Return *value* as sentences write it."""
    if isinstance(value, Percent):
        return f"{worded(value.value)}%"
    if isinstance(value, Points):
        return ("+" if value.value and value.value > 0 else "") + worded(value.value)
    if isinstance(value, Month):
        return value.value.isoformat()[:7]
    return _unmarked(plain(value))


def _unmarked(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, list | tuple):
        return ", ".join(value)
    if isinstance(value, Fraction | float):
        value = Fraction(str(value))
        if value.denominator == 1:
            return str(value.numerator)
        text = f"{float(value):.8f}".rstrip("0")
        assert Fraction(text) == value
        return text
    return str(value)


TEXTS: Mapping[str, Sequence[str]] = {
    "figures": ("section", "name", "title", "figures"),
    "table": ("section", "name", "title", "columns", "rows", "note"),
    "chart": ("section", "name", "title", "chart", "kind", "labels", "series", "says"),
    "prose": ("section", "name", "title", "lines"),
}
"""Every key of each kind of section: a new one must be checked, or be known to be text."""


def document_differences(expected: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Return where a report's JSON is not as *expected*, which is by name of the section.

    What the oracle does not know (a section, a figure, a column, a key) is a difference.
    """
    head = {name: value for name, value in expected.items() if name != "sections"}
    keys = (
        "report", "title", "subject", "as_of", "time_zone", "period", "filters", "model_version",
        "headlines", "sections", "currency",
    )  # fmt: skip
    if tuple(found) != keys:
        return [f"the document has {list(found)}"]
    wrong = differences(head, {name: found[name] for name in head})
    names = [section["name"] for section in found["sections"]]
    if names != list(expected["sections"]):
        return [*wrong, f"the sections are {names}, not {list(expected['sections'])}"]
    for section in found["sections"]:
        if tuple(section) != TEXTS[section["section"]]:
            wrong.append(f"{section['name']} has {list(section)}")
            continue
        at = f"{found['report']}.{section['name']}"
        wrong += differences(expected["sections"][section["name"]], _facts(section), at)
    return wrong


FIGURE = ("name", "label", "kind", "value", "previous", "better", "note")


def _facts(section: Mapping[str, Any]) -> Any:
    """Return what a section states, without its titles and labels."""
    if section["section"] == "figures":
        assert all(tuple(each) == FIGURE for each in section["figures"])
        return {
            each["name"]: [each["value"], each["previous"], each["note"] or ""]
            for each in section["figures"]
        }
    if section["section"] == "table":
        columns = [column["name"] for column in section["columns"]]
        assert all(list(row) == columns for row in section["rows"])
        return {"columns": columns, "rows": section["rows"], "note": section["note"] or ""}
    if section["section"] == "chart":
        assert all(tuple(each) == ("name", "label", "values") for each in section["series"])
        return {
            "labels": section["labels"],
            "series": {each["name"]: each["values"] for each in section["series"]},
            "says": section["says"],
        }
    return section["lines"]
