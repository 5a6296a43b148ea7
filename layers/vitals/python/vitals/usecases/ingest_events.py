"""ingest_events: product events in batches, each counted once (LU-049 to 051, PE-014, AMB-41)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from vitals.domain.computed_signals import computed
from vitals.domain.customer import Customer
from vitals.domain.errors import BusyError, VitalsError
from vitals.domain.instants import local_day
from vitals.domain.mutation import Reason
from vitals.storage.codec import encode
from vitals.storage.event_ports import EventCommit
from vitals.storage.ports import Commit, StorageBusyError, StoredAnswer, WriteConflictError
from vitals.usecases.batch_upsert import claim
from vitals.usecases.computing import book_of, moment_of
from vitals.usecases.context import Answer, Context
from vitals.usecases.event_input import Arrival, EventsInput, error_of, read_events
from vitals.usecases.event_pages import counted
from vitals.usecases.inputs import read
from vitals.usecases.write import published

ACTION = "ingest_events"
REASON = Reason(action=ACTION)
WRITERS = 8
"""Customers are written by so many threads: they wait for the table, not for the processor."""
SHOWN = 100
"""So many customers are told of in an answer."""
LARGEST_KEPT = 300_000
"""Bytes of an answer that is kept under its key: an item has room for 400 KB."""

_FULL = {
    "too_many_names": "this customer's day has as many event names as are counted",
    "too_many_users": "this customer's day has as many users as are counted",
    "day_full": "there is no room for more of this customer's day",
}


@dataclass(slots=True)
class Result:
    """What became of some events of one customer: how many were known, and what was refused."""

    duplicates: int = 0
    errors: list[Answer] = field(default_factory=list)
    customer: Customer | None = None
    changed: bool = False

    def refuse(self, arrivals: Sequence[Arrival], code: str, fault: str | None, why: str) -> None:
        """Refuse all of *arrivals*."""
        self.errors += [error_of(each.index, code, fault, why) for each in arrivals]


def ingest_events(context: Context, given: Mapping[str, Any]) -> Answer:
    """Store and count each of the events, and answer how many were accepted and what was not.

    One bad event never costs the others. An event that is known by its external_id, or by its
    place under the Idempotency-Key, is accepted and not counted again. The customers' computed
    signals and scores follow in the same write. Raises ValidationError for the envelope alone.
    """
    parsed, warnings, _ = read(EventsInput, given)
    claimed = claim(context)
    if claimed is not None and claimed.body:
        context.replays.append(claimed.key)
        return _without_erased(context, dict(claimed.body))
    arrivals, errors, more = read_events(context, parsed.events)
    groups, strangers = _grouped(context, arrivals)
    result = Result()
    result.refuse(strangers, "customer_not_found", *_NOBODY)
    with ThreadPoolExecutor(max_workers=WRITERS) as writers:
        done = [writers.submit(_ingest, context, *group) for group in groups]
        results = [result, *(each.result() for each in done)]
    errors = sorted(
        [*errors, *(error for each in results for error in each.errors)],
        key=lambda error: error["index"],
    )
    refused = len({error["index"] for error in errors})
    touched = [_shown(context, each.customer, each) for each in results if each.customer]
    answer = {
        "action": ACTION,
        "accepted": len(parsed.events) - refused,
        "rejected": refused,
        "duplicates": sum(each.duplicates for each in results),
        "errors": errors,
        "data": {"customers": touched[:SHOWN]},
        "warnings": warnings + more,
    }
    if claimed is not None:
        _keep(context, claimed, answer)
    return answer


_NOBODY = ("customer_id", "no such customer: create it first, or restore it")
_AGAIN = frozenset({"not_attempted", "busy", "internal_error"})
"""What is refused for a reason that passes."""


def _shown(context: Context, customer: Customer, result: Result) -> Answer:
    score, status = context.published(customer)
    shown = {"id": customer.id, "score": score, "status": status}
    return shown | {"unchanged": not result.changed}


def _keep(context: Context, claimed: StoredAnswer, answer: Answer) -> None:
    """Keep *answer* in place of the claim, unless the request is worth sending again.

    Of two requests under one key at a time, the answer of the first to end is kept. One that is
    too large is not: the events' own marks let none count twice.
    """
    if any(error["code"] in _AGAIN for error in answer["errors"]):
        return
    if len(encode(answer).encode()) > LARGEST_KEPT:
        return
    # A claim gives way to an answer of the instant that it expires; that answer, to no other such.
    end = claimed.expires_at
    own = replace(claimed, body=answer, at=end, expires_at=end + timedelta(seconds=1))
    with suppress(StorageBusyError):
        context.customers.claim(context.tenant, own)


def _without_erased(context: Context, answer: Answer) -> Answer:
    """Return a stored *answer* without the customers that were erased since (AMB-13)."""
    shown = answer["data"]["customers"]
    left = context.customers.get_many(context.tenant, [each["id"] for each in shown])
    return answer | {"data": {"customers": [each for each in shown if each["id"] in left]}}


def _grouped(
    context: Context, arrivals: Sequence[Arrival]
) -> tuple[list[tuple[Customer, list[Arrival]]], list[Arrival]]:
    """Return each customer with its events, and the events of nobody that is known."""
    tokens = {each.token for each in arrivals}
    names = sorted(token for token in tokens if token[0] == "external_id")
    holders = context.customers.holders(context.tenant, names)
    ids = {value for kind, value in tokens if kind == "id"} | set(holders.values())
    customers = context.customers.get_many(context.tenant, sorted(ids))
    groups: dict[str, list[Arrival]] = {}
    strangers = []
    for each in arrivals:
        kind, value = each.token
        owner = customers.get(value if kind == "id" else holders.get(each.token, ""))
        if owner is None or owner.deleted_at is not None:
            strangers.append(each)
        else:
            groups.setdefault(owner.id, []).append(each)
    return [(customers[customer_id], group) for customer_id, group in groups.items()], strangers


def _ingest(context: Context, customer: Customer, arrivals: list[Arrival]) -> Result:
    """Store and count the events of one customer; whatever goes wrong is their own error."""
    result, left = Result(), arrivals
    try:
        while left:
            if not context.has_time():
                result.refuse(left, "not_attempted", None, "the time was over: send it again")
                break
            left = _stored(context, result, result.customer or customer, left)
    except (BusyError, StorageBusyError):
        result.refuse(left, "busy", None, "the table is too busy: send it again")
    except VitalsError as error:
        result.refuse(left, error.code, None, error.detail)
    except Exception as error:  # noqa: BLE001 - one customer's accident must not hide the others' results
        context.report(error)
        result.refuse(left, "internal_error", None, "something went wrong on our side")
    return result


@dataclass(slots=True)
class _Try:
    """One try: what it would store of the events that were left, and what it makes of each."""

    commit: EventCommit | None
    result: Result
    left: list[Arrival]


def _stored(
    context: Context, total: Result, customer: Customer, arrivals: list[Arrival]
) -> list[Arrival]:
    """Store as many of *arrivals* as one transaction takes; add to *total*, return the others.

    Raises BusyError when the request's time is over before a try succeeds.
    """
    at = context.clock()
    commit_id = context.new_id(at)
    current: Customer | None = customer
    unknown: _Try | None = None
    for attempt in count():
        if unknown is not None and _is_stored(context, customer.id, commit_id):
            return _added(total, unknown)
        if current is None or current.deleted_at is not None:
            total.customer = None
            total.refuse(arrivals, "customer_not_found", *_NOBODY)
            return []
        now = replace(context, now=context.clock())
        trying = _tried(now, current, arrivals, commit_id, at)
        try:
            if trying.commit is not None:
                context.events.commit(context.tenant, trying.commit)
        except WriteConflictError as lost:
            if "chunk" in lost.on:
                # The table had taken it, and lost its answer on the way.
                return _added(total, unknown or trying)
        except StorageBusyError:
            unknown = trying
            if _is_stored(context, customer.id, commit_id):
                return _added(total, trying)
        else:
            return _added(total, trying)
        context.pause(attempt)
        current = context.customers.get(context.tenant, customer.id)
    raise AssertionError("count() is endless")


def _is_stored(context: Context, customer_id: str, commit_id: str) -> bool:
    try:
        return context.events.is_stored(context.tenant, customer_id, commit_id)
    except StorageBusyError:
        # The next try's own condition will tell.
        return False


def _added(total: Result, done: _Try) -> list[Arrival]:
    total.duplicates += done.result.duplicates
    total.errors += done.result.errors
    total.customer = done.result.customer
    total.changed |= done.result.changed
    return done.left


def _tried(
    context: Context,
    customer: Customer,
    arrivals: Sequence[Arrival],
    commit_id: str,
    at: datetime,
) -> _Try:
    """Return what storing *arrivals* now would be; no commit if all of them are known."""
    model = context.model_for(customer)
    moment = moment_of(context, model)
    marks = frozenset(each.mark for each in arrivals if each.mark is not None)
    book = book_of(context, customer.id, moment, marks)
    page = counted(customer, arrivals, model, book, lambda at: local_day(at, moment.where))
    result = Result(duplicates=page.duplicates)
    for each, code in page.refused:
        result.refuse([each], code, "timestamp", _FULL[code])
    result.customer = customer
    if not page.events:
        return _Try(None, result, page.left)
    until = max([*page.days, *([customer.events_until] if customer.events_until else [])])
    names = {event.name for event in page.events}
    after = computed(customer, model, book.ledgers, moment, names)
    if after is not customer or until != customer.events_until:
        after = replace(after, events_until=until)
    moved = None
    if after is not customer:
        after, change = published(context, customer, after, REASON)
        moved = Commit(customer, after, change)
        result.customer, result.changed = after, change is not None
    commit = EventCommit(
        id=commit_id,
        at=at,
        expires_at=at + timedelta(days=model.event_days),
        before=customer,
        book=book,
        events=page.events,
        ledgers={day: book.ledgers[day] for day in page.days},
        marks=page.marks,
        moved=moved,
    )
    return _Try(commit, result, page.left)
