"""Movement: who moved over a period, what moved them, and how the average came to be another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal
from fractions import Fraction
from heapq import nsmallest
from typing import Any, Final

from vitals.domain.change import Change
from vitals.domain.customer import override_fields
from vitals.domain.instants import local_day, start_of
from vitals.domain.numbers import PUBLISHED, Number, in_units, published, round_half_up
from vitals.domain.reports.book import Account, Book
from vitals.domain.reports.document import (
    AVERAGE,
    COUNT,
    POINTS,
    TEXT,
    WATERFALL,
    Chart,
    Line,
    Series,
)

OVERRIDE: Final = "override"
"""The part of a move that no signal explains: a score set by hand, or one that ended."""
_DECAY: Final = "decay"
_HALF: Final = PUBLISHED // 2
DRIVERS: Final = 2
"""So many signals are named as what moved a score."""
_SHOWN: Final = Decimal("0.05")
"""Less is 0.0 wherever it is printed."""

Moves = list[tuple[str, Number]]
"""What each signal added to a score or took from it, the largest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """How the average score went from *opening* to *closing*: the parts between sum to it exactly.

    To four decimals. *left* is what it was worth that some were scored then and are not now,
    *joined* that some are scored now and were not then; *improved* and *declined* are of those who
    were scored both times. *counts* are how many each part is of, and how many stayed `unchanged`.
    Where nobody was scored both times, the whole difference is that of those who joined.
    """

    opening: Number
    left: Number
    improved: Number
    declined: Number
    joined: Number
    closing: Number
    counts: Mapping[str, int]


def movers(book: Book, count: int) -> tuple[list[Account], list[Account]]:
    """Return the *count* accounts whose score fell most since `book.then`, and that rose most.

    Equal moves go by revenue, the most first, then by name and id.
    """
    fell: list[tuple[int, Account]] = []
    rose: list[tuple[int, Account]] = []
    for each in book.accounts:
        move = each.moved
        if move:
            (fell if move < 0 else rose).append((-abs(move), each))
    return _first(fell, count), _first(rose, count)


def _first(moved: Sequence[tuple[int, Account]], count: int) -> list[Account]:
    largest = nsmallest(count, (move for move, _ in moved))
    # Only those who moved so far are put in order.
    near = [pair for pair in moved if largest and pair[0] <= largest[-1]]
    near.sort(key=lambda pair: (pair[0], -pair[1].mrr, pair[1].customer.name, pair[1].customer.id))
    return [each for _, each in near[:count]]


def moved_by(book: Book, account: Account) -> Moves:
    """Return what moved *account* since `book.then`: signals with the change of their part.

    The changes sum exactly to its score as published to four decimals, now, less that in force as
    `book.then` began; OVERRIDE is among them if a score set by hand explains the rest. Empty if
    its history is not there or does not lead back to the score then, or there was or is no score.
    """
    history = book.histories.get(account.customer.id)
    if not history or book.then is None or account.moved is None:
        return []
    before, at, since = _beginning(history, book.then, book.where)
    set_now = set_then = override_fields(account.customer.override)
    for change in since:
        if OVERRIDE in change.changed:
            set_then = change.changed[OVERRIDE][0]
    score_then = _standing(set_then, at)
    if not _explains(before, score_then, account.was):
        return []
    after = {part.signal: part.contribution for part in account.contributions}
    return _moves(before, after, score_then, _standing(set_now, book.as_of))


def drivers(moves: Moves) -> Moves:
    """Return the largest of *moves*, which explain it: DRIVERS at most, none that shows as 0.0."""
    return [move for move in moves[:DRIVERS] if not -_SHOWN < move[1] < _SHOWN]


def _beginning(
    history: Sequence[Change], then: date, where: tzinfo
) -> tuple[Mapping[str, str], datetime, list[Change]]:
    """Return the parts of the score as *then* began, when that was, and the changes since.

    A day's figures are counted as it begins, with what the turn of that day itself has moved.
    """
    began = start_of(then, where)
    since: list[Change] = []
    for change in history:
        day = local_day(change.at, where)
        if day < then or (day == then and change.cause == _DECAY):
            return change.contributions_after, max(began, change.at), since
        since.append(change)
    return since[-1].contributions_before, began, since


def _standing(override: Mapping[str, Any] | None, at: datetime) -> int | None:
    """Return the score that *override* sets at *at*; None if it sets none."""
    if override is None:
        return None
    ends = override["expires_at"]
    over = ends is not None and datetime.fromisoformat(ends) <= at
    return None if over else int(override["value"])


def _explains(parts: Mapping[str, str], set_to: int | None, score: int | None) -> bool:
    """Tell whether *score* is what was set, or what the *parts* round to."""
    return score is not None and (_by_hand(parts, score) if set_to is None else score) == set_to


def change_moves(change: Change) -> Moves:
    """Return what moved the score in *change*: signals with the change of their part.

    OVERRIDE is what a score set by hand adds to that. Empty without a score before or after.
    """
    if change.score_before is None or change.score_after is None:
        return []
    before, after = change.contributions_before, change.contributions_after
    return _moves(
        before, after, _by_hand(before, change.score_before), _by_hand(after, change.score_after)
    )


def _by_hand(parts: Mapping[str, str], score: int) -> int | None:
    """Return *score* if it is not what its parts round to: then somebody has set it."""
    off = abs(sum(map(in_units, parts.values())) - score * PUBLISHED)
    return None if parts and off <= _HALF else score


def _moves(
    before: Mapping[str, Number | str],
    after: Mapping[str, Number | str],
    set_then: int | None,
    set_now: int | None,
) -> Moves:
    """Return the differences of two scores' parts; *set_…* are those that are set by hand."""
    if not (before or set_then is not None) or not (after or set_now is not None):
        return []
    old = {name: in_units(part) for name, part in before.items()}
    new = {name: in_units(part) for name, part in after.items()}
    moves = [(name, new.get(name, 0) - old.get(name, 0)) for name in old.keys() | new.keys()]
    by_hand = _added(new, set_now) - _added(old, set_then)
    moves.append((OVERRIDE, by_hand))
    moves.sort(key=lambda move: (-abs(move[1]), move[0]))
    return [(name, published(units)) for name, units in moves if units]


def _added(parts: Mapping[str, int], override: int | None) -> int:
    return 0 if override is None else override * PUBLISHED - sum(parts.values())


def difference(after: Number, before: Number) -> Number:
    """Return by how much one published number is above another, exactly."""
    return published(in_units(after) - in_units(before))


def waterfall(book: Book) -> Movement | None:
    """Return how the average score moved since `book.then`.

    None if no day is known, or nobody was scored then or is now.
    """
    if book.then is None:
        return None
    ups: list[int] = []
    downs: list[int] = []
    stayed: list[int] = []
    joined: list[int] = []
    gone = [score for score in book.lost if score is not None]
    for each in book.accounts:
        was, score = each.was, each.score
        if was is None or score is None:
            gone.extend(() if was is None else (was,))
            joined.extend(() if score is None else (score,))
            continue
        stayed.append(was)
        if score > was:
            ups.append(score - was)
        elif score < was:
            downs.append(score - was)
    if not (stayed or gone) or not (stayed or joined):
        return None
    then, moved = sum(stayed), sum(ups) + sum(downs)
    opening = Fraction(then + sum(gone), len(stayed) + len(gone))
    closing = Fraction(then + moved + sum(joined), len(stayed) + len(joined))
    parts = [Fraction(0), Fraction(0), Fraction(0), closing - opening]
    if stayed:
        count = len(stayed)
        parts = [
            Fraction(then, count) - opening,
            Fraction(sum(ups), count),
            Fraction(sum(downs), count),
            closing - Fraction(then + moved, count),
        ]
    counts = {"left": len(gone), "improved": len(ups), "declined": len(downs)}
    counts |= {"joined": len(joined), "unchanged": len(stayed) - len(ups) - len(downs)}
    return _movement(opening, parts, closing, counts)


def _movement(
    opening: Fraction, parts: Sequence[Fraction], closing: Fraction, counts: Mapping[str, int]
) -> Movement:
    first, last = _rounded(opening), _rounded(closing)
    left, improved, declined, joined = map(published, _apportioned(parts, last - first))
    return Movement(
        opening=published(first),
        left=left,
        improved=improved,
        declined=declined,
        joined=joined,
        closing=published(last),
        counts=counts,
    )


def _rounded(exact: Fraction) -> int:
    return round_half_up(exact.numerator * PUBLISHED, exact.denominator)


def _apportioned(parts: Iterable[Fraction], total: int) -> list[int]:
    """Return *parts* in 1/10,000, summing to *total*, their sum up to a unit (AMB-30).

    As `numbers.apportion`, of parts that may be negative: each is rounded down, and the missing
    units go to those that lost most. None changes its sign, and a part of nothing stays so.
    """
    divided = [divmod(part * PUBLISHED, 1) for part in parts]
    units = [int(whole) for whole, _ in divided]
    by_loss = sorted(range(len(units)), key=lambda index: -divided[index][1])
    for index in by_loss[: total - sum(units)]:
        units[index] += 1
    return units


def movement_chart(book: Book) -> Chart | None:
    """Return the waterfall of the average score since `book.then`; None where there is none."""
    found = waterfall(book)
    return None if found is None else waterfall_chart(found)


def waterfall_chart(found: Movement) -> Chart:
    """Return *found* as a picture."""
    counts = found.counts
    values = (
        found.opening, found.left, found.improved, found.declined, found.joined, found.closing,
    )  # fmt: skip
    says = Line(
        "The average score went from {} to {}: {} from {} no longer scored, {} from {} that "
        "improved, {} from {} that declined, {} from {} newly scored.",
        (
            (AVERAGE, found.opening),
            (AVERAGE, found.closing),
            (POINTS, found.left),
            (COUNT, counts["left"]),
            (POINTS, found.improved),
            (COUNT, counts["improved"]),
            (POINTS, found.declined),
            (COUNT, counts["declined"]),
            (POINTS, found.joined),
            (COUNT, counts["joined"]),
        ),
    )
    return Chart(
        name="movement",
        title="What moved the average score",
        chart=WATERFALL,
        labels=("Opening", "No longer scored", "Improved", "Declined", "Newly scored", "Closing"),
        label_kind=TEXT,
        kind=AVERAGE,
        series=(Series(name="average_score", label="Average score", values=values),),
        says=says,
    )
