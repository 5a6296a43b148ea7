"""Score changes in figures: counted one after the other, so that a feed need not be kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from vitals.domain.change import Change

SHOWN: Final = 1000
"""So many changes, the newest, are listed; all are counted."""


@dataclass(slots=True)
class ScoreChanges:
    """The changes of scores that were counted: what they were in all, and the newest of them.

    *fall* and *rise* are the largest, the newest of several; *oldest* is the last that was counted.
    *rises* and *falls* are by cause, of changes from a score to another.
    """

    listed: list[Change] = field(default_factory=list)
    oldest: Change | None = None
    fall: Change | None = None
    rise: Change | None = None
    band_changes: int = 0
    customers: set[str] = field(default_factory=set)
    causes: Counter[str] = field(default_factory=Counter)
    rises: Counter[str] = field(default_factory=Counter)
    falls: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, changes: Iterable[Change]) -> ScoreChanges:
        """Return those of *changes* (the newest first) that published another score, counted."""
        found = cls()
        for change in changes:
            if moves_score(change):
                found.count(change)
        return found

    @property
    def total(self) -> int:
        """How many there were."""
        return self.causes.total()

    def count(self, change: Change) -> None:
        """Count *change*, which is older than all before."""
        if len(self.listed) < SHOWN:
            self.listed.append(change)
        self.oldest = change
        self.customers.add(change.customer_id)
        self.causes[change.cause] += 1
        self.band_changes += change.status_before != change.status_after
        points = points_of(change) or 0
        if points > 0:
            self.rises[change.cause] += 1
            if points > _size(self.rise):
                self.rise = change
        elif points < 0:
            self.falls[change.cause] += 1
            if -points > _size(self.fall):
                self.fall = change


def moves_score(change: Change) -> bool:
    """Tell whether *change* published another score."""
    return change.score_before != change.score_after


def points_of(change: Change) -> int | None:
    """Return by how many points *change* moved the score; None without one before or after."""
    if change.score_before is None or change.score_after is None:
        return None
    return change.score_after - change.score_before


def _size(change: Change | None) -> int:
    return abs(points_of(change) or 0) if change else 0
