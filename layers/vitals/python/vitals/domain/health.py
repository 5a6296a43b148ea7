"""A customer's health in few words: three statuses for a score, and what costs it most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from vitals.domain.curves import Value
from vitals.domain.model import UNSCORED, ScoringModel
from vitals.domain.numbers import Number, published_ratio
from vitals.domain.scoring import Score, counting

AT_RISK: Final = "at_risk"
NEUTRAL: Final = "neutral"
HEALTHY: Final = "healthy"
WORDS: Final = (AT_RISK, NEUTRAL, HEALTHY, UNSCORED)
_NEUTRAL_FROM: Final = 50
_HEALTHY_FROM: Final = 65
REASONS: Final = 3
"""So many signals are named as what costs a score most."""


@dataclass(frozen=True, slots=True)
class Loss:
    """What one signal keeps a score from 100: its share of the weight times its missing points."""

    signal: str
    lost: Number


def word_of(score: int | None) -> str:
    """Return at_risk (0 to 49), neutral (50 to 64) or healthy of a published score (AMB-31).

    The words do not move with a model's bands; without a score it is `unscored` (AMB-61).
    """
    if score is None:
        return UNSCORED
    if score < _NEUTRAL_FROM:
        return AT_RISK
    return NEUTRAL if score < _HEALTHY_FROM else HEALTHY


def losses(
    model: ScoringModel, profile: str | None, values: Mapping[str, Value], scored: Score
) -> list[Loss]:
    """Return the signals that cost *scored* most, the dearest first, at most REASONS.

    To four decimals; all of them, exact, would sum to 100 less the exact score. Empty without one.
    """
    if scored.exact is None:
        return []
    found: list[tuple[Fraction, str]] = []
    for name, _, points, weight in counting(model, profile, values):
        lost = (100 - Fraction(*points)) * weight / scored.used
        if lost > 0:
            found.append((lost, name))
    found.sort(key=lambda loss: -loss[0])
    return [
        Loss(name, published_ratio(lost.numerator, lost.denominator))
        for lost, name in found[:REASONS]
    ]
