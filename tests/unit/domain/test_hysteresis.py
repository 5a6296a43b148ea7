"""Hysteresis and cool-down: an edge is news once the score has recovered, and not too soon."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import NOW, a_change, a_customer, a_model, at

from vitals.domain.alert import Alert, alert_of
from vitals.domain.change import Change, differences
from vitals.domain.customer import Customer
from vitals.domain.edges import Fired
from vitals.domain.firing import is_armed, judged_before, not_cooling
from vitals.domain.rule import HEALTH_BELOW, Rule, Trigger
from vitals.domain.standing import Standing

LIMIT, REARM = 50, 60
TRIGGER = Trigger(HEALTH_BELOW, LIMIT, rearm=REARM)


def a_rule(**fields: Any) -> Rule:
    given = {"id": "r1", "tenant_id": "t", "name": "A rule", "enabled_at": at(-1000)}
    return Rule(**{**given, "triggers": (TRIGGER,), **fields})


def life(*moves: dict[str, Any]) -> list[Customer]:
    """A customer's versions, each an hour after the one before, with what changed."""
    versions: list[Customer] = []
    customer = a_customer(version=0)
    for number, move in enumerate(moves, 1):
        score = move.get("score", customer.score)
        customer = replace(
            customer, **{**move, "score": score, "version": number, "change_id": f"c{number}",
            "status": "unscored" if score is None else a_model().band(score),
            "updated_at": at(3600 * number)},
        )  # fmt: skip
        versions.append(customer)
    return versions


def changes_of(versions: list[Customer]) -> list[Change]:
    """Their change records, newest first."""
    found = [
        a_change(
            after,
            changed=differences(before, after),
            score_before=before.score if before else None,
        )
        for before, after in pairwise([None, *versions])
        if after is not None
    ]
    return found[::-1]


def told(versions: list[Customer], rule: Rule) -> list[int]:
    """The versions whose fall below the limit is told of."""
    found = []
    for before, after in pairwise([None, *versions]):
        assert after is not None
        was = before if before is not None and before.deleted_at is None else None
        in_scope = was is not None and rule.is_for(was.manager)
        was_below = in_scope and was is not None and was.score is not None and was.score < LIMIT
        is_below = rule.is_for(after.manager) and after.score is not None and after.score < LIMIT
        if after.deleted_at is not None or was_below or not is_below:
            continue
        standings = [
            Standing(each, a_model(), after.updated_at, stored=True) if each else None
            for each in (was, after)
        ]
        assert standings[1] is not None
        fired = Fired(rule, TRIGGER, after.change_id, standings[0], standings[1])
        version = judged_before(fired)
        older = [each for each in changes_of(versions) if version and each.version < version]
        if version is None or is_armed(fired, older):
            found.append(after.version)
    return found


def scores(*values: int | None) -> list[dict[str, Any]]:
    return [{"score": value} for value in values]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([70, 40, 55, 40], [2]),
        ([70, 40, 59, 40], [2]),
        ([70, 40, 60, 40], [2, 4]),
        ([70, 40, 60, 55, 40], [2, 5]),
        ([40, 55, 40, 70, 40], [1, 5]),
        ([55, 40, 52, 40], [2]),
        ([None, 40, None, 40], [2]),
    ],
)
def test_a_second_fall_is_news_from_the_score_on_that_rearms(
    values: list[int | None], expected: list[int]
) -> None:
    assert told(life(*scores(*values)), a_rule()) == expected


@given(st.lists(st.none() | st.sampled_from([10, 49, 50, 55, 59, 60, 90]), max_size=14))
def test_it_is_as_if_it_had_been_kept_as_a_flag(values: list[int | None]) -> None:
    expected, armed, last = [], True, None
    for number, value in enumerate(values, 1):
        was_below = last is not None and last < LIMIT
        if value is not None and value < LIMIT and not was_below and armed:
            expected.append(number)
            armed = False
        if value is not None and value >= REARM:
            armed = True
        last = value
    assert told(life(*scores(*values)), a_rule()) == expected


def test_whoever_comes_from_the_trash_is_new() -> None:
    moves = [*scores(70, 40), {"deleted_at": NOW}, {"deleted_at": None}, *scores(55, 40)]
    assert told(life(*moves), a_rule()) == [2, 4]


def test_whoever_comes_back_above_the_limit_is_armed() -> None:
    moves = [*scores(70, 40, 55), {"deleted_at": NOW}, {"deleted_at": None}, *scores(40)]
    assert told(life(*moves), a_rule()) == [2, 6]


def test_whoever_comes_into_a_rules_scope_is_new_to_it() -> None:
    rule = a_rule(managers=frozenset({"ana"}))
    moves = [{"manager": "Bob", "score": 70}, *scores(40), {"manager": "Ana"}, *scores(55, 40)]
    assert told(life(*moves), rule) == [3]
    moves = [{"manager": "Bob", "score": 70}, *scores(40, 55), {"manager": "Ana"}, *scores(40)]
    assert told(life(*moves), rule) == [5]
    assert told(life(*moves), a_rule()) == [2]


def test_what_was_before_the_rule_was_on_holds_nothing_back() -> None:
    versions = life(*scores(70, 40, 55, 40))
    rule = a_rule(enabled_at=versions[2].updated_at)
    assert told(versions, rule)[-1] == 4


def alerts(rule: Rule, *hours: float) -> list[Alert]:
    found = []
    for number, hour in enumerate(hours):
        after = Standing(a_customer(), a_model(), NOW + timedelta(hours=hour))
        fired = Fired(rule, TRIGGER, f"c{number}-{hour}", None, after)
        found.append(alert_of(fired, (), None))
    return found


def test_a_cool_down_is_over_after_its_hours_and_not_a_moment_before() -> None:
    rule = a_rule(cooldown=timedelta(hours=24))
    one, two, three = alerts(rule, 0, 23.999, 24)
    assert not_cooling(rule, [two], [one]) == []
    assert not_cooling(rule, [three], [one]) == [three]
    assert not_cooling(rule, [one, two, three], []) == [one, three]


def test_one_that_came_later_or_is_of_another_rule_holds_nothing_back() -> None:
    rule = a_rule(cooldown=timedelta(hours=24))
    one, two = alerts(rule, 0, 5)
    assert not_cooling(rule, [one], [two]) == [one]
    [other] = alerts(a_rule(id="r2"), 0)
    assert not_cooling(rule, [two], [other]) == [two]
    assert not_cooling(a_rule(), [two], [one]) == [two]


@given(st.lists(st.integers(0, 100), max_size=10, unique=True), st.integers(0, 10))
def test_it_is_the_same_however_they_come_in_batches(hours: list[int], cut: int) -> None:
    rule = a_rule(cooldown=timedelta(hours=24))
    every = alerts(rule, *sorted(hours))
    whole = not_cooling(rule, every, [])
    first = not_cooling(rule, every[:cut], [])
    assert [*first, *not_cooling(rule, every[cut:], first)] == whole
    assert not_cooling(rule, every, whole) == whole
