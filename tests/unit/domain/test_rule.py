"""Rules: what each trigger holds of, and which of its steps is news (AMB-09)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import NOW, TODAY, a_customer, a_model

from vitals.domain.condition_text import parse
from vitals.domain.model import LIFECYCLES
from vitals.domain.rule import (
    AT_RISK,
    CADENCE,
    CONDITION,
    DETRACTOR,
    DROP,
    FALLING,
    HEALTH_BELOW,
    LIFECYCLE,
    NEGATIVE,
    NO_CONTACT,
    QUIET,
    RENEWAL,
    WINDOWS,
    Rule,
    Trigger,
)
from vitals.domain.standing import Standing

DAY = timedelta(days=1)


def standing(at: datetime = NOW, **fields: Any) -> Standing:
    """A customer as it was published."""
    return Standing(a_customer(**fields), a_model(), at, stored=True)


def scored(score: int | None) -> dict[str, Any]:
    return {"score": score, "status": "unscored" if score is None else a_model().band(score)}


@given(st.none() | st.integers(0, 100), st.integers(0, 100))
def test_below_is_strictly_below(score: int | None, limit: int) -> None:
    holds = Trigger(HEALTH_BELOW, limit).level(standing(**scored(score))) is not None
    assert holds == (score is not None and score < limit)


@pytest.mark.parametrize(
    ("score", "level"),
    [(None, None), (0, "critical"), (24, "critical"), (25, "at_risk"), (49, "at_risk"), (50, None)],
)
def test_at_risk_holds_of_two_bands_and_of_no_unscored(score: int | None, level: Any) -> None:
    assert Trigger(AT_RISK).level(standing(**scored(score))) == level


@given(st.none() | st.integers(-400, 400), st.integers(0, 365))
def test_a_renewal_is_within_n_days_from_today_on(days: int | None, limit: int) -> None:
    renewal = None if days is None else TODAY + days * DAY
    level = Trigger(RENEWAL, limit).level(standing(renewal_date=renewal))
    if days is not None and 0 <= days <= limit:
        assert level == (limit, renewal)
    else:
        assert level is None


@pytest.mark.parametrize(
    ("days", "name"),
    [(-1, None), (0, "critical"), (30, "critical"), (31, "warning"), (60, "warning"),
     (61, "upcoming"), (90, "upcoming"), (91, None)],
)  # fmt: skip
def test_renewal_windows_are_the_models(days: int, name: str | None) -> None:
    windows = [window for window, _ in a_model().renewal_windows]
    assert windows == [30, 60, 90]
    renewal = TODAY + days * DAY
    level = Trigger(RENEWAL, WINDOWS).level(standing(renewal_date=renewal))
    assert level == (name and (name, renewal))


@given(st.integers(-5, 400), st.integers(0, 365))
def test_no_contact_is_for_strictly_more_than_so_many_days(days: int, limit: int) -> None:
    contacted = TODAY - days * DAY
    level = Trigger(NO_CONTACT, limit).level(standing(last_contact_on=contacted))
    assert level == (contacted if days > limit else None)


@pytest.mark.parametrize(
    ("tier", "overdue"), [("enterprise", 21), ("mid", 45), ("smb", 90), (None, 45)]
)
def test_a_cadence_is_the_tiers_from_the_day_that_it_is_overdue(
    tier: str | None, overdue: int
) -> None:
    """AMB-47; IQ-100."""
    for days, holds in ((overdue - 1, False), (overdue, True)):
        found = standing(tier=tier, last_contact_on=TODAY - days * DAY)
        assert (Trigger(NO_CONTACT, CADENCE).level(found) is not None) == holds
        assert (found.value("cadence_status") == "overdue") == holds


def test_quiet_is_for_longer_than_the_model_says() -> None:
    for days, holds in ((30, False), (31, True)):
        found = standing(last_contact_on=TODAY - days * DAY)
        assert (Trigger(NO_CONTACT, QUIET).level(found) is not None) == holds


def test_whoever_was_never_contacted_is_quiet_since_its_creation() -> None:
    made = standing(created_at=NOW - 15 * DAY)
    assert Trigger(NO_CONTACT, 14).level(made) == TODAY - 15 * DAY
    assert Trigger(NO_CONTACT, 15).level(made) is None


@pytest.mark.parametrize(("nps", "holds"), [(None, False), (0, True), (6, True), (7, False)])
def test_a_detractor_is_below_seven(nps: int | None, holds: bool) -> None:
    signals = {} if nps is None else {"nps": nps}
    assert (Trigger(DETRACTOR).level(standing(signals=signals)) is True) == holds


@pytest.mark.parametrize(("word", "holds"), [("detractor", True), ("passive", False)])
def test_a_model_may_have_words_for_nps(word: str, holds: bool) -> None:
    assert (Trigger(DETRACTOR).level(standing(signals={"nps": word})) is True) == holds


@pytest.mark.parametrize("stage", LIFECYCLES)
def test_a_stage_is_looked_for_by_name(stage: str) -> None:
    found = standing(lifecycle=stage)
    assert Trigger(LIFECYCLE).level(found) == (stage if stage in ("atrisk", "churned") else None)
    assert Trigger(LIFECYCLE, stages=("won",)).level(found) == (stage if stage == "won" else None)


@given(
    st.lists(st.tuples(st.integers(0, 10), st.integers(0, 100)), min_size=1, max_size=4),
    st.integers(0, 50),
)
def test_a_drop_is_by_strictly_more_than_so_many_points_in_seven_days(
    past: list[tuple[int, int]], limit: int
) -> None:
    """The highest of the last seven days, and what stood when they began, minus now."""
    past = sorted(past, key=lambda each: -each[0])
    days = {TODAY - back * DAY: score for back, score in past}
    recent = tuple((day, score, score) for day, score in days.items())
    now = recent[-1][2]
    first = TODAY - 7 * DAY
    stood = [score for day, score in days.items() if day < first][-1:]
    stood += [score for day, score in days.items() if day >= first]
    found = standing(recent=recent, **scored(now))
    assert (Trigger(DROP, limit).level(found) is True) == (max(stood) - now > limit)


def test_a_drop_of_exactly_the_points_is_none() -> None:
    recent = ((TODAY - 7 * DAY, 80, 80), (TODAY, 65, 65))
    found = standing(recent=recent, **scored(65))
    assert found.drop == 15
    assert Trigger(DROP, 15).level(found) is None
    assert Trigger(DROP, 14).level(found) is True


def test_momentum_falls_by_the_models_points_within_its_days() -> None:
    for now, holds in ((75, True), (76, False)):
        recent = ((TODAY - 7 * DAY, 80, 80), (TODAY, 80, now))
        assert (Trigger(FALLING).level(standing(recent=recent, **scored(now))) is True) == holds
    unknown = standing(recent=((TODAY, 40, 40),), **scored(40))
    assert (unknown.momentum, Trigger(FALLING).level(unknown)) == (None, None)


def test_a_mood_and_a_condition_hold_as_they_say() -> None:
    assert Trigger(NEGATIVE).level(standing(sentiment="negative")) is True
    assert Trigger(NEGATIVE).level(standing(sentiment="neutral")) is None
    trigger = Trigger(CONDITION, condition=parse("mrr > 100 AND tier = 'smb'"))
    assert trigger.level(standing(mrr=101, tier="smb")) is True
    assert trigger.level(standing(mrr=100, tier="smb")) is None


LEVELS = [None, "critical", "at_risk"]


@pytest.mark.parametrize("before", LEVELS)
@pytest.mark.parametrize("after", LEVELS)
def test_a_step_into_another_level_is_news_but_not_an_improvement(before: Any, after: Any) -> None:
    is_edge = after is not None and before != after and (before, after) != ("critical", "at_risk")
    assert Trigger(AT_RISK).is_edge(before, after) == is_edge


@pytest.mark.parametrize("event", [HEALTH_BELOW, RENEWAL, NO_CONTACT, LIFECYCLE])
def test_what_still_holds_is_no_news_and_what_ceased_is_none(event: str) -> None:
    trigger = Trigger(event)
    assert trigger.is_edge(None, "a")
    assert trigger.is_edge("a", "b")
    assert not trigger.is_edge("a", "a")
    assert not trigger.is_edge("a", None)
    assert not trigger.is_edge(None, None)


@pytest.mark.parametrize(
    ("managers", "manager", "is_for"),
    [((), None, True), ((), "Ana", True), (("ana",), "ANA", True), (("ana",), "Bob", False),
     (("ana",), None, False), (("straße",), "STRASSE", False), (("strasse",), "Straße", True)],
)  # fmt: skip
def test_a_rules_scope_is_by_manager_whatever_the_case(
    managers: tuple[str, ...],
    manager: str | None,
    is_for: bool,
) -> None:
    """IQ-128."""
    rule = Rule(
        id="r", tenant_id="t", name="r", triggers=(),
        enabled_at=datetime(2026, 1, 1, tzinfo=UTC), managers=frozenset(managers),
    )  # fmt: skip
    assert rule.is_for(manager) == is_for
