"""A day's figures: whoever is counted is counted in every part, in whatever order."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.builders import a_customer

from vitals.domain.customer import Customer
from vitals.domain.snapshot import MOST_NAMES, Figures, Snapshot

Counted = tuple[Customer, int | None, str, str]
BANDS, MOVES = ("critical", "healthy", "unscored"), ("steady", "falling", "unknown")
CUSTOMERS = st.builds(
    a_customer,
    tier=st.sampled_from([None, "mid", "smb"]),
    lifecycle=st.sampled_from(["active", "won", "churned"]),
    manager=st.sampled_from([None, "Ada", "Ben"]),
    tags=st.sampled_from([(), ("emea",), ("emea", "vip"), ("vip", "emea")]),
    mrr=st.sampled_from([None, 0, 100, Decimal("0.1")]),
    arr=st.sampled_from([None, 12]),
    signals=st.sampled_from([{}, {"logins": 3, "growth": "mild"}, {"logins": Decimal("0.5")}]),
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
    low = [customer for customer, _, status, _ in counted if status == "critical"]
    logins = [each.signals["logins"] for each, _, _, _ in counted if "logins" in each.signals]
    return {
        "customers": len(counted),
        "mrr": sum(customer.mrr or 0 for customer, _, _, _ in counted),
        "arr": sum(customer.arr or 0 for customer, _, _, _ in counted),
        "scored": len(scores),
        "score_total": sum(scores),
        "average_score": mean and round(mean + Decimal("1e-9"), 4),
        "at_risk": len(low),
        "at_risk_mrr": sum(customer.mrr or 0 for customer in low),
        "signals": {"logins": [len(logins), sum(logins)]} if logins else {},
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


def is_here(counted: Counted) -> bool:
    return counted[0].lifecycle != "churned"


@given(COUNTED)
def test_each_part_counts_its_own_and_who_churned_counts_in_the_stage_alone(
    counted: Sequence[Counted],
) -> None:
    found = shown(counted)
    here = list(filter(is_here, counted))
    assert found.pop("") == figures(here)
    assert set(found) == set(names((a_customer(), None, "", "")))
    for part, groups in found.items():
        meant = counted if part == "lifecycle" else here
        wanted = {name for each in meant for name in names(each)[part]}
        assert list(groups) == sorted(wanted)
        for name, group in groups.items():
            assert group == figures([each for each in meant if name in names(each)[part]])


@given(COUNTED)
def test_the_order_does_not_matter(counted: Sequence[Counted]) -> None:
    assert list(shown(counted).items()) == list(shown(counted[::-1]).items())


@given(COUNTED)
def test_figures_are_read_back_as_they_were_shown(counted: Sequence[Counted]) -> None:
    for group in shown(counted)["tier"].values():
        assert Figures.of(group).shown() == group


def test_everybody_who_is_here_has_a_score_in_it_or_none() -> None:
    snapshot = Snapshot()
    snapshot.add(a_customer(id="A"), 40, "at_risk", "steady")
    snapshot.add(a_customer(id="B"), None, "unscored", "unknown")
    snapshot.add(a_customer(id="C", lifecycle="churned"), 10, "critical", "steady")
    assert snapshot.scores == {"A": 40, "B": None}


def test_a_part_shows_its_largest_names_alone() -> None:
    snapshot = Snapshot()
    for number in range(MOST_NAMES + 1):
        for _ in range(1 if number == 7 else 2):
            snapshot.add(a_customer(manager=f"M{number:03}"), 40, "at_risk", "steady")
    managers = snapshot.shown()["manager"]
    assert len(managers) == MOST_NAMES
    assert "M007" not in managers
