"""How an average moved, by an oracle, and the picture of it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from tests.integration.reports.agreement import Points, Said
from tests.integration.reports.folio import Folio
from tests.integration.reports.numbers import spread
from tests.unit import oracle


class Movement:
    """How the average went from then to now, part by part."""

    def __init__(self, folio: Folio) -> None:
        both = [each for each in folio.accounts if each.moved is not None]
        self.stayed = [each.was or 0 for each in both]
        self.up = [each.moved or 0 for each in both if (each.moved or 0) > 0]
        self.down = [each.moved or 0 for each in both if (each.moved or 0) < 0]
        self.gone = [score for score in folio.lost if score is not None]
        self.gone += [
            each.was for each in folio.accounts if each.was is not None and each.score is None
        ]
        self.new = [
            each.score for each in folio.accounts if each.score is not None and each.was is None
        ]
        self.known = bool(folio.then and (self.stayed + self.gone) and (self.stayed + self.new))

    @property
    def values(self) -> list[Fraction]:
        """Opening, left, improved, declined, joined, closing."""
        before = self.stayed + self.gone
        now = sum(self.stayed) + sum(self.up) + sum(self.down)
        opening = Fraction(sum(before), len(before))
        closing = Fraction(now + sum(self.new), len(self.stayed) + len(self.new))
        count = len(self.stayed)
        if count:
            without = Fraction(sum(self.stayed), count)
            up, down = Fraction(sum(self.up), count), Fraction(sum(self.down), count)
            parts = [without - opening, up, down, closing - (without + up + down)]
        else:
            parts = [Fraction(0), Fraction(0), Fraction(0), closing - opening]
        first, last = oracle.four_decimals(opening), oracle.four_decimals(closing)
        parts = spread(parts, int((last - first) * 10_000))
        assert first + sum(parts) == last
        return [first, *parts, last]

    @property
    def counts(self) -> list[int]:
        """How many left, improved, declined, joined."""
        return [len(self.gone), len(self.up), len(self.down), len(self.new)]

    def chart(self) -> dict[str, Any] | None:
        """Return the waterfall."""
        if not self.known:
            return None
        opening, *parts, closing = self.values
        told = [
            each
            for part, count in zip(parts, self.counts, strict=True)
            for each in (Points(part), count)
        ]
        return {
            "labels": [
                "Opening",
                "No longer scored",
                "Improved",
                "Declined",
                "Newly scored",
                "Closing",
            ],  # fmt: skip,
            "series": {"average_score": self.values},
            "says": Said(opening, closing, *told),
        }
