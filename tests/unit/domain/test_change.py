"""Change records: they name exactly what differs, and replay to what is stored."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import fields as attributes
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import NOW, a_customer, a_model, a_moment
from tests.unit.strategies import json_values, patches

from vitals.domain.change import Change, differences, facts, replayed
from vitals.domain.contact import Contact
from vitals.domain.customer import Customer, Override
from vitals.domain.mutation import Reason, settled
from vitals.domain.patch import Patch, merged
from vitals.storage.codec import change_of, change_row

REASON = Reason(action="upsert_account")
MODEL = a_model(profiles={"big": {"adoption": 60, "logins": 40}})


def same(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are one, unlike == , to which 0 is False and 1 is 1.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def by_hand(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    """Return the paths at which two sets of facts differ."""
    changed = {path for path in before if path not in after or not same(before[path], after[path])}
    return changed | {path for path in after if path not in before}


@st.composite
def lives(draw: st.DrawFn) -> list[tuple[Customer, Change | None]]:
    """Draw every state of a customer through some patches, each with its change."""
    now, states = NOW, []
    customer = replace(a_customer(), version=0)
    before: Customer | None = None
    for _ in range(draw(st.integers(1, 6))):
        now += timedelta(hours=draw(st.integers(-2, 400)))
        moment = a_moment(now)
        after = merged(customer, draw(patches(now)), moment)
        customer, change = settled(before, after, MODEL, REASON, moment)
        before = customer
        states.append((customer, change))
    return states


@given(lives())
@settings(max_examples=120)
def test_the_changes_replay_to_what_is_stored_at_every_version(
    life: list[tuple[Customer, Change | None]],
) -> None:
    made = [change for _, change in life if change is not None]
    stored = [change_of(change_row(change)) for change in made]
    for customer, _ in life:
        until = [change for change in made if change.version <= customer.version]
        assert same(replayed(until), facts(customer))
        read_back = [change for change in stored if change.version <= customer.version]
        assert same(replayed(read_back), facts(customer))


@given(lives())
@settings(max_examples=80)
def test_versions_count_up_and_no_two_share_an_instant(
    life: list[tuple[Customer, Change | None]],
) -> None:
    made = [change for _, change in life if change is not None]
    assert [change.version for change in made] == list(range(1, len(made) + 1))
    instants = [change.at for change in made]
    assert sorted(set(instants)) == instants


@given(lives())
@settings(max_examples=80)
def test_a_change_s_contributions_sum_to_its_scores(
    life: list[tuple[Customer, Change | None]],
) -> None:
    for customer, change in life:
        if change is None or customer.override is not None or change.score_after is None:
            continue
        exact = sum((Fraction(part) for part in change.contributions_after.values()), Fraction(0))
        assert abs(exact - change.score_after) <= Fraction(1, 2)


@given(st.data())
@settings(max_examples=80)
def test_differences_are_exactly_the_paths_that_differ(data: st.DataObject) -> None:
    moment = a_moment()
    before = merged(a_customer(), data.draw(patches(NOW)), moment)
    after = merged(before, data.draw(patches(NOW)), moment)
    found = differences(before, after)
    old, new = facts(before), facts(after)
    assert set(found) == by_hand(old, new)
    for path, (was, is_) in found.items():
        assert same(was, old.get(path))
        assert same(is_, new.get(path))


def flipped(value: Any) -> Any:
    """Return *value* with every 0 and 1 as a boolean, and the other way round."""
    if isinstance(value, dict):
        return {key: flipped(each) for key, each in value.items()}
    if isinstance(value, list):
        return [flipped(each) for each in value]
    if isinstance(value, bool):
        return int(value)
    return bool(value) if value in (0, 1) else value


@given(json_values, st.none() | json_values)
@settings(max_examples=150)
def test_custom_fields_differ_as_json_does(one: Any, drawn: Any) -> None:
    before = a_customer(custom_fields={"plan": one})
    other = flipped(one) if drawn is None else drawn
    found = differences(before, a_customer(custom_fields={"plan": other}))
    assert bool(found) != same(one, other)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (0, False),
        (1, True),
        (0, Decimal("0.5")),
        (1, Decimal(1)),
        ("0", 0),
        ([0], [False]),
        ({"on": 1}, {"on": True}),
        ({"rows": [{"on": 0}]}, {"rows": [{"on": False}]}),
        ([], {}),
        ("", []),
    ],
)
def test_values_that_python_takes_for_equal_are_told_apart(before: Any, after: Any) -> None:
    old, new = a_customer(custom_fields={"x": before}), a_customer(custom_fields={"x": after})
    assert differences(old, new) == {"custom_fields.x": (before, after)}
    assert differences(old, a_customer(custom_fields={"x": copy.deepcopy(before)})) == {}


EVERY_FACT: dict[str, Any] = {
    "name": "Other", "external_id": "x-1", "last_contact_on": date(2026, 3, 1), "mrr": 1, "arr": 12,
    "revenue_basis": "mrr", "tier": "smb", "lifecycle": "won", "lifecycle_auto": True,
    "email_domain": "acme.example",
    "churned_on": date(2026, 3, 1),
    "manager": "Sarah", "tags": ("vip",), "renewal_date": date(2026, 3, 1), "note": "n",
    "next_touch": date(2026, 3, 1), "since": date(2026, 3, 1), "sentiment": "neutral",
    "scoring_profile": "big", "model_version": 2, "score": 1, "status": "critical",
    "score_changed_at": NOW, "deleted_at": NOW, "override": Override(1, "key-1", NOW),
    "signals": {"nps": 9}, "custom_fields": {"plan": 1},
    "contacts": {"01C": Contact(name="Ada", created_at=NOW, updated_at=NOW)},
}  # fmt: skip
BOOKKEEPING = {
    "id", "tenant_id", "created_at", "updated_at", "version", "change_id", "cause", "received",
    "recent", "events_until",
}  # fmt: skip
"""What a change's own columns say, what follows from the changes before, or what is no change:
when a signal or an event last arrived."""


def test_whatever_is_stored_of_a_customer_is_in_its_change() -> None:
    assert EVERY_FACT.keys() | BOOKKEEPING == {field.name for field in attributes(Customer)}
    for name, value in EVERY_FACT.items():
        [path] = differences(a_customer(), a_customer(**{name: value}))
        assert path.partition(".")[0] == name


def test_a_zero_is_a_fact_and_nothing_is_none() -> None:
    zero = a_customer(signals={"logins": 0}, mrr=0, score=0)
    assert facts(zero).keys() >= {"signals.logins", "mrr", "score"}
    found = differences(a_customer(), zero)
    assert found == {"signals.logins": (None, 0), "mrr": (None, 0), "score": (None, 0)}


def test_a_nightly_sync_of_the_same_values_makes_no_version() -> None:
    patch = Patch(signals={"logins": 22}, given=frozenset({"logins"}), fields={"mrr": 5000})
    first, made = settled(None, merged(a_customer(), patch, a_moment()), MODEL, REASON, a_moment())
    later = a_moment(NOW + timedelta(hours=5))
    again, change = settled(first, merged(first, patch, later), MODEL, REASON, later)
    assert made is not None
    assert change is None
    assert again.received["logins"].at == later.now
    assert replace(again, received=first.received) == first


def test_a_reported_contact_is_a_change_though_nothing_moved() -> None:
    stored, _ = settled(None, a_customer(), MODEL, REASON, a_moment())
    touched = Reason(action="log_contact", cause="contact", contact={"who": "Sarah"})
    after, change = settled(stored, stored, MODEL, touched, a_moment())
    assert change is not None
    assert (change.changed, change.contact) == ({}, {"who": "Sarah"})
    assert after.version == stored.version + 1


def test_a_clock_that_stepped_back_makes_no_version_older_than_the_one_before() -> None:
    stored, _ = settled(None, a_customer(), MODEL, REASON, a_moment())
    past = a_moment(NOW - timedelta(hours=1))
    renamed = replace(stored, name="Acme Inc")
    after, change = settled(stored, renamed, MODEL, REASON, past)
    assert change is not None
    assert change.at == after.updated_at == stored.updated_at + timedelta(milliseconds=1)
