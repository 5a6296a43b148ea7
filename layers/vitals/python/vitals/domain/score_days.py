"""A score by day and by week: what was published at the end of each (LU-044, PE-010)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta, tzinfo
from typing import Final

from vitals.domain.change import Change
from vitals.domain.instants import local_day

_SUNDAY: Final = 7


@dataclass(frozen=True, slots=True)
class Point:
    """The score and the band at the end of *date*, and how often the score moved until then.

    Both are None before the first score was published; *moves* are those since the point before.
    """

    date: date
    score: int | None
    band: str | None
    moves: int


def closing(history: Sequence[Change], days: Sequence[date], where: tzinfo) -> list[int]:
    """Return, for each of *days* (the oldest first), the place in *history* of its last change.

    *history* is the newest first; its length stands for a day that ended before all of it.
    """
    places: list[int] = []
    older = 0
    for day in reversed(days):
        while older < len(history) and local_day(history[older].at, where) > day:
            older += 1
        places.append(older)
    return places[::-1]


def daily(
    history: Sequence[Change],
    first: date,
    last: date,
    where: tzinfo,
    now: tuple[int | None, str] | None = None,
) -> list[Point]:
    """Return a point for each day in *where* from *first* to *last*.

    *history* holds the changes until *last*, newest first, and at least one from before *first*
    if there is one. *now* is what stands now, if *last* is today. Days without a change carry on
    what stood.
    """
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    moves = Counter(
        local_day(change.at, where)
        for change in history
        if change.score_before != change.score_after
    )
    points = [
        Point(day, history[place].score_after, history[place].status_after, moves[day])
        if place < len(history)
        else Point(day, None, None, 0)
        for day, place in zip(days, closing(history, days, where), strict=True)
    ]
    if now is not None and points:
        points[-1] = replace(points[-1], score=now[0], band=now[1])
    return points


def weekly(points: Iterable[Point]) -> list[Point]:
    """Return the last day's point of each ISO week, with the moves of all days of the week.

    The week that *points* end in ends with them.
    """
    found: list[Point] = []
    moves = 0
    for point in points:
        moves += point.moves
        if found and found[-1].date.isocalendar()[:2] == point.date.isocalendar()[:2]:
            found.pop()
        found.append(replace(point, moves=moves))
        if point.date.isoweekday() == _SUNDAY:
            moves = 0
    return found
