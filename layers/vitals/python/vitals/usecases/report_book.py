"""Filling a book: one reading of the roster, and what is known of the days before."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from itertools import islice, takewhile
from typing import Any

from vitals.domain.change import Change, is_visible
from vitals.domain.instants import start_of
from vitals.domain.model import CHURNED
from vitals.domain.reports.book import Account, Book, Filters
from vitals.domain.snapshot import MOST_NAMES, Figures
from vitals.usecases.context import Context

LONGEST = 730
"""Days: no report looks further back."""
KEPT_SCORES = 399
"""Days for which it is known who stood at which score."""
MOST_CHANGES = 1000
"""So many changes, the latest, one history or feed of a report has at most."""

Days = list[tuple[date, Figures]]


@contextmanager
def kept() -> Iterator[None]:
    """Look for no garbage in the with block.

    All that a report is made of stays until it is made, and each look would go through all of it:
    a tenth to a fifth of the time that it takes.
    """
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


@kept()
def filled_book(
    context: Context,
    filters: Filters,
    days: int,
    *,
    about: str | None = None,
    daily: bool = False,
    managers: Sequence[str] = (),
) -> Book:
    """Return the book of *filters* as of now, which looks back *days*.

    1 reading of the roster, 1 of the tenant; 3 queries of the days before. *daily* gives it every
    day's figures, and those of *managers* beside.
    """
    # What is remembered of the tenant may be half a minute old: a share must be of what is there.
    tenant = context.tenants.tenant(context.tenant.id, consistent=True) or context.tenant
    book = Book(
        as_of=context.now,
        model=context.model,
        portfolio_mrr=tenant.portfolio_mrr,
        filters=filters,
        subject=context.tenant.name,
        period=days,
        about=about,
    )
    _compare(context, book)
    now = {name.casefold(): Figures() for name in managers}
    for customer in context.customers.roster(context.tenant):
        book.add(customer, context.model_of(customer.model_version))
        own = now.get((customer.manager or "").casefold()) if now else None
        if own is not None and customer.deleted_at is None and customer.lifecycle != CHURNED:
            own.count(customer, *context.published(customer))
    if daily:
        first, last = book.today - timedelta(days=days), book.today - timedelta(days=1)
        known = {"": figures_between(context, first, last, filters) or []}
        for name in managers:
            # A manager's line is of the manager's whole book, whomever the report is about.
            before = figures_between(context, first, last, _of_manager(name)) or []
            known[f"manager:{name}"] = [*before, (book.today, now[name.casefold()])]
        book.daily = known
    return book


def _of_manager(name: str) -> Filters:
    return Filters(managers=frozenset({name.casefold()}))


def _compare(context: Context, book: Book) -> None:
    """Give *book* the day that it compares with, if one is known."""
    tenant_id, today = context.tenant.id, book.today
    earliest = today - timedelta(days=KEPT_SCORES)
    wanted = max(today - timedelta(days=book.period), earliest)
    day = context.snapshots.known_day(tenant_id, wanted, earliest)
    scores = context.snapshots.scores(tenant_id, day) if day and day < today else None
    if day is None or scores is None:
        return
    book.then, book.scores_then = day, scores
    found = figures_between(context, day, day, book.filters)
    book.figures_then = found[0][1] if found else None


def figures_between(context: Context, first: date, last: date, filters: Filters) -> Days | None:
    """Return the figures of *filters* of each known day; None where days are not divided by them.

    A day is divided by one part at a time, and a customer has several tags: 1 query.
    """
    asked = filters.shown()
    if not asked:
        found = context.snapshots.between(context.tenant.id, first, last)
        # Days of before reports were have no sums to take apart.
        return [(day, Figures.of(shown)) for day, shown in found if "scored" in shown]
    [(part, names), *more] = asked.items()
    if more or (part == "tag" and len(names) > 1):
        return None
    days = []
    for day, shown in context.snapshots.between(context.tenant.id, first, last, part):
        figures = _summed(shown, frozenset(names))
        if figures is not None:
            days.append((day, figures))
    return days


def _summed(shown: Mapping[str, Any], names: frozenset[str]) -> Figures | None:
    """Return the figures of all of *names*; None if one may be among those that are not shown."""
    found, seen = Figures(), set()
    for name, figures in shown.items():
        if name.casefold() in names:
            seen.add(name.casefold())
            found.include(Figures.of(figures))
    return None if seen < names and len(shown) >= MOST_NAMES else found


def with_histories(context: Context, book: Book, customer_ids: Iterable[str]) -> None:
    """Give *book* the histories of some customers since the period began: 1 query each."""
    since = start_of(book.then or book.today - timedelta(days=book.period), book.where)
    book.histories = {each: history(context, each, since) for each in dict.fromkeys(customer_ids)}


def history(context: Context, customer_id: str, since: datetime) -> list[Change]:
    """Return the customer's visible changes after *since*, newest first, the latest so many."""
    changes = context.customers.history(context.tenant, customer_id, page=200)
    recent = takewhile(lambda change: change.at >= since, changes)
    return list(islice(filter(is_visible, recent), MOST_CHANGES))


def with_feed(context: Context, book: Book) -> None:
    """Give *book* the latest changes of a score in the period, of whomever it is about."""
    since = start_of(book.today - timedelta(days=book.period), book.where)
    here = {each.customer.id for each in (*book.accounts, *book.churned)}
    changes = context.customers.feed(context.tenant, since=since, page=500)
    moved = (
        change
        for change in changes
        if change.customer_id in here and change.score_before != change.score_after
    )
    book.feed = list(islice(moved, MOST_CHANGES))


def ids_of(accounts: Iterable[Account]) -> list[str]:
    """Return the customers' ids."""
    return [each.customer.id for each in accounts]
