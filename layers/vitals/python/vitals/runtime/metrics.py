"""Metrics inside log lines, in CloudWatch's embedded metric format (docs/decisions/0010)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

NAMESPACE = "Vitals"


def measured(
    at_ms: int, dimensions: Sequence[Sequence[str]], units: Mapping[str, str]
) -> dict[str, Any]:
    """Return what makes a log line's own members metrics: *units* by member, by *dimensions*.

    CloudWatch's specification of the embedded metric format; the members themselves stay where
    they are in the line.
    """
    return {
        "_aws": {
            "Timestamp": at_ms,
            "CloudWatchMetrics": [
                {
                    "Namespace": NAMESPACE,
                    "Dimensions": [list(each) for each in dimensions],
                    "Metrics": [{"Name": name, "Unit": unit} for name, unit in units.items()],
                }
            ],
        }
    }
