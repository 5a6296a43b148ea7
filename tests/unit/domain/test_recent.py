"""The last days' scores: what drops and momentum are measured on, against every day walked."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from vitals.domain.recent import KEPT, Step, highest, recorded, score_on

DAY = timedelta(days=1)
FIRST = date(2026, 3, 1)
scores = st.none() | st.integers(0, 100)
published = st.lists(st.tuples(st.integers(0, 4), scores), min_size=1, max_size=25)


def kept(moves: list[tuple[int, int | None]]) -> tuple[tuple[Step, ...], list[Any], date]:
    """Publish each score so many days after the one before; return also all of them, with days."""
    steps: tuple[Step, ...] = ()
    day, every = FIRST, []
    for days, score in moves:
        day += days * DAY
        steps = recorded(steps, day, score)
        every.append((day, score))
    return steps, every, day


@given(published, st.integers(0, KEPT))
def test_a_days_score_is_the_last_published_by_its_end(moves: Any, back: int) -> None:
    steps, every, today = kept(moves)
    day = today - back * DAY
    by_then = [score for when, score in every if when <= day]
    assert score_on(steps, day) == (by_then[-1] if by_then else None)


@given(published, st.integers(0, KEPT - 1))
def test_the_highest_is_of_all_that_stood_since_the_first_day_began(moves: Any, back: int) -> None:
    steps, every, today = kept(moves)
    first = today - back * DAY
    stood = [score for when, score in every if when < first][-1:]
    stood += [score for when, score in every if when >= first]
    assert highest(steps, first) == max(
        (score for score in stood if score is not None), default=None
    )


@given(published)
def test_no_more_is_kept_than_the_days_and_the_step_before_them(moves: Any) -> None:
    steps, _, today = kept(moves)
    days = [day for day, _, _ in steps]
    assert days == sorted(set(days))
    assert sum(day < today - KEPT * DAY for day in days) <= 1
    assert len(steps) <= KEPT + 2


@given(published, st.integers(-30, 30))
def test_a_new_model_moves_the_past_and_is_no_drop(moves: Any, shift: int) -> None:
    """AMB-09: what the model alone moved would else be the customer's fall."""
    steps, _, today = kept(moves)
    now = steps[-1][2]
    if now is None:
        return
    moved = recorded(steps, today + DAY, now + shift, shift)
    before = highest(recorded(steps, today + DAY, now), today - 6 * DAY)
    after = highest(moved, today - 6 * DAY)
    assert before is not None
    assert after == before + shift
    assert (score_on(moved, today) or 0) - (now + shift) == 0


def test_a_fall_within_a_day_is_measured_from_that_days_highest() -> None:
    steps = recorded(recorded((), FIRST, 40), FIRST, 90)
    steps = recorded(steps, FIRST, 55)
    assert steps == ((FIRST, 90, 55),)
    assert highest(steps, FIRST) == 90


def test_a_clock_that_steps_back_does_not_break_the_order() -> None:
    steps = recorded(recorded((), FIRST + DAY, 40), FIRST, 60)
    assert steps == ((FIRST + DAY, 60, 60),)


def test_a_longer_memory_is_kept_for_a_model_that_looks_further_back() -> None:
    steps: tuple[Step, ...] = ()
    for number in range(40):
        steps = recorded(steps, FIRST + number * DAY, number, kept=20)
    assert len(steps) == 22
    assert score_on(steps, FIRST + 39 * DAY - 20 * DAY) == 19
