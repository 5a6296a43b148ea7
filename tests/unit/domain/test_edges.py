"""Edges: the steps from one version to the next, and what began or ceased on them (AMB-08)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import NOW, TODAY, a_customer, a_model, next_version
from tests.unit.histories import MODELS, Written, histories
from tests.unit.strategies import instants

from vitals.domain.condition_text import parse
from vitals.domain.customer import Customer, Override
from vitals.domain.edges import LONGEST, Fired, Step, edges, passed, timed, written
from vitals.domain.rule import (
    AT_RISK,
    CONDITION,
    DETRACTOR,
    DROP,
    FALLING,
    HEALTH_BELOW,
    LIFECYCLE,
    NO_CONTACT,
    RENEWAL,
    WINDOWS,
    Rule,
    Trigger,
)
from vitals.domain.standing import Standing

DAY = timedelta(days=1)
MILLISECOND = timedelta(milliseconds=1)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
BELOW = Trigger(HEALTH_BELOW, 50)
ZONES = st.sampled_from(["UTC", "Pacific/Auckland", "America/Santiago", "Africa/Cairo"])


def a_rule(*triggers: Trigger, **fields: Any) -> Rule:
    given = {"id": "r1", "tenant_id": "t", "name": "A rule", "enabled_at": LONG_AGO}
    return Rule(**{**given, "triggers": triggers, **fields})


def scored(score: int | None, **fields: Any) -> Customer:
    """A customer whose only signal makes its score, as it was published at NOW."""
    signals = {} if score is None else {"adoption": score}
    status = "unscored" if score is None else a_model().band(score)
    given = {"created_at": NOW - DAY, "updated_at": NOW, "change_id": "c1", "signals": signals}
    return a_customer(score=score, status=status, **{**given, **fields})


def then(before: Customer, score: int | None = None, **fields: Any) -> Customer:
    """The version after, an hour later."""
    after = scored(score) if score is not None else before
    given = {
        "version": before.version + 1,
        "updated_at": before.updated_at + timedelta(hours=1),
        "change_id": f"c{before.version + 1}",
        "score": after.score, "status": after.status, "signals": after.signals,
    }  # fmt: skip
    return replace(before, **{**given, **fields})


def steps_of(*versions: Customer | None) -> list[Step]:
    model = a_model()
    found: list[Step] = []
    for before, after in pairwise(versions):
        assert after is not None
        found += written(before, after, lambda _: model)
    return found


def keys(fired: list[Fired]) -> list[tuple[str, str]]:
    return [(each.trigger.event, each.key) for each in fired]


# The steps.


def midnights(zone: str, after: datetime, until: datetime) -> Iterator[tuple[date, datetime]]:
    """Every first instant of a local day in (*after*, *until*], found minute by minute."""
    where = ZoneInfo(zone)
    first = after.astimezone(where).date()
    for number in range((until - after).days + 3):
        day = first + number * DAY
        minute = datetime.combine(day, time(), UTC) - timedelta(hours=14)
        while minute.astimezone(where).date() < day:
            minute += timedelta(minutes=15)
        if after < minute <= until:
            yield day, minute


@given(ZONES, instants, st.integers(0, 40 * 24 * 60), st.integers(0, 50 * 24 * 60), st.booleans())
def test_time_is_a_step_to_every_midnight(
    zone: str, updated: datetime, since: int, minutes: int, still: bool
) -> None:
    model = a_model(time_zone=zone)
    customer = scored(90, updated_at=updated, last_contact_on=updated.date() - 40 * DAY)
    begin = updated + timedelta(minutes=since - 20 * 24 * 60)
    until = updated + timedelta(minutes=minutes)
    steps = passed(customer, model, begin, until, stood_still=still)
    expected = list(midnights(zone, max(begin, updated), until))
    assert [(step.key, step.after.at) for step in steps] == [
        (day.isoformat(), at) for day, at in expected
    ]
    last = (customer.score, customer.status)
    for number, step in enumerate(steps):
        assert step.before is not None
        assert step.before.published == last
        is_last = number == len(steps) - 1
        as_stored = still and is_last
        at_midnight = customer.published_at(model, step.after.at, ZoneInfo(zone))
        last = (customer.score, customer.status) if as_stored else at_midnight
        assert step.after.published == last


@given(histories())
def test_a_write_is_the_time_before_it_and_then_itself(history: list[Written]) -> None:
    models = {model.version: model for model in MODELS}
    for before, after, _ in history:
        steps = written(before, after, lambda version: models[version])
        for one, other in pairwise(steps):
            assert other.before is one.after
            assert one.after.at <= other.after.at
        last = steps[-1]
        assert last.after.customer is after
        assert (last.key, last.after.at) == (after.change_id, after.updated_at)
        assert last.after.published == (after.score, after.status)
        if before is None or before.deleted_at is not None:
            assert len(steps) == 1
            assert last.before is None
            continue
        at = after.updated_at
        expected = list(midnights("UTC", max(before.updated_at, at - LONGEST), at))
        assert [step.key for step in steps[:-2]] == [day.isoformat() for day, _ in expected]
        assert all(step.after.customer is before for step in steps[:-1])
        first = steps[0].before
        assert first is not None
        assert first.published == (before.score, before.status)


@given(histories(), st.integers(0, 100), st.integers(0, 100))
def test_edges_are_those_of_levels_looked_at_one_after_the_other(
    history: list[Written], limit: int, days: int
) -> None:
    """A rule fires exactly when a plain list of levels, in the order of time, goes up."""
    models = {model.version: model for model in MODELS}
    rule = a_rule(Trigger(HEALTH_BELOW, limit), Trigger(NO_CONTACT, days), Trigger(DETRACTOR))
    for before, after, _ in history:
        fired, cleared = edges([rule], written(before, after, lambda version: models[version]))
        at = after.updated_at
        moments: list[Standing] = []
        if before is not None and before.deleted_at is None:
            model = models[before.model_version]
            begin = max(before.updated_at, at - LONGEST)
            moments.append(Standing(before, model, begin, stored=True))
            moments += [
                Standing(before, model, instant) for _, instant in midnights("UTC", begin, at)
            ]
            moments.append(Standing(before, model, max(moments[-1].at, at - MILLISECOND)))
        moments.append(Standing(after, models[after.model_version], at, stored=True))
        up, down = [], []
        for trigger in rule.triggers:
            levels = [trigger.level(moment) for moment in moments]
            if before is None or before.deleted_at is not None:
                levels.insert(0, None)
            first = len(levels) - len(moments)
            for number in range(1, len(levels)):
                old, new = levels[number - 1], levels[number]
                moment = moments[number - first]
                if new is not None and new != old:
                    up.append((trigger.event, moment.at))
                if old is not None and new != old:
                    down.append((trigger.event, moment.at))
        assert sorted((each.trigger.event, each.after.at) for each in fired) == sorted(up)
        assert sorted((each.trigger.event, each.at) for each in cleared) == sorted(down)


# What began.


def test_the_first_score_is_an_edge_and_says_that_it_is_initial() -> None:
    [fired], _ = edges([a_rule(BELOW)], steps_of(None, scored(30)))
    assert (fired.is_initial, fired.key) == (True, "c1")
    unscored = scored(None)
    [fired], _ = edges([a_rule(BELOW)], steps_of(unscored, then(unscored, 30)))
    assert fired.is_initial
    [fired], _ = edges([a_rule(BELOW)], steps_of(scored(60), then(scored(60), 30)))
    assert not fired.is_initial


def test_a_score_that_stays_below_is_told_of_once() -> None:
    one = scored(60)
    two = then(one, 30)
    three = then(two, 40)
    four = then(three, 70)
    five = then(four, 20)
    fired, cleared = edges([a_rule(BELOW)], steps_of(one, two, three, four, five))
    assert keys(fired) == [(HEALTH_BELOW, "c2"), (HEALTH_BELOW, "c5")]
    assert [each.at for each in cleared] == [four.updated_at]


def test_from_critical_to_at_risk_is_no_event_and_closes_nothing() -> None:
    one = scored(10)
    fired, cleared = edges([a_rule(Trigger(AT_RISK))], steps_of(one, then(one, 40)))
    assert (fired, cleared) == ([], [])
    fired, cleared = edges([a_rule(Trigger(AT_RISK))], steps_of(scored(40), then(scored(40), 10)))
    assert (len(fired), len(cleared)) == (1, 1)


@pytest.mark.parametrize("trashed", [False, True])
def test_a_stage_is_no_event_of_who_is_new(trashed: bool) -> None:
    rule = a_rule(Trigger(LIFECYCLE))
    before = scored(30, lifecycle="atrisk", deleted_at=NOW) if trashed else None
    after = then(before, deleted_at=None) if before else scored(30, lifecycle="churned")
    assert edges([rule], steps_of(before, after))[0] == []


def test_a_stage_is_an_event_of_a_change_alone_and_not_of_another_manager() -> None:
    rule = a_rule(Trigger(LIFECYCLE), BELOW, managers=frozenset({"ana"}))
    one = scored(30, lifecycle="atrisk", manager="Bob")
    two = then(one, manager="Ana")
    three = then(two, lifecycle="churned")
    fired, _ = edges([rule], steps_of(one, two, three))
    assert keys(fired) == [(HEALTH_BELOW, "c2"), (LIFECYCLE, "c3")]
    both = then(one, manager="Ana", lifecycle="churned")
    assert (LIFECYCLE, "c2") in keys(edges([rule], steps_of(one, both))[0])


def test_who_leaves_a_rules_scope_has_its_alerts_closed() -> None:
    rule = a_rule(BELOW, managers=frozenset({"ana"}))
    one = scored(30, manager="Ana")
    fired, cleared = edges([rule], steps_of(one, then(one, manager="Bob")))
    assert (fired, len(cleared)) == ([], 1)
    elsewhere = scored(30, manager="Bob")
    assert edges([rule], steps_of(elsewhere, then(elsewhere, 20))) == ([], [])


def test_a_renewal_is_one_event_for_each_window_and_date() -> None:
    rule = a_rule(Trigger(RENEWAL, WINDOWS))
    customer = scored(90, renewal_date=TODAY + 92 * DAY)
    steps = passed(customer, a_model(), NOW, NOW + 100 * DAY)
    fired, cleared = edges([rule], steps)
    day = (TODAY + 92 * DAY).isoformat()
    assert [each.key for each in fired] == [
        f"{name}:{day}" for name in ("upcoming", "warning", "critical")
    ]
    assert [each.after.today for each in fired] == [TODAY + days * DAY for days in (2, 32, 62)]
    assert len(cleared) == 3
    one = scored(90, renewal_date=TODAY + 5 * DAY)
    two = then(one, renewal_date=TODAY + 6 * DAY)
    moved, _ = edges([rule], steps_of(one, two, then(two, renewal_date=TODAY + 5 * DAY)))
    assert len({each.key for each in moved}) == 2


def test_silence_is_one_event_until_somebody_calls() -> None:
    rule = a_rule(Trigger(NO_CONTACT, 14))
    customer = scored(90, last_contact_on=TODAY)
    fired, cleared = edges([rule], passed(customer, a_model(), NOW, NOW + 60 * DAY))
    assert [(each.after.today, each.key) for each in fired] == [
        (TODAY + 15 * DAY, TODAY.isoformat())
    ]
    assert cleared == []


def test_a_midnight_that_a_write_finds_has_the_key_that_the_daily_pass_gives_it() -> None:
    rule = a_rule(BELOW, Trigger(NO_CONTACT, 14))
    one = scored(51, signals={"adoption": 52}, last_contact_on=TODAY)
    two = then(one, note="hello", updated_at=NOW + 30 * DAY + timedelta(hours=3))
    by_pass, _ = edges([rule], passed(one, a_model(), NOW, NOW + 30 * DAY))
    by_write, _ = edges([rule], steps_of(one, two))
    assert keys(by_pass) == keys(by_write)[: len(by_pass)]
    assert by_pass


def test_an_override_that_expired_is_found_by_the_write_and_under_a_key_of_its_own() -> None:
    """The day may have had an edge of its own at midnight: the second would be taken for it."""
    expired = Override(90, "key-1", NOW, expires_at=NOW + timedelta(minutes=30))
    one = scored(90, signals={"adoption": 30}, override=expired)
    two = then(one, note="x", score=30, status="at_risk")
    fired, cleared = edges([a_rule(BELOW)], steps_of(one, two))
    [before_it] = fired
    assert before_it.after.at == two.updated_at - MILLISECOND
    assert before_it.key not in {two.change_id, before_it.after.today.isoformat()}
    fired, cleared = edges([a_rule(BELOW)], steps_of(one, then(one, 70)))
    [began], [ended] = fired, cleared
    assert began.after.at < ended.at


# Which rules look.


def test_a_rule_looks_at_nothing_while_it_is_off_and_at_nothing_from_before_it_was_on() -> None:
    one = scored(60)
    two = then(one, 30)
    steps = steps_of(one, two)
    assert edges([a_rule(BELOW, enabled=False)], steps) == ([], [])
    assert edges([a_rule(BELOW, enabled_at=two.updated_at + MILLISECOND)], steps) == ([], [])
    assert len(edges([a_rule(BELOW, enabled_at=two.updated_at)], steps)[0]) == 1
    # What holds already when a rule is switched on is no edge.
    on = a_rule(BELOW, enabled_at=two.updated_at + MILLISECOND)
    assert edges([on], steps_of(two, then(two, 20))) == ([], [])


def test_time_looks_at_what_it_can_move_alone() -> None:
    def when(text: str) -> Trigger:
        return Trigger(CONDITION, condition=parse(text))

    moved = (
        Trigger(RENEWAL, 30), Trigger(NO_CONTACT, 14), Trigger(DROP, 15), Trigger(FALLING),
        when("momentum < -3"), when("mrr > 5 AND days_since_contact > 3"),
        when("cadence_status = 'overdue'"), when("tier = 'smb' OR renewal_within < 9"),
    )  # fmt: skip
    still = (BELOW, Trigger(AT_RISK), Trigger(DETRACTOR), Trigger(LIFECYCLE), when("mrr > 5"))
    rules = [
        a_rule(*still, *moved, id="both"), a_rule(*still, id="still"),
        a_rule(*moved, id="off", enabled=False),
    ]  # fmt: skip
    [found] = timed(rules)
    assert (found.id, found.triggers) == ("both", moved)


def test_a_drop_is_over_when_its_height_is_a_week_ago() -> None:
    recent = ((TODAY - 9 * DAY, 80, 80), (TODAY, 80, 60))
    customer = scored(60, recent=recent)
    steps = passed(customer, a_model(), NOW, NOW + 12 * DAY, stood_still=True)
    fired, cleared = edges([a_rule(Trigger(DROP, 15))], steps)
    assert fired == []
    assert [each.at.date() for each in cleared] == [TODAY + 8 * DAY]


def test_a_midnight_is_passed_by_whoever_comes_at_that_instant_and_once() -> None:
    midnight = datetime.combine(TODAY + DAY, time(), UTC)
    one = scored(60)
    assert [step.after.at for step in passed(one, a_model(), NOW, midnight)] == [midnight]
    two = then(one, 40, updated_at=midnight)
    assert [step.after.at for step in steps_of(one, two)] == [midnight] * 3
    assert passed(two, a_model(), midnight - MILLISECOND, midnight) == []


def test_next_version_is_a_step_without_midnights() -> None:
    one = scored(60)
    assert len(steps_of(one, next_version(one))) == 2
