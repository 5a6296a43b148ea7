"""The scoring model as data: signals, weights, bands and settings, immutable by version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

from vitals.domain.curves import Choice, Curve, HalfLife, Linear, Power, Step
from vitals.domain.numbers import Number, parse_number

CONTACT = "days"
"""The signal that is not stored: days since last_contact_on (AMB-03)."""

WEIGHT_UNIT = 10_000
"""Weights are held as whole numbers of 1/10,000."""

BANDS = ("critical", "at_risk", "watch", "healthy", "expansion")
UNSCORED = "unscored"
STATUSES = (*BANDS, UNSCORED)
TIERS = ("enterprise", "mid", "smb")
LIFECYCLES = ("onboarding", "active", "atrisk", "won", "churned")


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal of a model.

    *minimum* and *maximum* bound what is accepted (None: unbounded), *resolution* is the smallest
    change of the value that means something, *missing* overrides the model's missing policy.
    """

    name: str
    curve: Curve
    weight: int
    dimension: str
    minimum: Number | None = None
    maximum: Number | None = None
    resolution: Fraction = Fraction(1)
    missing: MissingPolicy | None = None
    aliases: tuple[str, ...] = ()

    @property
    def options(self) -> tuple[str, ...] | None:
        """Return the words that the signal takes, or None if it takes numbers."""
        return tuple(self.curve.options) if isinstance(self.curve, Choice) else None


@dataclass(frozen=True, slots=True)
class MissingPolicy:
    """What stands for a signal without a value (AMB-01): nothing, or some points."""

    points: Number | None = None

    @property
    def kind(self) -> str:
        """Return exclude, zero or neutral."""
        if self.points is None:
            return "exclude"
        return "neutral" if self.points else "zero"


EXCLUDE = MissingPolicy()


@dataclass(frozen=True, slots=True)
class Cadence:
    """Days without contact after which a follow-up is due, and overdue (IQ-100)."""

    due: int
    overdue: int


@dataclass(frozen=True)
class ScoringModel:
    """One immutable version of a tenant's model."""

    version: int
    signals: tuple[Signal, ...]
    bands: tuple[tuple[str, int], ...]
    missing: MissingPolicy
    min_coverage: Fraction
    low_confidence_below: Fraction
    auto_lifecycle: bool
    cadence: Mapping[str, Cadence]
    renewal_windows: tuple[tuple[int, Number], ...]
    renewal_factor_beyond: Number
    profiles: Mapping[str, Mapping[str, int]]

    @cached_property
    def by_name(self) -> Mapping[str, Signal]:
        """Return the signals by name."""
        return {signal.name: signal for signal in self.signals}

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Return each accepted spelling of a signal, and the signal's name."""
        spellings = {alias: signal.name for signal in self.signals for alias in signal.aliases}
        return spellings | {signal.name: signal.name for signal in self.signals}

    def weights(self, profile: str | None) -> tuple[tuple[Signal, int], ...]:
        """Return the signals that weigh something, with their weights, under *profile* (IQ-086).

        A profile that the model does not have weighs as the model does.
        """
        return self._weights.get(profile, self._weights[None])

    @cached_property
    def _weights(self) -> Mapping[str | None, tuple[tuple[Signal, int], ...]]:
        own = tuple((signal, signal.weight) for signal in self.signals if signal.weight)
        presets: dict[str | None, tuple[tuple[Signal, int], ...]] = {
            name: tuple((s, weights[s.name]) for s in self.signals if weights.get(s.name))
            for name, weights in self.profiles.items()
        }
        return presets | {None: own}

    def band(self, score: int) -> str:
        """Return the band of a published score: each bound is its band's lowest score (AMB-07)."""
        found = self.bands[0][0]
        for name, lowest in self.bands:
            if score < lowest:
                break
            found = name
        return found

    def cadence_of(self, tier: str | None) -> Cadence:
        """Return the contact cadence of *tier*; a customer without one goes by `mid`."""
        return self.cadence.get(tier or "mid", self.cadence["mid"])


DEFAULT_MODEL: Mapping[str, Any] = {
    "signals": {
        "logins": {
            "weight": 25,
            "dimension": "usage",
            "curve": {"type": "linear", "zero": 0, "full": 30},
            "minimum": 0,
            "aliases": ["logins_30d", "login_frequency"],
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
    "profiles": {},
}
"""Version 1 of every tenant's model: the documented weights, curves and bands, and AMB-46."""


def model_from_document(version: int, document: Mapping[str, Any]) -> ScoringModel:
    """Return the model that *document* describes.

    Raises KeyError, TypeError or ValueError for a document that describes none: whoever saves one
    checks it first.
    """
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
