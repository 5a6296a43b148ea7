"""Examples that hang together: a customer, its score, and what moved it, as they were answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contract.shape import ULID_EXAMPLE

_TENANT, _KEY = "01KJQ8ZJ9W0000000000000000", "01KJQ8ZJ9W3B0C6V4S7T2R5XYA"
_AT = "2026-11-20T14:23:00.000Z"
_SUMMARY: Mapping[str, Any] = {
    "id": ULID_EXAMPLE, "tenant_id": _TENANT, "external_id": "crm-4711", "name": "Acme Corp",
    "email_domain": "acme.example", "status": "active", "owner_id": "maria@vitals.example",
    "owner_email": "maria@vitals.example", "lifecycle": "active", "tags": ["fintech", "emea"],
    "tier": "mid", "arr": 50000, "mrr": 4166.67, "renewal_date": "2027-06-15",
    "days_until_renewal": 207, "renewal_overdue": False, "next_touch": None,
    "sentiment": "positive", "customer_since": "2024-02-01", "last_contact_date": "2026-11-09",
    "health_score": 82, "health_status": "healthy", "band": "expansion",
    "signals": {"logins": 22, "adoption": 75, "tickets": 1, "nps": 9, "csat": None, "days": 11,
                "growth": None},
    "score_exact": 81.5497, "coverage": 0.95, "low_confidence": False, "priority_score": 0.036,
    "model_version": 1, "created_at": _AT, "updated_at": _AT, "version": 1, "deleted_at": None,
}  # fmt: skip


def _signal(name: str, dimension: str, *figures: float) -> dict[str, Any]:
    named = zip(("value", "points", "weight", "contribution"), figures, strict=True)
    about = {"dimension": dimension, "received_at": _AT, "source": "CRM sync"}
    return {"signal": name, **dict(named), **about}


def _dimension(figures: tuple[float | None, ...], *signals: str) -> dict[str, Any]:
    names = ("value", "weight", "contribution", "model_weight", "coverage")
    return {**dict(zip(names, figures, strict=True)), "signals": list(signals)}


SAMPLES: Mapping[str, Any] = {
    "CustomerSummary": dict(_SUMMARY),
    "Customer": {
        **_SUMMARY, "note": "Renewal call on Monday", "custom_fields": {"industry": "Fintech"},
    },
    "Health": {
        "customer_id": ULID_EXAMPLE, "tenant_id": _TENANT, "score": 82, "status": "healthy",
        "band": "expansion", "score_exact": 81.5497,
        "dimensions": {
            "usage": _dimension((74.1667, 0.5263, 39.0351, 0.5, 1), "logins", "adoption"),
            "support": _dimension((80, 0.2105, 16.8421, 0.2, 1), "tickets"),
            "sentiment": _dimension((100, 0.1579, 15.7895, 0.15, 1), "nps", "csat"),
            "engagement": _dimension((93.8889, 0.1053, 9.883, 0.1, 1), "days"),
            "growth": _dimension((None, 0, 0, 0.05, 0), "growth"),
        },
        "signals": [
            _signal("logins", "usage", 22, 73.3333, 25, 19.2983),
            _signal("adoption", "usage", 75, 75, 25, 19.7368),
            _signal("tickets", "support", 1, 80, 20, 16.8421),
            _signal("nps", "sentiment", 9, 100, 15, 15.7895),
            _signal("days", "engagement", 11, 93.8889, 10, 9.883),
        ],
        "missing": [
            {"signal": "growth", "reason": "never_supplied_or_cleared", "policy": "exclude"}
        ],
        "adjustments": [], "override": None, "coverage": 0.95, "low_confidence": False,
        "risk": {
            "risk_index": 18, "calibrated": False, "churn_probability": None,
            "reasons": [
                {"signal": "logins", "lost": 7.0175}, {"signal": "adoption", "lost": 6.5789},
                {"signal": "tickets", "lost": 4.2105},
            ],
        },
        "trend": {"change_7d": None, "change_30d": None, "direction": "unknown"},
        "next_band_change_at": "2026-12-26T00:00:00.000Z", "next_band_change_to": "healthy",
        "path_to_next_band": None, "model_version": 1, "model_current": True,
        "score_changed_at": _AT, "updated_at": _AT, "evaluated_at": _AT,
    },
    "ScoreExplanation": {
        "customer_id": ULID_EXAMPLE,
        "from": {"at": _AT, "score": 82, "status": "healthy", "score_exact": 81.5497,
                 "model_version": 1},
        "to": {"at": "2026-11-20T18:00:00.000Z", "score": 65, "status": "healthy",
               "score_exact": 64.883, "model_version": 1},
        "change": -16.6667,
        "parts": [
            {"kind": "signal", "change": -8.7719, "signal": "logins", "dimension": "usage",
             "before": 22, "after": 12},
            {"kind": "signal", "change": -7.8948, "signal": "nps", "dimension": "sentiment",
             "before": 9, "after": 7},
        ],
        "causes": [
            {"change_id": "01KJQ8ZJ9W3B0C6V4S7T2R5XYD", "at": "2026-11-20T16:10:00.000Z",
             "cause": "api", "action": "upsert_account", "by": _KEY, "score_before": 82,
             "score_after": 65, "change": -16.6667},
        ],
        "causes_omitted": 0,
    },
    "EventsAccepted": {
        "accepted": 1, "rejected": 1, "duplicates": 0,
        "errors": [
            {"index": 1, "code": "customer_not_found", "field": "customer_id",
             "message": "no such customer: create it first, or restore it"},
        ],
        "customers": [{"id": ULID_EXAMPLE, "score": 82, "band": "expansion", "unchanged": True}],
        "warnings": [],
    },
}  # fmt: skip
"""By the name of their shape."""
