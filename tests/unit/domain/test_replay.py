"""A customer's change records rebuild every version of it, field by field."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from tests.builders import NOW, TENANT_ID, a_customer, a_model, a_moment
from tests.unit.histories import MODELS, Written, histories

from vitals.domain.change import Change
from vitals.domain.customer import Customer
from vitals.domain.model import ScoringModel
from vitals.domain.mutation import Reason, settled
from vitals.domain.replay import versions
from vitals.storage.codec import change_of, change_row

REASON = Reason(action="upsert_account")


SAME = a_model(4)
"""Scores as the first does: a change to it is seen by nobody."""


def model_of(version: int) -> ScoringModel:
    return [*MODELS, SAME][version - 1]


def rebuilt(changes: list[Change]) -> list[tuple[Customer | None, Customer, Change]]:
    stored = [change_of(change_row(change)) for change in changes]
    return list(versions(TENANT_ID, stored, model_of))


def expected(customer: Customer, change: Change) -> Customer:
    """Return *customer* as the write stores it, without when its signals arrived."""
    return replace(customer, change_id=change.id, received={})


@given(histories())
@settings(max_examples=300)
def test_every_version_is_rebuilt_as_it_was_stored(written: list[Written]) -> None:
    found = rebuilt([change for _, _, change in written])
    assert len(found) == len(written)
    before: Customer | None = None
    for (was, now, made), (_, stored, change) in zip(found, written, strict=True):
        assert was == before
        assert now == expected(stored, change)
        assert made == change_of(change_row(change))
        before = now


def life(*writes: dict[str, Any]) -> list[Written]:
    """Return what comes of a customer of which each write sets some fields, a day apart."""
    found: list[Written] = []
    before: Customer | None = None
    now = NOW
    for number, fields in enumerate(writes):
        model = model_of(fields.pop("model", 1))
        customer = replace(before or replace(a_customer(), version=0), **fields)
        old = model_of(before.model_version) if before else None
        moment = a_moment(now)
        after, change = settled(before, customer, model, REASON, moment, before_model=old)
        assert change is not None
        after = replace(after, change_id=f"01{number:024d}")
        found.append((before, after, replace(change, id=after.change_id)))
        before, now = after, now + timedelta(days=1)
    return found


def test_a_change_that_nobody_sees_leaves_the_instant_of_the_version() -> None:
    written = life({"signals": {"nps": 9}}, {"model": 4}, {"signals": {"nps": 2}})
    (_, first, _), (_, second, _), (_, third, _) = rebuilt([change for _, _, change in written])
    assert (first.version, second.version, third.version) == (1, 2, 3)
    assert second.updated_at == first.updated_at < third.updated_at
    assert second.model_version == 4


def test_the_last_days_scores_are_rebuilt_over_a_change_of_the_model() -> None:
    written = life(
        {"signals": {"nps": 9, "logins": 3}}, {"signals": {"nps": 2, "logins": 3}}, {"model": 2}
    )
    *_, (_, last, _) = rebuilt([change for _, _, change in written])
    assert last.recent == written[-1][1].recent
    assert len(last.recent) == 3


def test_a_fact_that_was_taken_away_is_not_there_any_more() -> None:
    written = life(
        {"tags": ("vip",), "mrr": 5, "custom_fields": {"a.b": 1}},
        {"tags": (), "mrr": None, "custom_fields": {}},
    )
    (_, first, _), (_, second, _) = rebuilt([change for _, _, change in written])
    assert (first.tags, first.mrr, first.custom_fields) == (("vip",), 5, {"a.b": 1})
    assert (second.tags, second.mrr, second.custom_fields) == ((), None, {})
