"""Events follow from a change's facts, under ids of their own, and say what moved the score."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from tests.builders import ID, NOW, TENANT_ID, TODAY, a_change, a_customer, a_moment
from tests.unit.histories import MODELS, Written, histories

from vitals.domain.change import Change, facts, is_visible
from vitals.domain.contact import Contact
from vitals.domain.customer import Customer
from vitals.domain.events import (
    Event,
    change_events,
    contact_overdue,
    model_changed,
    moved,
    renewal_approaching,
)
from vitals.domain.model import STATUSES
from vitals.domain.mutation import Reason, settled
from vitals.storage.codec import decode, encode

VIEW = {"id": ID, "name": "Acme Corp"}


def told(written: Written) -> list[Event]:
    before, after, change = written
    return change_events(TENANT_ID, before, after, change, VIEW)


def test_of_a_contact_an_event_tells_the_id_alone() -> None:
    """What is known of a person leaves only where it was asked for."""
    ada = Contact(name="Ada", email="ada@acme.example", created_at=NOW, updated_at=NOW)
    path, held = "contacts.01C", {"id": "01C"}
    for old, new, before, after in (
        ({}, {"01C": ada}, None, held),
        ({"01C": ada}, {"01C": replace(ada, title="CEO")}, held, held),
        ({"01C": ada}, {}, held, None),
    ):
        stored, moment = a_customer(contacts=old), a_moment()
        reason = Reason(action="create_contact")
        customer, change = settled(stored, replace(stored, contacts=new), MODELS[0], reason, moment)
        assert change is not None
        [event] = [each for each in told((stored, customer, change)) if "updated" in each.type]
        changed = event.data["change"]["changed"]
        assert changed[path] == {"before": before, "after": after}
        assert "ada@" not in str(event.payload())


def types(written: Written) -> list[str]:
    return [event.type for event in told(written)]


def from_facts(before: Customer | None, after: Customer, change: Change) -> set[str]:
    """Return what happened, from the two customers' facts and nothing that the change lists."""
    old, new = facts(before), facts(after)
    if before is None:
        happened = {"customer.created"}
        old |= {"status": "unscored"}
    else:
        plain = [path for path in old.keys() | new.keys() if old.get(path) != new.get(path)]
        score = ("score", "status", "score_changed_at", "model_version")
        others = [path for path in plain if path not in (*score, "deleted_at")]
        happened = {"customer.updated"} if others else set()
        if "deleted_at" in plain:
            happened.add("customer.restored" if "deleted_at" in old else "customer.deleted")
        if "lifecycle" in others:
            happened.add("lifecycle.changed")
    if change.contact:
        happened.add("contact.logged")
    if (old.get("score"), old["status"]) != (new.get("score"), new["status"]):
        happened.add("health.changed")
        ranks = [STATUSES.index(each["status"]) for each in (old, new)]
        if STATUSES.index("unscored") not in ranks and ranks[0] != ranks[1]:
            happened.add("health.improved" if ranks[1] > ranks[0] else "health.dropped")
    return happened


@given(histories())
def test_the_types_follow_exactly_from_the_facts(history: list[Written]) -> None:
    for written in history:
        seen = is_visible(written[2])
        assert set(types(written)) == (from_facts(*written) if seen else set())


@given(histories())
def test_an_id_is_one_events_of_one_change_and_holds_no_dot(history: list[Written]) -> None:
    events = [event for written in history for event in told(written)]
    assert len({event.id for event in events}) == len(events)
    assert all(event.id.startswith("msg_") and "." not in event.id for event in events)
    assert events == [event for written in history for event in told(written)]


@given(histories())
def test_what_moved_sums_to_the_difference_of_the_contributions(history: list[Written]) -> None:
    for _, _, change in history:
        parts = moved(change)
        deltas = [Decimal(part["delta"] or "") for part in parts]
        assert sum(deltas) == total(change.contributions_after) - total(change.contributions_before)
        assert [abs(delta) for delta in deltas] == sorted(map(abs, deltas), reverse=True)
        kept = change.contributions_before.keys() - {part["signal"] for part in parts}
        for signal in kept:
            assert change.contributions_before[signal] == change.contributions_after[signal]


def total(contributions: Mapping[str, str]) -> Decimal:
    return sum(map(Decimal, contributions.values()), Decimal(0))


@given(histories())
def test_a_payload_is_json_with_everything_in_it(history: list[Written]) -> None:
    for written in history:
        before, after, change = written
        for event in told(written):
            payload = decode(encode(event.payload()))
            assert payload.keys() == {"id", "type", "timestamp", "tenant_id", "data"}
            assert (event.customer_id, payload["tenant_id"]) == (after.id, TENANT_ID)
            score = payload["data"]["score"]
            assert score["before"] == (before.score if before else None)
            assert (score["after"], score["status_after"]) == (after.score, after.status)
            assert payload["data"]["customer"] == VIEW
            assert payload["timestamp"] == payload["data"]["change"]["at"]
            assert payload["data"]["change"]["id"] == change.id


def write(before: Customer | None, now: datetime = NOW, **fields: Any) -> Written:
    after = replace(before or replace(a_customer(), version=0), **fields)
    reason = Reason(action="upsert_account")
    after, change = settled(before, after, MODELS[0], reason, a_moment(now))
    assert change is not None
    return before, after, replace(change, id="01C")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"adoption": 70}, {"adoption": 10}, ["health.changed", "health.dropped"]),
        ({"adoption": 10}, {"adoption": 70}, ["health.changed", "health.improved"]),
        ({"adoption": 70}, {"adoption": 71}, ["health.changed"]),
        ({"adoption": 70}, {}, ["health.changed"]),
        ({}, {"adoption": 70}, ["health.changed"]),
    ],
)
def test_a_band_is_left_for_a_worse_or_a_better_one(
    before: dict[str, Any], after: dict[str, Any], expected: list[str]
) -> None:
    _, customer, _ = write(None, signals=before, lifecycle="won")
    assert types(write(customer, signals=after)) == ["customer.updated", *expected]


def test_the_first_score_is_news_and_no_improvement() -> None:
    assert types(write(None, signals={"adoption": 70})) == ["customer.created", "health.changed"]
    assert types(write(None)) == ["customer.created"]


def test_time_alone_moves_the_score_and_updates_nobody() -> None:
    _, customer, _ = write(None, last_contact_on=TODAY)
    assert types(write(customer, NOW + timedelta(days=10))) == ["health.changed"]


def test_what_nobody_can_see_is_told_to_nobody() -> None:
    customer = a_customer(score=70, status="healthy")
    seen_by_none = a_change(customer, changed={"model_version": (1, 2)})
    assert change_events(TENANT_ID, customer, customer, seen_by_none, VIEW) == []


def test_a_restore_that_brings_news_tells_both() -> None:
    _, trash, _ = write(None, deleted_at=NOW)
    both = write(trash, deleted_at=None, mrr=100)
    assert types(both) == ["customer.restored", "customer.updated"]


def test_fields_are_called_as_the_customer_shows_them() -> None:
    _, customer, _ = write(None, signals={"logins": 22})
    [event, *_] = told(write(customer, signals={"logins": 28, "nps": 9}))
    change = event.data["change"]
    assert change["changed"]["logins"] == {"before": 22, "after": 28}
    assert change["changed"]["nps"] == {"before": None, "after": 9}
    assert "score_changed_at" not in change["changed"]
    assert event.id == "msg_01C_customer_updated"


def test_the_greatest_move_stands_first_and_absence_is_null() -> None:
    change = a_change(
        a_customer(),
        contributions_before={"logins": "73.3333", "nps": "10", "csat": "5", "days": "3"},
        contributions_after={"logins": "53", "nps": "10.0000", "growth": "0", "days": "23.3333"},
    )
    assert moved(change) == [
        {"signal": "days", "before": "3", "after": "23.3333", "delta": "20.3333"},
        {"signal": "logins", "before": "73.3333", "after": "53", "delta": "-20.3333"},
        {"signal": "csat", "before": "5", "after": None, "delta": "-5"},
        {"signal": "growth", "before": None, "after": "0", "delta": "0"},
    ]


def test_a_delta_is_written_out() -> None:
    change = a_change(
        a_customer(),
        contributions_before={"a": "0.0001", "b": "100"},
        contributions_after={"a": "100.0001", "b": "99.9999"},
    )
    assert [part["delta"] for part in moved(change)] == ["100", "-0.0001"]


def test_a_renewal_is_told_once_for_each_window_and_date() -> None:
    def told_of(window: int, day: date, at: datetime) -> str:
        return renewal_approaching(
            TENANT_ID, ID, VIEW, window_days=window, renewal_date=day, at=at
        ).id

    day = date(2026, 4, 1)
    assert told_of(30, day, NOW) == f"msg_{ID}_30_2026-04-01_renewal_approaching"
    assert told_of(30, day, NOW + timedelta(days=1)) == told_of(30, day, NOW)
    others = {told_of(60, day, NOW), told_of(30, date(2027, 4, 1), NOW), told_of(30, day, NOW)}
    assert len(others) == 3


def test_silence_is_told_once_for_each_day_of_contact() -> None:
    first = contact_overdue(TENANT_ID, ID, VIEW, date(2026, 1, 5), NOW)
    assert first.id == f"msg_{ID}_2026-01-05_contact_overdue"
    assert first.data == {"customer": VIEW, "since": "2026-01-05"}
    assert first.customer_id == ID


def test_a_model_is_told_of_once_for_each_version() -> None:
    event = model_changed(
        TENANT_ID, 2, at=NOW, by="key-1", action="put_profile", note=None, changed={"b", "a"}
    )
    assert event.id == f"msg_{TENANT_ID}_2_model_changed"
    assert event.data["changed"] == ["a", "b"]
    assert event.data["model"]["version"] == 2
    assert event.customer_id is None
