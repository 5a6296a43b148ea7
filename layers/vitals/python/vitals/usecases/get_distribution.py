"""get_distribution: how the customers spread over the bands as of now (IQ-091)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from vitals.domain.instants import iso
from vitals.domain.model import STATUSES
from vitals.domain.numbers import Number, published_ratio
from vitals.usecases.context import Answer, Context
from vitals.usecases.inputs import Input, read


def get_distribution(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return how many customers each band has, their MRR, and the mean of the scores.

    One read of the roster; customers in the trash are left out.
    """
    _, warnings, _ = read(Input, given)
    counts: Counter[str] = Counter()
    revenue: dict[str, Number] = dict.fromkeys(STATUSES, 0)
    total = scored = 0
    for customer in context.customers.roster(context.tenant):
        if customer.deleted_at is not None:
            continue
        score, status = context.published(customer)
        counts[status] += 1
        revenue[status] += customer.mrr or 0
        if score is not None:
            total, scored = total + score, scored + 1
    return {
        "action": "get_distribution",
        "data": {
            "as_of": iso(context.now),
            "customers": counts.total(),
            "average_score": published_ratio(total, scored) if scored else None,
            "bands": {
                status: {"customers": counts[status], "mrr": revenue[status]} for status in STATUSES
            },
        },
        "warnings": warnings,
    }
