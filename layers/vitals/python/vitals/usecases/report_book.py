"""Filling a book: one reading of the roster, and what is known of the days before."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from itertools import islice, takewhile
from typing import Any

from vitals.domain.change import Change, is_visible
from vitals.domain.instants import start_of
from vitals.domain.model import CHURNED
from vitals.domain.reports.book import Account, Book, Filters
from vitals.domain.reports.score_changes import ScoreChanges
from vitals.domain.snapshot import MOST_NAMES, Figures
from vitals.usecases.context import Context

LONGEST = 730
"""Days: no report looks further back."""
KEPT_SCORES = 399
"""Days for which it is known who stood at which score."""
MOST_CHANGES = 5000
"""So many changes, the latest, one history of a report has at most."""
MOST_READ = 50_000
"""So many changes of the feed, the latest, one report reads at most."""

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
    largest: int = 0,
) -> Book:
    """Return the book of *filters* as of now, which looks back *days*.

    1 reading of the roster, 1 of the tenant; 3 queries of the days before, 1 of the model that
    scored them. *daily* gives it every day's figures, and those of *managers* beside, 1 query
    more; *largest*: if nothing is filtered, also those of so many managers, with the most accounts.
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
        # What is drawn begins with the day that is compared with.
        first = max(filter(None, (book.today - timedelta(days=days), book.then)))
        last = book.today - timedelta(days=1)
        known = {"": figures_between(context, first, last, filters) or []}
        # A manager's line is of the manager's whole book, whomever the report is about.
        more = _largest(book, largest) if largest and not filters.shown() else []
        for name, before in _by_manager(context, first, last, [*managers, *more]).items():
            own = now.get(name.casefold())
            known[f"manager:{name}"] = before if own is None else [*before, (book.today, own)]
        book.daily = known
    return book


def _largest(book: Book, count: int) -> list[str]:
    """Return the *count* managers with the most accounts, by their most usual spelling."""
    from vitals.domain.reports.groups import spelled  # noqa: PLC0415 - one report needs it

    counts = Counter(each.customer.manager for each in book.accounts if each.customer.manager)
    by_fold = Counter[str]()
    for name, own in counts.items():
        by_fold[name.casefold()] += own
    spelling = spelled(counts)
    found = sorted(by_fold, key=lambda fold: (-by_fold[fold], fold))
    return [spelling[fold] for fold in found[:count]]


def _by_manager(context: Context, first: date, last: date, names: Sequence[str]) -> dict[str, Days]:
    """Return the figures of each known day of each of *names*: 1 query, if there is a name."""
    days: dict[str, Days] = {name: [] for name in names}
    if not names:
        return days
    for day, shown in context.snapshots.between(context.tenant.id, first, last, "manager"):
        for name, own in days.items():
            figures = _summed(shown, frozenset({name.casefold()}))
            if figures is not None:
                own.append((day, figures))
    return days


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
    _find_model(context, book, day)
    found = figures_between(context, day, day, book.filters)
    book.figures_then = found[0][1] if found else None


def _find_model(context: Context, book: Book, day: date) -> None:
    """Tell *book* which model scored *day*, if another: 1 query, if there is a second version."""
    if book.model.version == 1:
        return
    began, since, earlier = start_of(day, book.where), None, 1
    for version in context.tenants.models(context.tenant.id, page=5):
        if version.at is None or version.at < began:
            earlier = version.version
            break
        since = since or version.at
    before = context.model_of(earlier)
    if since is not None and not before.scores_like(book.model):
        book.model_then, book.model_since = before, since


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
    since = start_of(book.first_day, book.where)
    book.histories = {each: history(context, each, since) for each in dict.fromkeys(customer_ids)}
    of_it = book.histories.get(book.about or "", ())
    if len(of_it) == MOST_CHANGES:
        book.read_from = of_it[-1].at


def history(context: Context, customer_id: str, since: datetime) -> list[Change]:
    """Return the customer's visible changes after *since*, newest first, the latest so many."""
    changes = context.customers.history(context.tenant, customer_id, page=200)
    recent = takewhile(lambda change: change.at >= since, changes)
    return list(islice(filter(is_visible, recent), MOST_CHANGES))


def with_feed(context: Context, book: Book, most: int = MOST_READ) -> None:
    """Give *book* the changes of a score in the period, of whomever it is about, counted.

    Of the feed's latest *most* alone: of a tenant with more, from the oldest of them on.
    """
    since = start_of(book.first_day, book.where)
    here = {each.customer.id for each in (*book.accounts, *book.churned)}
    changes = context.customers.feed(context.tenant, since=since)
    oldest: Change | None = None

    def read() -> Iterator[Change]:
        nonlocal oldest
        for oldest in islice(changes, most):
            if oldest.customer_id in here:
                yield oldest

    book.feed = ScoreChanges.of(read())
    if oldest is not None and next(changes, None) is not None:
        book.read_from = oldest.at


def ids_of(accounts: Iterable[Account]) -> list[str]:
    """Return the customers' ids."""
    return [each.customer.id for each in accounts]
