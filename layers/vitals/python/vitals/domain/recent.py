"""The published scores of a customer's last days: what drops and momentum are measured on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

Step = tuple[date, int | None, int | None]
"""A day on which the score moved: the highest that it was set to, and what it was at the end."""

KEPT = 8
"""Days; a model whose momentum looks further back keeps so many more."""


def recorded(
    steps: tuple[Step, ...], day: date, score: int | None, shift: int = 0, kept: int = KEPT
) -> tuple[Step, ...]:
    """Return *steps* after *score* was published on *day*.

    *shift* is what a change of the model alone moved: the days before are shown as if it had been
    in force, so that a new model is no drop (AMB-09). *kept* days stay, and the step before them;
    the order of days does not break if a clock steps back.
    """
    moved = [(when, _shifted(high, shift), _shifted(last, shift)) for when, high, last in steps]
    if moved and moved[-1][0] >= day:
        when, high, _ = moved.pop()
        day, top = when, _highest((high, score))
    else:
        top = score
    first = day - timedelta(days=kept)
    older = [step for step in moved if step[0] < first]
    newer = [step for step in moved if step[0] >= first]
    return (*older[-1:], *newer, (day, top, score))


def score_on(steps: Iterable[Step], day: date) -> int | None:
    """Return the score at the end of *day*; None if it was unscored, or longer ago than is kept."""
    found = None
    for when, _, last in steps:
        if when <= day:
            found = last
    return found


def highest(steps: Iterable[Step], first: date) -> int | None:
    """Return the highest score in force since *first* began; None if there was none."""
    steps = tuple(steps)
    within = (high for when, high, _ in steps if when >= first)
    return _highest((score_on(steps, first - timedelta(days=1)), *within))


def _highest(scores: Iterable[int | None]) -> int | None:
    return max((score for score in scores if score is not None), default=None)


def _shifted(score: int | None, shift: int) -> int | None:
    return None if score is None else score + shift
