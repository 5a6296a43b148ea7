"""Product events in the table: chunks as they came, a ledger a day, and the marks of those seen."""

from __future__ import annotations

import heapq
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from vitals.domain.access import Tenant
from vitals.domain.instants import iso
from vitals.domain.product_events import Ledger, ProductEvent, ledger_of
from vitals.storage import codec, keys
from vitals.storage.customers import CustomerTable
from vitals.storage.event_ports import Book, Chunk, EventCommit, Position
from vitals.storage.table import INDEX, Found, Item, Table, Writes

LARGEST_CHUNK = 250_000
"""Bytes of events in one item before they are packed; packed they fit 400 KB, whatever they are."""
SEGMENT = 500
"""A segment that has so many marks takes no more."""
KEEP_LEDGERS = timedelta(days=100)
KEEP_MARKS = timedelta(days=35)
_MARK = 12
_NAMES = 8
"""A chunk's row names so many names of events at most: what is more is looked for inside."""


class EventTable:
    """`event_ports.Events` over the table."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._item = table.item
        self._customers = CustomerTable(table)

    def book(
        self, tenant: Tenant, customer_id: str, since: date, now: datetime, marks: frozenset[str]
    ) -> Book:
        """Return the customer's ledgers and which of *marks* are known: 1 consistent query."""
        place = keys.events_partition(tenant.id, customer_id)
        last = f"{keys.SEGMENT}{keys.LAST}" if marks else keys.HEAD
        condition = self._item.SK.between(keys.ledger(since.isoformat()), last)
        book, oldest = Book(), now - KEEP_MARKS
        for item in self._table.query(place, condition, consistent=True):
            if item.SK == keys.HEAD:
                book.version = int(item.row or 0)
            elif item.SK.startswith(keys.LEDGER):
                day = date.fromisoformat(item.SK.removeprefix(keys.LEDGER))
                book.ledgers[day] = ledger_of(codec.decode(item.doc or ""))
            else:
                text, _, number = item.SK.removeprefix(keys.SEGMENT).partition("#")
                day = date.fromisoformat(text)
                # TTL deletes late.
                if _start(day) > oldest:
                    doc = item.doc or ""
                    starts = range(0, len(doc), _MARK)
                    book.known |= marks & {doc[start : start + _MARK] for start in starts}
                    book.segments[day] = int(number), doc
        return book

    def commit(self, tenant: Tenant, commit: EventCommit) -> None:
        """Write the events, ledgers, marks and head, and the customer, in one transaction.

        That is two items for each day, one for each chunk, and three.
        """
        writes, place = Writes(), keys.events_partition(tenant.id, commit.before.id)
        version = commit.book.version
        head = self._item(place, keys.HEAD, version=version + 1, row=str(version + 1))
        unmoved = self._item.version == version if version else self._item.PK.does_not_exist()
        writes.put("version", head, unmoved)
        for item in self._chunks(tenant, place, commit):
            writes.put("chunk", item, self._item.PK.does_not_exist())
        for day, ledger in commit.ledgers.items():
            writes.put("ledger", self._ledger(place, day, ledger), None)
        for day, marks in commit.marks.items():
            writes.put("marks", self._segment(place, day, commit.book, marks), None)
        if commit.moved is not None:
            self._customers.add_to(writes, tenant, commit.moved)
        else:
            same = self._item.version == commit.before.version
            writes.check("version", self._item(*keys.customer(tenant, commit.before.id)), same)
        self._table.transact(writes)

    def is_stored(self, tenant: Tenant, customer_id: str, commit_id: str) -> bool:
        """Tell whether a commit was stored: 1 strongly consistent read."""
        place = keys.events_partition(tenant.id, customer_id)
        return self._table.get((place, keys.chunk(commit_id, 0))) is not None

    def of_customer(
        self, tenant: Tenant, customer_id: str, now: datetime, after: str | None = None
    ) -> Iterator[tuple[Chunk, list[ProductEvent]]]:
        """Yield the customer's chunks with their events, newest first, as last written."""
        high = f"{keys.CHUNK}{after or keys.LAST}"
        place = keys.events_partition(tenant.id, customer_id)
        condition = self._item.SK.between(keys.CHUNK, high)
        # A page is at most 1 MB whatever it says: so many chunks are often less.
        found = self._table.query(place, condition, descending=True, page=20, consistent=True)
        for item in found:
            chunk = _chunk_of(item, now)
            if chunk is not None and chunk.id != after:
                yield chunk, _unpacked(item.doc or "")

    def arrivals(
        self, tenant: Tenant, now: datetime, after: Position | None = None
    ) -> Iterator[Chunk]:
        """Yield the tenant's chunks from the index, all shards merged."""
        high = "#".join(after) if after else keys.LAST
        shards = [
            self._table.query(
                keys.events_feed(tenant, shard),
                self._item.index_sk.between(keys.FIRST, high),
                index=INDEX,
                descending=True,
                page=200,
            )
            for shard in range(tenant.shards)
        ]
        for item in heapq.merge(*shards, key=lambda item: item.index_sk or "", reverse=True):
            chunk = _chunk_of(item, now)
            if chunk is not None and item.index_sk != high:
                yield chunk

    def events(self, tenant: Tenant, chunks: Sequence[Chunk]) -> dict[str, list[ProductEvent]]:
        """Return the events of *chunks* that exist, by the chunk's id: 1 call."""
        wanted = [
            (keys.events_partition(tenant.id, each.customer_id), f"{keys.CHUNK}{each.id}")
            for each in chunks
        ]
        return {
            item.SK.removeprefix(keys.CHUNK): _unpacked(item.doc or "")
            for item in self._table.get_many(wanted)
        }

    def _chunks(self, tenant: Tenant, place: str, commit: EventCommit) -> Iterator[Item]:
        start = 0
        shard = keys.shard_of(tenant, commit.before.id)
        for number, texts in enumerate(_parts([_text(event) for event in commit.events])):
            events = commit.events[start : start + len(texts)]
            names = {event.name for event in events}
            row = {
                "k": len(events),
                "s": start,
                "n": sorted(names) if len(names) <= _NAMES else [],
                "f": iso(min(event.at for event in events)),
                "l": iso(max(event.at for event in events)),
                "e": iso(commit.expires_at),
            }
            yield self._item(
                place,
                keys.chunk(commit.id, number),
                index_pk=keys.events_feed(tenant, shard),
                index_sk=f"{iso(commit.at)}#{commit.id}#{number:02d}",
                row=codec.encode(row),
                doc=b64encode(zlib.compress(f"[{','.join(texts)}]".encode())).decode(),
                expires_at=commit.expires_at,
            )
            start += len(texts)

    def _ledger(self, place: str, day: date, ledger: Ledger) -> Item:
        return self._item(
            place,
            keys.ledger(day.isoformat()),
            doc=codec.encode(ledger.document),
            expires_at=_start(day) + KEEP_LEDGERS,
        )

    def _segment(self, place: str, day: date, book: Book, marks: Sequence[str]) -> Item:
        """Return the day's last segment with *marks*, or the next one if it is full."""
        number, doc = book.segments.get(day, (0, ""))
        if len(doc) >= SEGMENT * _MARK:
            number, doc = number + 1, ""
        return self._item(
            place,
            keys.segment(day.isoformat(), number),
            doc=doc + "".join(marks),
            expires_at=_start(day) + KEEP_MARKS,
        )


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _parts(texts: Sequence[str]) -> Iterator[list[str]]:
    """Yield *texts* in parts of at most LARGEST_CHUNK bytes."""
    part: list[str] = []
    size = 0
    for text in texts:
        length = len(text.encode()) + 1
        if part and size + length > LARGEST_CHUNK:
            yield part
            part, size = [], 0
        part.append(text)
        size += length
    yield part


_SHORT = (("name", "n"), ("user_email", "e"), ("user_id", "i"), ("external_id", "x"))


def _text(event: ProductEvent) -> str:
    stored: dict[str, Any] = {
        short: value for name, short in _SHORT if (value := getattr(event, name)) is not None
    }
    stored["t"] = iso(event.at)
    if event.properties:
        stored["p"] = event.properties
    return codec.encode(stored)


def _unpacked(doc: str) -> list[ProductEvent]:
    return [_event_of(each) for each in codec.decode(zlib.decompress(b64decode(doc)).decode())]


def _event_of(stored: Mapping[str, Any]) -> ProductEvent:
    return ProductEvent(
        at=datetime.fromisoformat(stored["t"]),
        properties=stored.get("p", {}),
        **{name: stored[short] for name, short in _SHORT if short in stored},
    )


def _chunk_of(item: Found, now: datetime) -> Chunk | None:
    """Return the chunk that *item* is, None if its time is over: TTL deletes late."""
    stored = codec.decode(item.row or "{}")
    if datetime.fromisoformat(stored["e"]) <= now:
        return None
    at, _, chunk_id = (item.index_sk or "").partition("#")
    return Chunk(
        id=chunk_id,
        customer_id=item.PK.rpartition("#")[2],
        at=datetime.fromisoformat(at),
        count=stored["k"],
        start=stored["s"],
        names=frozenset(stored["n"]),
        first=datetime.fromisoformat(stored["f"]),
        last=datetime.fromisoformat(stored["l"]),
    )
