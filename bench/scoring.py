"""Line 4: exact scoring, over a loop that only reads the attributes that it reads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from functools import partial

from bench.portfolio import NOW, customer
from bench.report import Line
from bench.timing import compared

from vitals.domain.customer import Customer
from vitals.domain.model import ScoringModel
from vitals.domain.model_document import DEFAULT_MODEL, model_from_document

CURVED = {
    **DEFAULT_MODEL,
    "signals": {
        **DEFAULT_MODEL["signals"],
        "days": {
            **DEFAULT_MODEL["signals"]["days"],
            "curve": {"type": "half_life", "half_life": 30},
        },
    },
}
"""The default model with a contact curve whose points are irrational."""


def scored(customers: Sequence[Customer], model: ScoringModel) -> None:
    """Publish every customer's score."""
    for each in customers:
        each.published_at(model, NOW, UTC)


def read(customers: Sequence[Customer], model: ScoringModel) -> None:
    """Read what scoring reads, and no more."""
    names = [signal.name for signal in model.signals]
    for each in customers:
        each.override  # noqa: B018 - that is all
        each.last_contact_on  # noqa: B018 - as above
        each.scoring_profile, each.tier, each.tags, each.lifecycle  # noqa: B018
        signals = each.signals
        for name in names:
            signals.get(name)


def line(count: int = 10_000, runs: int = 7) -> list[Line]:
    """Return what scoring costs under the default model, and with an irrational curve."""
    customers = [customer(number) for number in range(count)]
    found = []
    for title, document in (("the default model", DEFAULT_MODEL), ("a half-life curve", CURVED)):
        model = model_from_document(1, document)
        comparison = compared(
            partial(scored, customers, model), partial(read, customers, model), runs
        )
        ours, floor = comparison.per(count)
        found.append(
            Line(
                what=f"4. Scoring by {title}",
                measured=f"{1 / ours:,.0f} customers/s ({ours * 1e6:.1f} µs)",
                floor=f"{floor * 1e6:.2f} µs: the attributes read",
                ratio=comparison.ratio,
            )
        )
    return found
