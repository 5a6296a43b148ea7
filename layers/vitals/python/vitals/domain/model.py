"""The scoring model as data: signals, weights, bands and settings, immutable by version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from vitals.domain.computed import Computed
from vitals.domain.curves import Choice, Curve, Value
from vitals.domain.numbers import Number

CONTACT = "days"
"""The signal that is not stored: days since last_contact_on (AMB-03)."""

WEIGHT_UNIT = 10_000
"""Weights are held as whole numbers of 1/10,000."""

BANDS = ("critical", "at_risk", "watch", "healthy", "expansion")
AT_RISK_BANDS = ("critical", "at_risk")
"""The bands of a customer at risk, the worse first."""
UNSCORED = "unscored"
STATUSES = (*BANDS, UNSCORED)
TIERS = ("enterprise", "mid", "smb")
LIFECYCLES = ("onboarding", "trial", "active", "atrisk", "paused", "won", "churned")
CHURNED = "churned"
"""The stage of those who left."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal of a model.

    *minimum* and *maximum* bound what is accepted (None: unbounded), *resolution* is the smallest
    change of the value that means something, *missing* overrides the model's missing policy.
    *computed* says how product events give its value; *owner* names the only key that may push it,
    or is `events`, where only computing may (AMB-60).
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
    computed: Computed | None = None
    owner: str | None = None

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


@dataclass(frozen=True, slots=True)
class ProfileRule:
    """Which customers a profile is for: every set that names something must hold theirs.

    Tags are case-folded; one of them is enough.
    """

    profile: str
    tiers: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    lifecycles: frozenset[str] = frozenset()

    def holds(self, tier: str | None, tags: Iterable[str], lifecycle: str) -> bool:
        """Tell whether the rule's profile is for a customer like that."""
        return (
            (not self.tiers or tier in self.tiers)
            and (not self.lifecycles or lifecycle in self.lifecycles)
            and (not self.tags or not self.tags.isdisjoint(tag.casefold() for tag in tags))
        )


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
    profile_rules: tuple[ProfileRule, ...] = ()
    expansion_percent: Number = 20
    quiet_after: int = 30
    momentum_points: Number = 5
    momentum_days: int = 7
    time_zone: str = "UTC"
    event_days: int = 90

    @cached_property
    def by_name(self) -> Mapping[str, Signal]:
        """Return the signals by name."""
        return {signal.name: signal for signal in self.signals}

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Return each accepted spelling of a signal, and the signal's name."""
        spellings = {alias: signal.name for signal in self.signals for alias in signal.aliases}
        return spellings | {signal.name: signal.name for signal in self.signals}

    @cached_property
    def computed(self) -> tuple[Signal, ...]:
        """Return the signals that product events give a value."""
        return tuple(signal for signal in self.signals if signal.computed is not None)

    def properties_of(self, event: str) -> set[str]:
        """Return the properties of an *event*'s that some definition looks at."""
        return {
            each.property_name
            for each in self._of_properties
            if each.property_name is not None and each.counts(event)
        }

    @cached_property
    def _of_properties(self) -> tuple[Computed, ...]:
        found = (signal.computed for signal in self.signals)
        return tuple(each for each in found if each is not None and each.property_name is not None)

    def profile_for(
        self, own: str | None, tier: str | None, tags: Iterable[str], lifecycle: str
    ) -> str | None:
        """Return the profile of a customer: its *own*, else the first rule's that holds (IQ-086).

        None: the model's own weights.
        """
        if own in self.profiles:
            return own
        for rule in self.profile_rules:
            if rule.holds(tier, tags, lifecycle):
                return rule.profile
        return None

    def taken(self, values: Mapping[str, Value]) -> Mapping[str, Value]:
        """Return those of *values* that this version's curves can take.

        A version may turn words into numbers, or drop a word, that customers still hold.
        """
        words = self._words
        strange = [
            name
            for name, value in values.items()
            if (value.__class__ is str) != (name in words)
            or (name in words and value not in words[name])
        ]
        if not strange:
            return values
        return {name: value for name, value in values.items() if name not in strange}

    @cached_property
    def _words(self) -> Mapping[str, Mapping[str, Number]]:
        return {
            signal.name: signal.curve.options
            for signal in self.signals
            if isinstance(signal.curve, Choice)
        }

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

    def scores_like(self, other: ScoringModel) -> bool:
        """Tell whether both versions give whatever customer the same score and band."""
        return self._scoring == other._scoring

    @cached_property
    def _scoring(self) -> tuple[object, ...]:
        return (
            {each.name: (each.curve, each.weight, each.missing) for each in self.signals},
            self.bands,
            self.missing,
            self.min_coverage,
            self.profiles,
            self.profile_rules,
        )

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
