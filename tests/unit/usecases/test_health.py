"""A customer's health says what the customer says, and its history what was published."""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.builders import NOW, a_context, a_tenant
from tests.fakes import FakeCustomers
from tests.unit.histories import MODELS, Written, histories
from tests.unit.usecases.desk import Desk

from vitals.domain.errors import ValidationError
from vitals.domain.instants import iso, local_day
from vitals.storage.ports import Commit
from vitals.usecases.context import Context
from vitals.usecases.get_customer import get_customer
from vitals.usecases.health import SHARED, get_health
from vitals.usecases.health_history import explain_score, get_health_history
from vitals.usecases.health_portfolio import list_at_risk, median

lives = histories().filter(bool).filter(lambda written: written[-1][1].deleted_at is None)
hours = st.integers(0, 2600)


def asking(written: list[Written], now: datetime) -> Context:
    """Return a request at *now* of the tenant whose only customer has lived through *written*."""
    customers = FakeCustomers()
    for before, after, change in written:
        stored = replace(after, change_id=change.id)
        customers.commit(a_tenant(), Commit(_stored(customers, before), stored, change))
    return replace(
        a_context(now=now),
        tenant=a_tenant(model_version=len(MODELS)),
        customers=customers,
        model_of=lambda version: MODELS[version - 1],
    )


def _stored(customers: FakeCustomers, before: Any) -> Any:
    return before and customers.get(a_tenant(), before.id)


def end_of(written: list[Written]) -> datetime:
    return written[-1][2].at


@given(lives, hours)
def test_health_and_customer_agree_to_the_last_digit(written: list[Written], later: int) -> None:
    context = asking(written, end_of(written) + timedelta(hours=later))
    whom = {"id": written[-1][1].id}
    customer = get_customer(context, whom)["data"]
    health = get_health(context, whom)["data"]
    assert {name: health[name] for name in SHARED} == {name: customer[name] for name in SHARED}
    assert (health["customer_id"], health["band"]) == (customer["id"], customer["status"])
    own = ("signal", "value", "points", "weight", "contribution")
    assert [{name: each[name] for name in own} for each in health["signals"]] == customer[
        "contributions"
    ]
    rows = health["dimensions"].values()
    adjusted = sum(each["contribution"] for each in customer["adjustments"])
    parts = sum(each["contribution"] for each in rows)
    assert parts + adjusted == (customer["score_exact"] or 0)
    assert sum(each["weight"] for each in rows) == (1 if customer["contributions"] else 0)
    risk = health["risk"]
    score = customer["score"]
    assert risk["risk_index"] == (None if score is None else 100 - score)
    assert (risk["calibrated"], risk["churn_probability"]) == (False, None)
    assert health["trend"]["direction"] == customer["momentum_direction"]
    assert health["trend"]["change_7d"] == customer["momentum"]


@given(lives, st.integers(0, 2600), st.sampled_from(["daily", "weekly"]), st.data())
@settings(max_examples=60)
def test_a_history_is_what_was_published_at_each_days_end(
    written: list[Written], later: int, granularity: str, data: st.DataObject
) -> None:
    now = end_of(written) + timedelta(hours=later)
    context = asking(written, now)
    last = now.date() - timedelta(days=data.draw(st.integers(0, 30)))
    first = last - timedelta(days=data.draw(st.integers(0, 60)))
    given_span = {"from": first.isoformat(), "to": last.isoformat(), "granularity": granularity}
    whom = {"id": written[-1][1].id}
    points = get_health_history(context, {**whom, **given_span})["data"]["points"]
    customer = get_customer(context, whom)["data"]
    for point in points:
        day = date.fromisoformat(point["date"])
        until = [each for _, _, each in written if local_day(each.at, UTC) <= day]
        expected = (until[-1].score_after, until[-1].status_after) if until else (None, None)
        if day == now.date():
            expected = customer["score"], customer["status"]
        assert (point["score"], point["band"]) == expected
    counted = [
        each
        for _, _, each in written
        if first <= each.at.date() <= last and each.score_before != each.score_after
    ]
    assert sum(point["changes"] for point in points) == len(counted)


def test_a_history_is_of_ninety_days_unless_told_otherwise() -> None:
    desk = Desk()
    whom = {"id": desk.upsert(name="Acme", logins=15)["id"]}
    points = get_health_history(desk.context(), whom)["data"]["points"]
    assert len(points) == 90
    assert (points[-1]["date"], points[-1]["score"]) == (NOW.date().isoformat(), 50)
    assert {(point["score"], point["status"]) for point in points[:-1]} == {(None, "unscored")}


@pytest.mark.parametrize(
    ("span", "field"),
    [
        ({"from": "2026-03-02", "to": "2026-03-01"}, "to"),
        ({"from": "2025-01-01"}, "from"),
        ({"from": "yesterday"}, "since"),
        ({"to": "0001-01-01"}, "until"),
        ({"to": "9999-12-31"}, "until"),
    ],
)
def test_a_span_that_is_none_or_too_long_is_refused(span: dict[str, str], field: str) -> None:
    desk = Desk()
    whom = {"id": desk.upsert(name="Acme", logins=15)["id"]}
    for use_case in (get_health_history, explain_score):
        with pytest.raises(ValidationError) as refused:
            use_case(desk.context(), {**whom, **span})
        assert [error.field for error in refused.value.errors] == [field]


@given(lives, hours, hours)
@settings(max_examples=60)
def test_an_explanation_reads_far_enough_back(written: list[Written], one: int, two: int) -> None:
    start, end = (NOW + timedelta(hours=each) for each in sorted((one, two)))
    now = max(end, end_of(written))
    context = asking(written, now)
    asked = {"id": written[-1][1].id, "from": iso(start), "to": iso(end)}
    found = explain_score(context, asked)["data"]
    assert sum(part["change"] for part in found["parts"]) == found["change"]
    assert sum(cause["change"] for cause in found["causes"]) == found["change"]
    if end == now:
        shown = get_health(context, {"id": written[-1][1].id})["data"]
        assert found["to"]["score_exact"] == shown["score_exact"]
        assert found["to"]["status"] == shown["status"]


WORTH = {12: 40, 15: 50, 18: 60, None: None}
"""The score of so many logins alone."""


@given(
    st.lists(st.tuples(st.integers(1, 9), st.sampled_from([*WORTH])), min_size=1, max_size=7),
    st.integers(0, 6),
    st.sampled_from([-1, 0, 1]),
)
@example([(1, 15), (1, 12)], 0, 0)
@example([(1, 18), (1, 12)], 1, 1)
@example([(1, 18), (1, None), (1, 12)], 0, 1)
@example([(1, 18), (1, 12), (1, None), (1, 12)], 2, -1)
def test_who_fell_is_who_stood_at_the_threshold_since_then(
    steps: list[tuple[int, int | None]], index: int, offset: int
) -> None:
    """Against a walk over what was sent; the threshold is 50."""
    desk = Desk()
    scores: list[tuple[datetime, int | None]] = []
    for wait, logins in steps:
        desk.now += timedelta(hours=wait)
        shown = desk.upsert(name="Acme", logins=logins)
        assert shown["score"] == WORTH[logins]
        scores.append((desk.now, shown["score"]))
    since = scores[min(index, len(scores) - 1)][0] + timedelta(seconds=offset)
    rows = list_at_risk(desk.context(), {"since": iso(since)})["data"]
    stood = fell = None
    for place, (at, score) in enumerate(scores):
        until = scores[place + 1][0] if place + 1 < len(scores) else desk.now
        if score is not None and score >= 50:
            stood, fell = (score if until >= since else None), None
        elif score is not None and stood is not None and fell is None:
            fell = (at, stood)
    if fell is None or scores[-1][1] is None:
        assert rows == []
        return
    [row] = rows
    assert (row["crossed_at"], row["score_before"]) == (iso(fell[0]), fell[1])


@given(st.lists(st.integers(0, 100), max_size=9))
def test_the_median_is_the_middle_of_them_all(scores: list[int]) -> None:
    assert median(Counter(scores)) == (statistics.median(scores) if scores else None)
