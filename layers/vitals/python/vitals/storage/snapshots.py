"""Daily snapshots in the table: a day's figures by part, and everybody's score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby, islice
from typing import Any

from pynamodb.expressions.condition import Condition

from vitals.storage import codec, keys
from vitals.storage.table import Item, Table

CHUNK = 8000
"""So many scores are in one item, which then has a quarter of a megabyte."""
LARGEST = 300_000
"""So many bytes of names and figures are in one item: 400 KB is the end of it."""
KEPT = timedelta(days=400)
"""Scores are kept for so long: figures stay."""


class SnapshotTable:
    """`ports.Snapshots` over the table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._item = table.item

    def put(
        self,
        tenant_id: str,
        day: date,
        figures: Mapping[str, Mapping[str, Any]],
        scores: Mapping[str, int | None],
    ) -> None:
        """Store a day: 1 write for everybody's figures, 1 for each part's, 1 for 8000 scores.

        A part of many names and signals takes more than one.
        """
        items = [
            self._item(
                keys.snapshots_partition(tenant_id, part),
                f"{day.isoformat()}#{number:04d}" if number else day.isoformat(),
                row=str(len(docs)) if len(docs) > 1 else None,
                doc=doc,
            )
            for part, shown in figures.items()
            for docs in [list(_split(shown))]
            for number, doc in enumerate(docs)
        ]
        self._table.put_many([*items, *self._chunks(tenant_id, day, scores)])

    def _chunks(self, tenant_id: str, day: date, scores: Mapping[str, int | None]) -> list[Item]:
        everybody = sorted(scores.items())
        # The first is written for nobody as well: a day without customers is a known day.
        starts = range(0, len(everybody) or 1, CHUNK)
        return [
            self._item(
                keys.scores_partition(tenant_id),
                f"{day.isoformat()}#{start // CHUNK:04d}",
                row=str(len(starts)),
                doc=codec.encode(dict(everybody[start : start + CHUNK])),
                expires_at=datetime.combine(day + KEPT, time(), UTC),
            )
            for start in starts
        ]

    def between(
        self, tenant_id: str, first: date, last: date, part: str = ""
    ) -> Iterator[tuple[date, Mapping[str, Any]]]:
        """Yield each day that has figures, the oldest first, with them: 1 query."""
        condition = self._item.SK.between(first.isoformat(), f"{last.isoformat()}#~")
        place = keys.snapshots_partition(tenant_id, part)
        found = self._table.query(place, condition)
        for day, items in groupby(found, key=lambda item: item.SK.partition("#")[0]):
            item = next(items)
            shown = codec.decode(item.doc or "{}")
            # Behind the last there may be one of an earlier put of the same day.
            for more in islice(items, int(item.row or 1) - 1):
                shown |= codec.decode(more.doc or "{}")
            yield date.fromisoformat(day), shown

    def scores(self, tenant_id: str, day: date) -> Mapping[str, int | None] | None:
        """Return the scores of *day*, None if they are not known: 1 query."""
        place = keys.scores_partition(tenant_id)
        found: dict[str, int | None] | None = None
        chunks = self._table.query(place, self._item.SK.startswith(f"{day.isoformat()}#"))
        for number, item in enumerate(chunks):
            # Behind the last there may be one of an earlier put of the same day.
            if number < int(item.row or 0):
                found = (found or {}) | codec.decode(item.doc or "{}")
        return found

    def known_day(self, tenant_id: str, day: date, since: date) -> date | None:
        """Return the latest day up to *day* whose scores are known, else the first after it.

        None earlier than *since*: 1 or 2 queries of one item each.
        """
        place, sort = keys.scores_partition(tenant_id), self._item.SK
        end = f"{day.isoformat()}#~"
        conditions: list[tuple[Condition, bool]] = [(sort > max(end, since.isoformat()), False)]
        if since <= day:
            conditions.insert(0, (sort.between(since.isoformat(), end), True))
        for condition, descending in conditions:
            for item in self._table.query(place, condition, descending=descending, page=1):
                return date.fromisoformat(item.SK.partition("#")[0])
        return None


def _split(shown: Mapping[str, Any]) -> Iterator[str]:
    """Yield *shown* as JSON, cut between its names where an item could not hold it all."""
    held: list[str] = []
    size = 0
    for name, value in shown.items():
        pair = f"{codec.encode(name)}:{codec.encode(value)}"
        length = len(pair.encode()) + 1
        if held and size + length > LARGEST:
            yield f"{{{','.join(held)}}}"
            held, size = [], 0
        held.append(pair)
        size += length
    yield f"{{{','.join(held)}}}"
