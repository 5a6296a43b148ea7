"""A model's document: the default one, and how a document becomes a model."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from vitals.domain.computed import DEFAULTS, computed_of
from vitals.domain.curves import Choice, Curve, HalfLife, Linear, Power, Step
from vitals.domain.model import (
    BANDS,
    EXCLUDE,
    WEIGHT_UNIT,
    Cadence,
    MissingPolicy,
    ProfileRule,
    ScoringModel,
    Signal,
)
from vitals.domain.numbers import Number, parse_number

DEFAULT_MODEL: Mapping[str, Any] = {
    "signals": {
        "logins": {
            "weight": 25,
            "dimension": "usage",
            "curve": {"type": "linear", "zero": 0, "full": 30},
            "minimum": 0,
            "aliases": ["logins_30d", "login_frequency"],
            "computed": DEFAULTS["logins"].document,
        },
        "adoption": {
            "weight": 25,
            "dimension": "usage",
            "curve": {"type": "linear", "zero": 0, "full": 100},
            "minimum": 0,
            "maximum": 100,
            "aliases": ["feature_adoption_pct"],
        },
        "tickets": {
            "weight": 20,
            "dimension": "support",
            "curve": {"type": "linear", "zero": 5, "full": 0},
            "minimum": 0,
            "aliases": ["open_tickets"],
        },
        "nps": {
            "weight": 15,
            "dimension": "sentiment",
            "curve": {"type": "step", "steps": [[0, 0], [7, 50], [9, 100]]},
            "minimum": 0,
            "maximum": 10,
        },
        "csat": {
            "weight": 0,
            "dimension": "sentiment",
            "curve": {"type": "linear", "zero": 1, "full": 5},
            "minimum": 1,
            "maximum": 5,
            "resolution": 0.1,
        },
        "days": {
            "weight": 10,
            "dimension": "engagement",
            "curve": {"type": "linear", "zero": 180, "full": 0},
            "minimum": 0,
            "aliases": ["days_since_contact"],
        },
        "growth": {
            "weight": 5,
            "dimension": "growth",
            "curve": {"type": "choice", "options": {"none": 20, "mild": 50, "strong": 100}},
            "aliases": ["growth_signal"],
        },
    },
    "bands": {"critical": 0, "at_risk": 25, "watch": 50, "healthy": 65, "expansion": 80},
    "missing_policy": "exclude",
    "min_coverage": 0,
    "low_confidence_below": 0.5,
    "auto_lifecycle": True,
    "cadence": {
        "enterprise": {"due": 14, "overdue": 21},
        "mid": {"due": 30, "overdue": 45},
        "smb": {"due": 60, "overdue": 90},
    },
    "renewal_windows": {"critical": 30, "warning": 60, "upcoming": 90},
    "renewal_factors": {"critical": 1, "warning": 0.7, "upcoming": 0.4, "beyond": 0.2},
    "quiet_after": 30,
    "momentum": {"points": 5, "days": 7},
    "expansion": {"method": "mrr_percent", "percent": 20},
    "time_zone": "UTC",
    "event_days": 90,
    "profiles": {},
    "profile_rules": [],
}
"""Version 1 of every tenant's model: the documented weights, curves and bands, and AMB-46."""


def model_from_document(version: int, document: Mapping[str, Any]) -> ScoringModel:
    """Return the model that *document* describes.

    Raises KeyError, TypeError or ValueError for a document that describes none: whoever saves one
    checks it first.
    """
    # What a version saved before a setting existed does not say, the default says.
    document = {**DEFAULT_MODEL, **document}
    windows = document["renewal_windows"]
    factors = document["renewal_factors"]
    return ScoringModel(
        version=version,
        signals=tuple(_signal(name, given) for name, given in document["signals"].items()),
        bands=tuple((band, int(document["bands"][band])) for band in BANDS),
        missing=_missing(document["missing_policy"]),
        min_coverage=Fraction(parse_number(document["min_coverage"])),
        low_confidence_below=Fraction(parse_number(document["low_confidence_below"])),
        auto_lifecycle=bool(document["auto_lifecycle"]),
        cadence={tier: Cadence(**given) for tier, given in document["cadence"].items()},
        renewal_windows=tuple(
            (int(windows[window]), parse_number(factors[window]))
            for window in ("critical", "warning", "upcoming")
        ),
        renewal_factor_beyond=parse_number(factors["beyond"]),
        profiles={
            name: {signal: weight_units(weight) for signal, weight in weights.items()}
            for name, weights in document["profiles"].items()
        },
        profile_rules=tuple(_rule(given) for given in document["profile_rules"]),
        expansion_percent=parse_number(document["expansion"]["percent"]),
        quiet_after=int(document["quiet_after"]),
        momentum_points=parse_number(document["momentum"]["points"]),
        momentum_days=int(document["momentum"]["days"]),
        time_zone=document["time_zone"],
        event_days=int(document["event_days"]),
    )


def weight_units(weight: Any) -> int:
    """Return *weight* (percent, up to four decimals) as a whole number of 1/10,000."""
    return int((Decimal(parse_number(weight)) * WEIGHT_UNIT).to_integral_exact())


def _signal(name: str, given: Mapping[str, Any]) -> Signal:
    return Signal(
        name=name,
        curve=_curve(given["curve"]),
        weight=weight_units(given["weight"]),
        dimension=str(given.get("dimension", "other")),
        minimum=_optional(given.get("minimum")),
        maximum=_optional(given.get("maximum")),
        resolution=Fraction(parse_number(given.get("resolution", 1))),
        missing=_missing(given["missing_policy"]) if "missing_policy" in given else None,
        aliases=tuple(given.get("aliases", ())),
        computed=computed_of(name, given.get("computed")),
        owner=given.get("owner"),
    )


def _rule(given: Mapping[str, Any]) -> ProfileRule:
    return ProfileRule(
        profile=given["profile"],
        tiers=frozenset(given.get("tiers", ())),
        tags=frozenset(tag.casefold() for tag in given.get("tags", ())),
        lifecycles=frozenset(given.get("lifecycles", ())),
    )


def _curve(given: Mapping[str, Any]) -> Curve:
    match given["type"]:
        case "linear":
            return Linear(parse_number(given["zero"]), parse_number(given["full"]))
        case "step":
            steps = ((parse_number(at), parse_number(points)) for at, points in given["steps"])
            return Step(tuple(steps))
        case "half_life":
            return HalfLife(parse_number(given["half_life"]))
        case "power":
            return Power(parse_number(given["zero"]), parse_number(given["delta"]))
        case "choice":
            options = given["options"].items()
            return Choice({word: parse_number(points) for word, points in options})
        case unknown:
            raise ValueError(f"no curve is of type {unknown!r}")


def _missing(given: str | Mapping[str, Any]) -> MissingPolicy:
    if given == "exclude":
        return EXCLUDE
    if given == "zero":
        return MissingPolicy(0)
    if isinstance(given, Mapping):
        return MissingPolicy(parse_number(given["neutral"]))
    raise ValueError(f"{given!r} is no missing policy: exclude, zero or {{'neutral': points}}")


def _optional(number: Any) -> Number | None:
    return None if number is None else parse_number(number)
