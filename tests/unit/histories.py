"""What Hypothesis draws: every write of a customer's life, with its change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st
from tests.builders import NOW, a_customer, a_model, a_moment
from tests.unit.strategies import contacts, patches

from vitals.domain.change import Change
from vitals.domain.customer import Customer
from vitals.domain.mutation import Reason, settled
from vitals.domain.patch import merged

MODELS = [
    a_model(1, profiles={"big": {"adoption": 60, "logins": 40}}),
    a_model(2, profiles={"big": {"adoption": 100}}, missing_policy="zero"),
    a_model(3, profiles={"big": {"nps": 100}}, bands={
        "critical": 0, "at_risk": 30, "watch": 55, "healthy": 70, "expansion": 90}),
]  # fmt: skip
CONTACT = {"at": "2026-03-02T12:00:00.000Z", "channel": "call", "who": "Sarah", "note": None}

Written = tuple[Customer | None, Customer, Change]


@st.composite
def histories(draw: st.DrawFn) -> list[Written]:
    """Draw some writes: patches, contacts, rescores, mere time, the trash and back."""
    now, written = NOW, []
    customer = replace(a_customer(), version=0)
    before: Customer | None = None
    for number in range(draw(st.integers(1, 6))):
        now += timedelta(hours=draw(st.integers(0, 400)))
        moment = a_moment(now)
        what = draw(st.sampled_from(["patch", "contact", "people", "time", "trash"]))
        after = merged(customer, draw(patches(now)), moment) if what == "patch" else customer
        if what == "people":
            after = replace(customer, contacts=draw(contacts))
        if what == "trash" and before is not None:
            after = replace(customer, deleted_at=None if customer.deleted_at else now)
        reason = Reason(action="write", contact=CONTACT if what == "contact" else None)
        old = MODELS[customer.model_version - 1]
        model = draw(st.sampled_from(MODELS))
        customer, change = settled(before, after, model, reason, moment, before_model=old)
        if change is not None:
            written.append((before, customer, replace(change, id=f"01{number:024d}")))
        before = customer
    return written
