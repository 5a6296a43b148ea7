"""list_events: product events as they were sent, the newest arrival first (LU-052, PE-015)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Annotated, Any, ClassVar, cast

from pydantic import PlainValidator

from vitals.domain.instants import iso
from vitals.domain.product_events import ProductEvent
from vitals.storage.event_ports import Chunk, Position
from vitals.usecases.context import Answer, Context
from vitals.usecases.cursor import cursor, digest, place_of
from vitals.usecases.fields import Instant, Short, refuse, split, whole
from vitals.usecases.inputs import read
from vitals.usecases.paging import LARGEST_ANSWER, Page, issued

ACTION = "list_events"
AT_ONCE = 10
"""So many chunks are read by one call: each may have a quarter of a megabyte."""
MAX_NAMES = 50


def _names(raw: object) -> frozenset[str]:
    found = frozenset(split(raw))
    if not 1 <= len(found) <= MAX_NAMES:
        refuse("out_of_range", f"must hold 1 to {MAX_NAMES} names")
    # A name may hold a comma: all of the text, whoever split it, may be one name as well.
    whole = raw if isinstance(raw, str) else ",".join(cast("Sequence[str]", raw))
    return found | {whole.strip()}


class EventsAsked(Page):
    """Which events: whose, of which names, and when they happened."""

    aliases: ClassVar[Mapping[str, str]] = {"from": "since", "to": "until"}

    limit: Annotated[int, whole(1, 200)] = 50
    customer_id: Short | None = None
    event_name: Annotated[
        frozenset[str], PlainValidator(_names, json_schema_input_type=list[str] | str)
    ] = frozenset()
    since: Instant | None = None
    until: Instant | None = None

    def may_hold(self, chunk: Chunk) -> bool:
        """Tell whether one of *chunk*'s events may be wanted."""
        named = not (self.event_name and chunk.names) or self.event_name & chunk.names
        since = self.since is None or chunk.last >= self.since
        return bool(named) and since and (self.until is None or chunk.first <= self.until)

    def wants(self, event: ProductEvent) -> bool:
        """Tell whether *event* is wanted."""
        return (
            (not self.event_name or event.name in self.event_name)
            and (self.since is None or event.at >= self.since)
            and (self.until is None or event.at <= self.until)
        )


Place = tuple[str, str, int]
"""Where a page ends: when its last chunk arrived, the chunk, and the event's place in it."""


def list_events(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return one page of the events that are kept, the newest arrival first.

    Of one customer, from what is kept of it; else from the index, which may be a moment behind.
    When there is no time left, the page is what was found by then, and goes on from there.
    """
    parsed, warnings, _ = read(EventsAsked, given)
    query = digest(parsed.customer_id, parsed.event_name, parsed.since, parsed.until)
    shown: list[Answer] = []
    size, last = 0, None
    for place, chunk, event in _found(context, parsed, _place(parsed.cursor, query)):
        if event is None:
            # Nothing is wanted of the chunk: it is but a place to go on from.
            last = place
            if not context.has_time():
                break
            continue
        if len(shown) == parsed.limit or size > LARGEST_ANSWER:
            break
        shown.append(_shown(chunk, place[2], event))
        size += 400 + 2 * len(str(event.properties))
        last = place
    else:
        last = None
    return {
        "action": ACTION,
        "data": shown,
        "has_more": last is not None,
        "next_cursor": None if last is None else cursor(query, last),
        "limit": parsed.limit,
        "offset": 0,
        "warnings": warnings,
        "shape": parsed.shape,
    }


def _found(
    context: Context, parsed: EventsAsked, after: Place | None
) -> Iterator[tuple[Place, Chunk, ProductEvent | None]]:
    """Yield what is wanted behind *after*, and no event at the end of each chunk."""
    for chunk, events in _chunks(context, parsed, after):
        at = iso(chunk.at)
        begun = after is not None and after[:2] == (at, chunk.id)
        high = after[2] if after is not None and begun else len(events)
        for index in range(min(high, len(events)) - 1, -1, -1):
            if parsed.wants(events[index]):
                yield (at, chunk.id, index), chunk, events[index]
        yield (at, chunk.id, 0), chunk, None


def _chunks(
    context: Context, parsed: EventsAsked, after: Place | None
) -> Iterator[tuple[Chunk, Sequence[ProductEvent]]]:
    """Yield the chunks that may hold what is wanted, *after*'s own among them, with their events.

    Of others, none of the events.
    """
    tenant, now = context.tenant, context.now
    place: Position | None = None
    if after is not None:
        # With events left, the chunk itself is read once more.
        place = after[0], f"{after[1]}~" if after[2] else after[1]
    if parsed.customer_id is not None:
        behind = None if place is None else place[1]
        for chunk, events in context.events.of_customer(tenant, parsed.customer_id, now, behind):
            yield chunk, events if parsed.may_hold(chunk) else ()
        return
    arrivals = context.events.arrivals(tenant, now, place)
    while chunks := list(islice(arrivals, AT_ONCE)):
        wanted = [chunk for chunk in chunks if parsed.may_hold(chunk)]
        found = context.events.events(tenant, wanted)
        for chunk in chunks:
            yield chunk, found.get(chunk.id, ())


def _shown(chunk: Chunk, index: int, event: ProductEvent) -> Answer:
    return {
        "id": f"{chunk.id.partition('#')[0]}-{chunk.start + index:04d}",
        "customer_id": chunk.customer_id,
        "event_name": event.name,
        "timestamp": iso(event.at),
        "received_at": iso(chunk.at),
        "user_email": event.user_email,
        "user_id": event.user_id,
        "properties": event.properties,
        "external_id": event.external_id,
    }


def _place(given: str | None, query: str) -> Place | None:
    """Return the place that a cursor of *query*'s names. Raises InvalidCursorError."""
    if given is None:
        return None
    at, chunk, index = place_of(given, query, str, str, int)
    return (*issued(at, chunk), index)
