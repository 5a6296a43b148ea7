"""What moved a score between two instants, in parts that sum to it exactly (PLUS-02)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from vitals.domain.change import Change
from vitals.domain.curves import Value
from vitals.domain.customer import Customer
from vitals.domain.instants import local_day, zone
from vitals.domain.model import CONTACT, ScoringModel
from vitals.domain.numbers import PUBLISHED, Number, in_units, published
from vitals.domain.replay import undone
from vitals.domain.scoring import contributions, score

SIGNAL: Final = "signal"
COVERAGE: Final = "coverage"
DECAY: Final = "decay"
PROFILE: Final = "profile"
MODEL: Final = "model"
OVERRIDE: Final = "override"
FIRST_SCORE: Final = "first_score"
KINDS: Final = (FIRST_SCORE, SIGNAL, COVERAGE, DECAY, PROFILE, MODEL, OVERRIDE)
TIME: Final = "time"
"""The cause of what no change has published yet: a day that turned, an override that ended."""

ModelOf = Callable[[int], ScoringModel]
_Key = tuple[str, str | None]
"""The kind of a part, and its signal."""


@dataclass(frozen=True, slots=True)
class Stand:
    """A customer's score as a read at *at* shows it; *exact* is to four decimals, None unscored."""

    at: datetime
    score: int | None
    exact: Number | None
    model_version: int | None


@dataclass(frozen=True, slots=True)
class Part:
    """What one thing added to the score or took from it; *before* and *after* are its values."""

    kind: str
    change: Number
    signal: str | None = None
    dimension: str | None = None
    before: Value | None = None
    after: Value | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """By how much the score moved from what was last published to what *change* published.

    None stands for what moved it after the last change.
    """

    change: Change | None
    moved: Number


@dataclass(frozen=True, slots=True)
class Explanation:
    """How the score of *start* became that of *end*: both the parts and the causes sum to *change*.

    *change* is the difference of the exact scores; a missing score counts 0 in it.
    """

    start: Stand
    end: Stand
    change: Number
    parts: tuple[Part, ...]
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class _Read:
    """One reading of a score in 1/10,000: its signals' parts, and what an override adds."""

    parts: Mapping[str, int]
    override: int
    scored: bool

    @property
    def total(self) -> int:
        return sum(self.parts.values()) + self.override


_NOTHING: Final = _Read({}, 0, scored=False)


def explanation(
    customer: Customer,
    history: Sequence[Change],
    start: datetime,
    end: datetime,
    model_of: ModelOf,
) -> Explanation:
    """Return what moved the score of *customer*, as it is stored, from *start* to *end*.

    *history* are its changes, newest first, at least all after *start*. The customer of each
    instant is what undoing the changes after it leaves, read under the model stored on it.
    """
    steps: list[tuple[Customer | None, Customer, Change]] = []
    standing: Customer | None = customer
    last: Customer | None = customer
    for change in history:
        if change.at <= start or standing is None:
            break
        before = undone(standing, change)
        if change.at <= end:
            steps.append((before, standing, change))
        else:
            last = before
        standing = before
    moved = _Moved(model_of, standing, start)
    for before, after, change in reversed(steps):
        moved.change(before, after, change)
    return moved.explained(standing, start, last, end)


class _Moved:
    """What moved a score so far, step by step: time between changes, and changes."""

    def __init__(self, model_of: ModelOf, customer: Customer | None, at: datetime) -> None:
        self._model_of = model_of
        self._units: defaultdict[_Key, int] = defaultdict(int)
        self._causes: list[Cause] = []
        # As last looked at; `_told` is what the causes so far have led to.
        self._read = self._at(customer, at)
        self._told = self._read
        self._begun = self._read.scored

    def change(self, before: Customer | None, after: Customer, change: Change) -> None:
        """Take in the time up to *change*, and what it made of *before*."""
        self._time(before, change.at)
        found = self._at(after, change.at)
        if self._begun and before is not None:
            self._written(before, after, change.at)
        elif found.scored:
            self._units[FIRST_SCORE, None] += found.total
            self._begun = True
        published_anew = (change.score_before, change.status_before) != (
            change.score_after,
            change.status_after,
        )
        if published_anew or found.total != self._told.total:
            self._causes.append(Cause(change, published(found.total - self._told.total)))
        self._read = self._told = found

    def explained(
        self, first: Customer | None, start: datetime, last: Customer | None, end: datetime
    ) -> Explanation:
        """Return it all, once the time up to *end* is taken in."""
        self._time(last, end)
        if self._read.total != self._told.total:
            self._causes.append(Cause(None, published(self._read.total - self._told.total)))
        began = self._stand(first, start)
        ended = self._stand(last, end)
        total = in_units(ended.exact or 0) - in_units(began.exact or 0)
        return Explanation(
            began,
            ended,
            published(total),
            tuple(self._parts((first, start), (last, end))),
            tuple(self._causes),
        )

    def _time(self, customer: Customer | None, until: datetime) -> None:
        """Let time alone pass: whatever it moves of the signals is decay."""
        found = self._at(customer, until)
        if self._begun:
            signals = sum(found.parts.values()) - sum(self._read.parts.values())
            self._units[DECAY, CONTACT] += signals
            self._units[OVERRIDE, None] += found.override - self._read.override
        self._read = found

    def _written(self, before: Customer, after: Customer, at: datetime) -> None:
        """Take in a change of facts: first the model, then the profile, then the signals."""
        old, new = self._model_of(before.model_version), self._model_of(after.model_version)
        today = local_day(at, zone(new.time_zone))
        values, profile = before.taken(new, today), before.profile(new)
        came, into = after.taken(new, today), after.profile(new)
        then = self._at(before, at)
        under_new = then.parts if old is new else _parts_of(new, profile, values)
        in_profile = under_new if profile == into else _parts_of(new, into, values)
        now = self._at(after, at)
        self._units[MODEL, None] += sum(under_new.values()) - sum(then.parts.values())
        self._units[PROFILE, None] += sum(in_profile.values()) - sum(under_new.values())
        for key, units in _signals(new, into, (values, in_profile), (came, now.parts)).items():
            self._units[key] += units
        self._units[OVERRIDE, None] += now.override - then.override

    def _parts(
        self, start: tuple[Customer | None, datetime], end: tuple[Customer | None, datetime]
    ) -> list[Part]:
        """Return what is not nothing, by kind, and within it the largest first."""
        then, now = self._values(*start), self._values(*end)
        newest = end[0] or start[0]
        model = self._model_of(newest.model_version) if newest else None
        found = [
            Part(
                kind=kind,
                change=published(units),
                signal=signal,
                dimension=_dimension(model, signal),
                before=then.get(signal) if signal else None,
                after=now.get(signal) if signal else None,
            )
            for (kind, signal), units in self._units.items()
            if units
        ]
        found.sort(key=_order)
        return found

    def _values(self, customer: Customer | None, at: datetime) -> Mapping[str, Value]:
        if customer is None:
            return {}
        return customer.values(
            local_day(at, zone(self._model_of(customer.model_version).time_zone))
        )

    def _stand(self, customer: Customer | None, at: datetime) -> Stand:
        if customer is None:
            return Stand(at, None, None, None)
        model = self._model_of(customer.model_version)
        shown, _ = customer.published_at(model, at, zone(model.time_zone))
        read = self._at(customer, at)
        exact = published(read.total) if read.scored else None
        return Stand(at, shown, exact, model.version)

    def _at(self, customer: Customer | None, at: datetime) -> _Read:
        """Return the score of *customer* as read at *at*; nothing before there was one."""
        if customer is None:
            return _NOTHING
        model = self._model_of(customer.model_version)
        values = customer.taken(model, local_day(at, zone(model.time_zone)))
        parts = _parts_of(model, customer.profile(model), values)
        override = customer.active_override(at)
        if override is None:
            return _Read(parts, 0, bool(parts))
        return _Read(parts, override.value * PUBLISHED - sum(parts.values()), scored=True)


def _parts_of(
    model: ScoringModel, profile: str | None, values: Mapping[str, Value]
) -> dict[str, int]:
    scored = score(model, profile, values)
    parts = contributions(model, profile, values, scored)
    return {part.signal: in_units(part.contribution) for part in parts}


def _signals(
    model: ScoringModel,
    profile: str | None,
    before: tuple[Mapping[str, Value], Mapping[str, int]],
    after: tuple[Mapping[str, Value], Mapping[str, int]],
) -> dict[_Key, int]:
    """Return what other values, (values, parts) each, made of a score under one set of weights.

    A signal whose value moved has the difference of its contributions, absent counting 0. What
    became of the others is coverage where other signals count than before, named by the signal
    that came or went if it was one alone; else it is what the cutting to four decimals left, and
    goes with the signal that moved most.
    """
    (old, then), (new, now) = before, after
    differences = {name: now.get(name, 0) - then.get(name, 0) for name in {**then, **now}}
    moved = [
        signal.name
        for signal, _ in model.weights(profile)
        if signal.name in differences and old.get(signal.name) != new.get(signal.name)
    ]
    found: dict[_Key, int] = {(SIGNAL, name): differences[name] for name in moved}
    rest = sum(units for name, units in differences.items() if name not in moved)
    came_or_went = then.keys() ^ now.keys()
    if came_or_went or not moved:
        found[COVERAGE, min(came_or_went) if len(came_or_went) == 1 else None] = rest
    else:
        found[SIGNAL, max(moved, key=lambda name: abs(differences[name]))] += rest
    return found


def _order(part: Part) -> tuple[int, int, str]:
    return KINDS.index(part.kind), -abs(in_units(part.change)), part.signal or ""


def _dimension(model: ScoringModel | None, signal: str | None) -> str | None:
    known = model.by_name.get(signal) if model and signal else None
    return known.dimension if known else None
