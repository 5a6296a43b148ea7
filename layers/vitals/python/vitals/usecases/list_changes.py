"""list_changes: the feed of changes, each with an id of its own (AMB-06, PLUS-07)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar

from vitals.domain.change import Change
from vitals.domain.instants import iso
from vitals.storage.ports import Place
from vitals.usecases.context import Answer, Context
from vitals.usecases.cursor import cursor, digest, place_of
from vitals.usecases.fields import Folded, Instant, one_of
from vitals.usecases.find import require
from vitals.usecases.inputs import Reference, Warning_, read
from vitals.usecases.paging import Page, filled, place

SETTLING = timedelta(seconds=15)
"""A feed read forward ends so far behind now: a write takes up to ten seconds to be given up, and
the index lags; a reader must not overtake either."""


class ChangesInput(Page, Reference):
    """Whose changes (all customers' if no reference is given), since when, in which order."""

    aliases: ClassVar[Mapping[str, str]] = {"customer_id": "id", "customer": "name"}

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
    after = place(parsed.cursor, query)
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
            page=None if parsed.cause else parsed.limit + 1,
        )
    else:
        changes = _changes_of(context, customer_id, parsed, until, after)
    wanted = (change for change in changes if not parsed.cause or change.cause in parsed.cause)
    page = filled(wanted, parsed.limit, change_view)
    behind = cursor(query, [iso(page.last.at), page.last.id]) if page.last else None
    return _answer("list_changes", page.shown, parsed, warnings, behind)


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
        here = (iso(change.at), change.id)
        behind = after is None or (here < after if descending else here > after)
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
    page = filled(wanted, parsed.limit, explained_view)
    behind = cursor(query, [page.last.version]) if page.last else None
    return _answer("get_history", page.shown, parsed, warnings, behind)


def explained_view(change: Change) -> dict[str, Any]:
    """Return *change* as a history shows it: with every part of both scores."""
    parts = {"old": change.contributions_before, "new": change.contributions_after}
    return change_view(change) | {
        "contributions": {
            when: {signal: float(part) for signal, part in each.items()}
            for when, each in parts.items()
        }
    }


def change_view(change: Change) -> dict[str, Any]:
    """Return *change* as answers show it."""
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
    return {
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


def _customer_id(context: Context, parsed: ChangesInput) -> str | None:
    """Return the id of the one customer whose changes are asked for; None for all."""
    if parsed.id is parsed.external_id is parsed.name is None:
        return None
    return require(context, parsed).id


def _answer(
    action: str,
    shown: list[dict[str, Any]],
    parsed: Page,
    warnings: list[Warning_],
    next_cursor: str | None,
) -> Answer:
    return {
        "action": action,
        "data": shown,
        "has_more": next_cursor is not None,
        "next_cursor": next_cursor,
        "limit": parsed.limit,
        "offset": 0,
        "warnings": warnings,
        "shape": parsed.shape,
    }


def _within(at: datetime, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or at >= since) and (until is None or at <= until)
