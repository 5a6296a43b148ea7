"""list_changes: the feed of changes, each with an id of its own (AMB-06, PLUS-07)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Annotated, Any

from vitals.domain.change import Change
from vitals.domain.instants import iso
from vitals.storage.ports import Place
from vitals.usecases.context import Answer, Context
from vitals.usecases.cursor import cursor, digest, place_of
from vitals.usecases.fields import Folded, Instant, Name, Short, one_of
from vitals.usecases.find import require
from vitals.usecases.inputs import Reference, Warning_, read
from vitals.usecases.list_customers import Page

SETTLING = timedelta(seconds=5)
"""A feed read forward ends so far behind now: the index lags, and a reader must not overtake it."""


class ChangesInput(Page, Reference):
    """Whose changes (all customers' if no reference is given), since when, in which order."""

    customer_id: Short | None = None
    customer: Name | None = None
    updated_since: Instant | None = None
    until: Instant | None = None
    cause: Folded = frozenset()
    order: Annotated[str, one_of("asc", "desc")] = "desc"


class HistoryInput(Page, Reference):
    """Which customer's history, and the part of it."""

    updated_since: Instant | None = None
    until: Instant | None = None


def list_changes(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return one page of changes, newest first: whoever polls it sees every change once by id.

    In the order asc it is a queue to read from its cursor, and stops short of now by SETTLING.
    """
    parsed, warnings, _ = read(ChangesInput, given)
    customer_id = _customer_id(context, parsed)
    query = digest(customer_id, parsed.updated_since, parsed.until, parsed.cause, parsed.order)
    descending = parsed.order == "desc"
    after = _place(parsed.cursor, query)
    until = parsed.until
    if not descending:
        until = min(until or context.now, context.now - SETTLING)
    if customer_id is None:
        changes = context.customers.feed(
            context.tenant,
            since=parsed.updated_since,
            until=until,
            after=after,
            descending=descending,
            page=parsed.limit + 1,
        )
    else:
        changes = _changes_of(context, customer_id, parsed, until, after)
    wanted = (change for change in changes if not parsed.cause or change.cause in parsed.cause)
    return _page("list_changes", wanted, parsed, query, warnings)


def _changes_of(
    context: Context,
    customer_id: str,
    parsed: ChangesInput,
    until: datetime | None,
    after: Place | None,
) -> Iterator[Change]:
    """Yield one customer's part of the feed from its own history, whatever the others' changes."""
    descending = parsed.order == "desc"
    page = parsed.limit + 1 if descending else None
    history = context.customers.history(context.tenant, customer_id, page=page)
    for change in history if descending else reversed(list(history)):
        place = (iso(change.at), change.id)
        behind = after is None or (place < after if descending else place > after)
        if behind and _within(change.at, parsed.updated_since, until):
            yield change


def get_history(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return one page of a customer's changes, newest first, with what each did to the score.

    The customer may be in the trash. Raises CustomerNotFoundError (IQ-096).
    """
    parsed, warnings, _ = read(HistoryInput, given)
    customer = require(context, parsed)
    query = digest(customer.id, parsed.updated_since, parsed.until)
    before = int(place_of(parsed.cursor, query, int)[0]) if parsed.cursor else None
    changes = context.customers.history(
        context.tenant, customer.id, before_version=before, page=parsed.limit + 1
    )
    wanted = (
        change for change in changes if _within(change.at, parsed.updated_since, parsed.until)
    )
    answer = _page("get_history", wanted, parsed, query, warnings, explained=True)
    if answer["next_cursor"] is not None:
        answer["next_cursor"] = cursor(query, [answer["data"][-1]["version"]])
    return answer


def change_view(change: Change, *, explained: bool) -> dict[str, Any]:
    """Return *change* as answers show it; *explained* adds every part of both scores."""
    # By the names that a customer shows; when the score moved is `at`.
    moves = {
        path.removeprefix("signals."): values
        for path, values in change.changed.items()
        if path != "score_changed_at"
    }
    old = {path: before for path, (before, _) in moves.items()}
    new = {path: after for path, (_, after) in moves.items()}
    moved = None
    if change.score_before is not None and change.score_after is not None:
        moved = change.score_after - change.score_before
    view = {
        "id": change.id,
        "customer_id": change.customer_id,
        "name": change.name,
        "version": change.version,
        "at": iso(change.at),
        "action": change.action,
        "cause": change.cause,
        "by": change.by,
        "changed": sorted(moves),
        "automatic": list(change.automatic),
        "old": {**old, "score": change.score_before, "status": change.status_before},
        "new": {**new, "score": change.score_after, "status": change.status_after},
        "score_change": moved,
        "model_version": change.model_version,
        "contact": change.contact,
    }
    if explained:
        view["contributions"] = {
            "old": _numbers(change.contributions_before),
            "new": _numbers(change.contributions_after),
        }
    return view


def _numbers(parts: Mapping[str, str]) -> dict[str, Any]:
    return {signal: float(part) for signal, part in parts.items()}


def _customer_id(context: Context, parsed: ChangesInput) -> str | None:
    """Return the id of the one customer whose changes are asked for; None for all."""
    reference = Reference(
        id=parsed.customer_id or parsed.id,
        external_id=parsed.external_id,
        name=parsed.customer or parsed.name,
    )
    if reference.model_dump(exclude_none=True, exclude={"strict"}):
        return require(context, reference).id
    return None


def _page(
    action: str,
    changes: Iterator[Change],
    parsed: Page,
    query: str,
    warnings: list[Warning_],
    *,
    explained: bool = False,
) -> Answer:
    page = list(islice(changes, parsed.limit + 1))
    has_more = len(page) > parsed.limit
    page = page[: parsed.limit]
    last = page[-1] if has_more else None
    return {
        "action": action,
        "data": [change_view(change, explained=explained) for change in page],
        "has_more": has_more,
        "next_cursor": cursor(query, [iso(last.at), last.id]) if last else None,
        "limit": parsed.limit,
        "offset": 0,
        "warnings": warnings,
        "shape": parsed.shape,
    }


def _place(given: str | None, query: str) -> Place | None:
    if given is None:
        return None
    at, change_id = place_of(given, query, str, str)
    return at, change_id


def _within(at: datetime, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or at >= since) and (until is None or at <= until)
