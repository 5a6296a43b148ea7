"""Metrics inside log lines, in CloudWatch's embedded metric format (docs/decisions/0010)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

NAMESPACE = "Vitals"

Metrics = Mapping[tuple[str, ...], Mapping[str, str]]
"""Which members of a line are metrics: the unit of each, by the members that are dimensions."""

_OF_ACTION = {"requests": "Count", "errors": "Count", "duration_ms": "Milliseconds"}
_OF_KIND = {"jobs": "Count", "jobs_failed": "Count", "job_ms": "Milliseconds"}

REQUEST: Metrics = {
    ("service",): {**_OF_ACTION, "throttles": "Count", "busy": "Count", "cold_starts": "Count"},
    # A metric costs for every action it is kept of: what says nothing by action is not.
    ("service", "action"): _OF_ACTION,
}
DELIVERY: Metrics = {
    ("service",): {
        "deliveries": "Count",
        "deliveries_failed": "Count",
        "delivery_ms": "Milliseconds",
    }
}
JOB: Metrics = {("service",): _OF_KIND, ("service", "kind"): _OF_KIND}


def measured(at: datetime, metrics: Metrics) -> dict[str, Any]:
    """Return the member of a log line that makes *metrics* of its other members, as of *at*.

    They are at the line's root, numbers the metrics and strings the dimensions, as CloudWatch's
    specification has it; the logger itself adds `service`.
    """
    return {
        "_aws": {
            "Timestamp": int(at.timestamp() * 1000),
            "CloudWatchMetrics": [
                {
                    "Namespace": NAMESPACE,
                    "Dimensions": [list(dimensions)],
                    "Metrics": [{"Name": name, "Unit": unit} for name, unit in units.items()],
                }
                for dimensions, units in metrics.items()
            ],
        }
    }
