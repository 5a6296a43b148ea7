"""Pages: where one begins, how long it is, and when it is full."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from vitals.domain.errors import InvalidCursorError
from vitals.domain.instants import iso, parse_instant
from vitals.storage.ports import Place
from vitals.usecases.cursor import place_of
from vitals.usecases.fields import one_of, text, whole
from vitals.usecases.inputs import Input, Warning_

MAX_LIMIT = 500
LONGEST_CURSOR = 10_000
"""A place may hold a name of 200 characters, each of which Unicode may normalise to several."""
LONGEST_ID = 64
STRIDE = 500
"""The clock is looked at once for so many rows."""
LARGEST_ANSWER = 4_000_000
"""Characters after which a page is full: Lambda takes no answer over 6 MB."""


class Page(Input):
    """Where a page begins and how long it is; `shape=array` answers the bare array."""

    limit: Annotated[int, whole(1, MAX_LIMIT)] = 100
    cursor: Annotated[str, text(LONGEST_CURSOR)] | None = None
    shape: Annotated[str, one_of("object", "array")] = "object"


Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Filled(Generic[Row]):
    """A page: its rows as they are shown, and the last of them if more follow."""

    shown: list[dict[str, Any]]
    last: Row | None


def filled(
    rows: Iterable[Row],
    limit: int,
    show: Callable[[Row], dict[str, Any]],
    wanted: Callable[[Row], bool] = lambda _: True,
    has_time: Callable[[], bool] = lambda: True,
) -> Filled[Row]:
    """Return as many of the *wanted* rows as a page holds: *limit*, or what one answer can carry.

    Once there is no time left it is what was found by then, with the place that was reached.
    """
    shown: list[dict[str, Any]] = []
    last: Row | None = None
    size = 0
    for number, row in enumerate(rows):
        if number % STRIDE == 1 and not has_time():
            return Filled(shown, last)
        full = len(shown) == limit or size > LARGEST_ANSWER
        if wanted(row):
            if full:
                return Filled(shown, last)
            view = show(row)
            size += len(json.dumps(view, default=str, ensure_ascii=False))
            shown.append(view)
        last = row if not full else last
    return Filled(shown, None)


def paged(
    action: str,
    parsed: Page,
    warnings: list[Warning_],
    filled: Filled[Row],
    behind: Callable[[Row], str],
) -> dict[str, Any]:
    """Return the answer of a page; *behind* gives the cursor of what follows a row."""
    last = filled.last
    return {
        "action": action,
        "data": filled.shown,
        "has_more": last is not None,
        "next_cursor": behind(last) if last is not None else None,
        "limit": parsed.limit,
        "offset": 0,
        "warnings": warnings,
        "shape": parsed.shape,
    }


def place(given: str | None, query: str) -> Place | None:
    """Return the (instant, id) that a cursor of *query*'s names. Raises InvalidCursorError."""
    if given is None:
        return None
    at, found = place_of(given, query, str, str)
    return issued(at, found)


def issued(at: str, found: str) -> Place:
    """Return the place if a cursor of ours may name it. Raises InvalidCursorError."""
    try:
        canonical = iso(parse_instant(at)) == at
    except ValueError:
        canonical = False
    if not canonical or len(found) > LONGEST_ID:
        raise InvalidCursorError("cursor was not issued here: start without one")
    return at, found
