"""Pages: where one begins, how long it is, and when it is full."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from vitals.domain.errors import InvalidCursorError
from vitals.domain.instants import parse_instant
from vitals.storage.ports import Place
from vitals.usecases.cursor import place_of
from vitals.usecases.fields import one_of, text, whole
from vitals.usecases.inputs import Input

MAX_LIMIT = 500
LONGEST_CURSOR = 10_000
"""A place may hold a name of 200 characters, each of which Unicode may normalise to several."""
LONGEST_ID = 64
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


def filled(rows: Iterable[Row], limit: int, show: Callable[[Row], dict[str, Any]]) -> Filled[Row]:
    """Return as many of *rows* as a page holds: *limit*, or what one answer can carry."""
    shown: list[dict[str, Any]] = []
    last: Row | None = None
    size = 0
    for row in rows:
        if len(shown) == limit or size > LARGEST_ANSWER:
            return Filled(shown, last)
        view = show(row)
        size += len(json.dumps(view, default=str, ensure_ascii=False))
        shown.append(view)
        last = row
    return Filled(shown, None)


def place(given: str | None, query: str) -> Place | None:
    """Return the (instant, id) that a cursor of *query*'s names. Raises InvalidCursorError."""
    if given is None:
        return None
    at, found = place_of(given, query, str, str)
    try:
        parse_instant(at)
    except ValueError:
        raise InvalidCursorError("cursor was not issued here: start without one") from None
    if len(found) > LONGEST_ID:
        raise InvalidCursorError("cursor was not issued here: start without one")
    return at, found
