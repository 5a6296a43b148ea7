"""What comes next for a score: when time alone changes its band, and what would lift it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from vitals.domain.curves import Value
from vitals.domain.model import CONTACT, ScoringModel
from vitals.domain.numbers import Number, published_ratio
from vitals.domain.scoring import Score, score


@dataclass(frozen=True, slots=True)
class Lift:
    """The smallest change of one signal that lifts the band, and its effort.

    Effort is the change in the signal's own points, from 0 to 100: a measure that logins, tickets
    and words share.
    """

    signal: str
    value: Value
    to: Value
    effort: Number


@dataclass(frozen=True, slots=True)
class Path:
    """The next band up, the published score that it takes, and the ways there, cheapest first."""

    band: str
    score: int
    lifts: tuple[Lift, ...]


def days_until_band_change(
    model: ScoringModel, profile: str | None, values: Mapping[str, Value], scored: Score
) -> tuple[int, str] | None:
    """Return the days since contact at which the band changes if nobody calls, and to which.

    None where time alone never changes it (PLUS-09). Found by inverting the contact curve: the
    first day on which the rounded score is under the band's lowest.
    """
    days = values.get(CONTACT)
    weight = next((w for s, w in model.weights(profile) if s.name == CONTACT), 0)
    lowest = _lowest(model, scored.band)
    if scored.exact is None or not isinstance(days, int) or not weight or lowest == 0:
        return None
    signal = model.by_name[CONTACT]
    now = Fraction(*signal.curve.points(days))
    needed = now - _slack(scored, lowest) * scored.used / weight
    if needed <= 0:
        return None
    last = signal.curve.reach(needed.as_integer_ratio(), Fraction(1))
    if not isinstance(last, int):
        return None
    return last + 1, score(model, profile, {**values, CONTACT: last + 1}).band


def path_to_next_band(
    model: ScoringModel, profile: str | None, values: Mapping[str, Value], scored: Score
) -> Path | None:
    """Return how each signal alone could lift the band (PLUS-17); None at the top or unscored."""
    above = [bound for bound in model.bands if scored.value is not None and bound[1] > scored.value]
    if scored.exact is None or not above:
        return None
    band, lowest = above[0]
    lifts = []
    for signal, weight in model.weights(profile):
        value = values.get(signal.name)
        if value is None:
            continue
        now = Fraction(*signal.curve.points(value))
        needed = now - _slack(scored, lowest) * scored.used / weight
        to = signal.curve.reach(needed.as_integer_ratio(), signal.resolution)
        if to is None or not _accepted(to, signal.minimum, signal.maximum):
            continue
        gained = Fraction(*signal.curve.points(to)) - now
        effort = published_ratio(gained.numerator, gained.denominator)
        lifts.append(Lift(signal.name, value, to, effort))
    return Path(band, lowest, tuple(sorted(lifts, key=lambda lift: lift.effort)))


def _slack(scored: Score, lowest: int) -> Fraction:
    """Return how far the exact score lies above what still rounds to *lowest*."""
    return Fraction(*(scored.exact or (0, 1))) - Fraction(2 * lowest - 1, 2)


def _lowest(model: ScoringModel, band: str) -> int:
    return dict(model.bands).get(band, 0)


def _accepted(value: Value, minimum: Number | None, maximum: Number | None) -> bool:
    if isinstance(value, str):
        return True
    return (minimum is None or value >= minimum) and (maximum is None or value <= maximum)
