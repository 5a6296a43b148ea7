"""A day's figures: whoever is counted is counted in every part, in whatever order."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.builders import a_customer

from vitals.domain.customer import Customer
from vitals.domain.snapshot import Snapshot

Counted = tuple[Customer, int | None, str, str]
BANDS, MOVES = ("critical", "healthy", "unscored"), ("steady", "falling", "unknown")
CUSTOMERS = st.builds(
    a_customer,
    tier=st.sampled_from([None, "mid", "smb"]),
    lifecycle=st.sampled_from(["active", "won"]),
    manager=st.sampled_from([None, "Ada", "Ben"]),
    tags=st.sampled_from([(), ("emea",), ("emea", "vip"), ("vip", "emea")]),
    mrr=st.sampled_from([None, 0, 100, Decimal("0.1")]),
)
COUNTED = st.lists(
    st.tuples(
        CUSTOMERS,
        st.sampled_from([None, 0, 40, 71]),
        st.sampled_from(BANDS),
        st.sampled_from(MOVES),
    ),
    max_size=12,
)


def shown(counted: Sequence[Counted]) -> dict[str, Any]:
    snapshot = Snapshot()
    for customer, score, status, momentum in counted:
        snapshot.add(customer, score, status, momentum)
    return snapshot.shown()


def figures(counted: Sequence[Counted]) -> dict[str, Any]:
    """Count by the definition."""
    scores = [score for _, score, _, _ in counted if score is not None]
    mean = Decimal(sum(scores)) / len(scores) if scores else None
    return {
        "customers": len(counted),
        "mrr": sum(customer.mrr or 0 for customer, _, _, _ in counted),
        "average_score": mean and round(mean + Decimal("1e-9"), 4),
    }


def names(counted: Counted) -> dict[str, Sequence[str]]:
    customer, _, status, momentum = counted
    return {
        "lifecycle": [customer.lifecycle],
        "manager": [customer.manager or ""],
        "momentum": [momentum],
        "status": [status],
        "tag": customer.tags or [""],
        "tier": [customer.tier or ""],
    }


@given(COUNTED)
def test_each_part_counts_its_own(counted: Sequence[Counted]) -> None:
    found = shown(counted)
    own = figures(counted)
    assert {name: found.pop(name) for name in own} == own
    for part, groups in found.items():
        wanted = {name for each in counted for name in names(each)[part]}
        assert list(groups) == sorted(wanted)
        for name, group in groups.items():
            assert group == figures([each for each in counted if name in names(each)[part]])
    assert set(found) == (set(names(counted[0])) if counted else set())


@given(COUNTED)
def test_the_order_does_not_matter(counted: Sequence[Counted]) -> None:
    assert list(shown(counted).items()) == list(shown(counted[::-1]).items())
