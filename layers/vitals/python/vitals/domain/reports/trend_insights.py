"""What a trend says: its move, momentum, divergence, acceleration, from a stated threshold on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any, Final

from vitals.domain.numbers import PUBLISHED, Number, of_cents, published, round_half_up
from vitals.domain.reports.document import (
    AVERAGE,
    DAYS,
    MONEY,
    NUMBER,
    POINTS,
    TEXT,
    Line,
    Plain,
)
from vitals.domain.reports.movement import difference

HEALTH_SCORE: Final = "health_score"
POINTS_FROM: Final = 2
PERCENT_FROM: Final = 5
"""A move counts from so many points of a score on, else from so many percent of what it was."""
LAST_PART: Final = 4
"""Momentum is the move over one part in so many of the range, the last."""

MOVE, MOMENTUM, DIVERGENCE, ACCELERATION = "move", "momentum", "divergence", "acceleration"

Point = tuple[date, Number]


@dataclass(frozen=True, slots=True)
class Course:
    """A *metric* of some accounts over *days*, the oldest first; None is a day without one."""

    metric: str
    label: str
    kind: str
    days: Sequence[date]
    values: Sequence[Number | None]

    @property
    def points(self) -> list[Point]:
        """The days that have a value."""
        pairs = zip(self.days, self.values, strict=True)
        return [(day, value) for day, value in pairs if value is not None]


def insights(course: Course, others: Sequence[Course]) -> list[dict[str, Any]]:
    """Return what *course* says, by itself and beside *others*: each with its figures and a line.

    move: that over the whole range. momentum: the move over its last fourth. divergence: it and
    another moved in opposite directions over the days that both are known of. acceleration: the
    slopes of the range's halves differ. What stays under the threshold is not said.
    """
    found = [_move(course), _momentum(course)]
    found += [_divergence(course, other) for other in others]
    found.append(_acceleration(course))
    return [each for each in found if each is not None]


def _move(course: Course) -> dict[str, Any] | None:
    points = course.points
    return _moved(course, MOVE, points[0], "Move: {} moved by {} over {} days") if points else None


def _momentum(course: Course) -> dict[str, Any] | None:
    points = course.points
    span = (points[-1][0] - points[0][0]).days if points else 0
    if not span:
        return None
    since = _at(points, points[-1][0].toordinal() - max(1, span // LAST_PART))
    if since == points[0]:
        # With so few days it is the range's own move.
        return None
    return _moved(course, MOMENTUM, since, "Momentum: {} moved by {} in the last {} days")


def _moved(course: Course, kind: str, begin: Point, text: str) -> dict[str, Any] | None:
    """Return the move since *begin* as an insight of *kind*, if it counts."""
    (since, then), (last, now) = begin, course.points[-1]
    move = difference(now, then)
    if since == last or not _counts(course.metric, then, move):
        return None
    days = (last - since).days
    line = Line(
        f"{text}, from {{}} to {{}} {_from(course)}.",
        (
            (TEXT, course.label),
            (_moves_as(course), move),
            (DAYS, days),
            (course.kind, then),
            (course.kind, now),
            *_threshold(course),
        ),
    )
    return {"kind": kind, "days": days, "from": then, "to": now, "change": move, "line": line}


def _divergence(course: Course, other: Course) -> dict[str, Any] | None:
    theirs = dict(other.points)
    both = [(day, value, theirs[day]) for day, value in course.points if day in theirs]
    if not both:
        return None
    (first, own_then, other_then), (last, own_now, other_now) = both[0], both[-1]
    own, their = difference(own_now, own_then), difference(other_now, other_then)
    opposite = (own > 0 > their) or (own < 0 < their)
    if not opposite or not (
        _counts(course.metric, own_then, own) and _counts(other.metric, other_then, their)
    ):
        return None
    values: tuple[tuple[str, Plain], ...] = (
        (TEXT, course.label),
        (_moves_as(course), own),
        (TEXT, other.label),
        (_moves_as(other), their),
        (DAYS, (last - first).days),
        (NUMBER, POINTS_FROM),
        (NUMBER, PERCENT_FROM),
    )
    text = (
        "Divergence: {} moved by {} and {} by {} over {} days (counted from {} points of a score, "
        "{} percent of anything else)."
    )
    return {
        "kind": DIVERGENCE,
        "with": other.label,
        "change": own,
        "other_change": their,
        "line": Line(text, values),
    }


def _acceleration(course: Course) -> dict[str, Any] | None:
    points = course.points
    if not points:
        return None
    (first, start), (last, end) = points[0], points[-1]
    middle, halfway = _at(points, (first.toordinal() + last.toordinal()) // 2)
    if not first < middle < last:
        return None
    # Per half a range: a day's jump in a short one is not blown up to a month's.
    half = (last - first).days // 2
    before = Fraction(difference(halfway, start)) * half / (middle - first).days
    after = Fraction(difference(end, halfway)) * half / (last - middle).days
    if not _counts(course.metric, start, after - before):
        return None
    old, new = _rounded(course.kind, before), _rounded(course.kind, after)
    line = Line(
        f"Acceleration: {{}} {_verb(before, after)}, from {{}} in {{}} days in the first half of "
        f"the range to {{}} in as many of the second {_from(course)}.",
        (
            (TEXT, course.label),
            (_moves_as(course), old),
            (DAYS, half),
            (_moves_as(course), new),
            *_threshold(course),
        ),
    )
    return {"kind": ACCELERATION, "per_days": half, "before": old, "after": new, "line": line}


def _at(points: Sequence[Point], ordinal: int) -> Point:
    """Return the latest of *points* until that day, else the first."""
    until = [point for point in points if point[0].toordinal() <= ordinal]
    return until[-1] if until else points[0]


def _counts(metric: str, before: Number, move: Number | Fraction) -> bool:
    """Tell whether a *move* from *before* is large enough to be said."""
    size = abs(Fraction(move))
    if metric == HEALTH_SCORE:
        return size >= POINTS_FROM
    return size > 0 and 100 * size >= PERCENT_FROM * abs(Fraction(before))


def _from(course: Course) -> str:
    """Return the words of the threshold, around its number."""
    if course.metric == HEALTH_SCORE:
        return "(counted from {} points)"
    return "(counted from {} percent)"


def _threshold(course: Course) -> tuple[tuple[str, Plain], ...]:
    return ((NUMBER, POINTS_FROM if course.metric == HEALTH_SCORE else PERCENT_FROM),)


def _moves_as(course: Course) -> str:
    return POINTS if course.kind == AVERAGE else course.kind


def _verb(before: Fraction, after: Fraction) -> str:
    """Return how the halves differ: of a fall, that slows down, not of what falls."""
    if before * after < 0:
        return "turned"
    way = "rose" if before + after > 0 else "fell"
    return f"{way} {'faster' if abs(after) > abs(before) else 'more slowly'}"


def _rounded(kind: str, exact: Fraction) -> Number:
    """Return *exact* to four decimals, an amount to cents."""
    if kind == MONEY:
        return of_cents(round_half_up(exact.numerator * 100, exact.denominator))
    return published(round_half_up(exact.numerator * PUBLISHED, exact.denominator))
