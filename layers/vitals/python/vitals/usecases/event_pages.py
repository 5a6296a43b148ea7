"""How many of a customer's events one transaction takes, and the counting of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from vitals.domain.customer import Customer
from vitals.domain.model import ScoringModel
from vitals.domain.product_events import Ledger, ProductEvent, user_digest
from vitals.storage.event_ports import Book
from vitals.usecases.event_input import Arrival

LARGEST_COMMIT = 1_000_000
"""Bytes of events that one transaction takes: with all that is counted of them it has 4 MB."""
LARGEST_LEDGERS = 1_200_000


@dataclass(slots=True)
class Page:
    """As many events as one transaction takes: those that count, and what became of the others."""

    events: list[ProductEvent] = field(default_factory=list)
    days: set[date] = field(default_factory=set)
    marks: dict[date, list[str]] = field(default_factory=dict)
    refused: list[tuple[Arrival, str]] = field(default_factory=list)
    duplicates: int = 0
    left: list[Arrival] = field(default_factory=list)


def counted(
    customer: Customer,
    arrivals: Sequence[Arrival],
    model: ScoringModel,
    book: Book,
    day_of: Callable[[datetime], date],
) -> Page:
    """Count *arrivals* in the ledgers of *book*, until there is no room in a transaction."""
    page, size = Page(), 0
    for number, each in enumerate(arrivals):
        if each.mark is not None and each.mark in book.known:
            page.duplicates += 1
            continue
        event, day = each.event, day_of(each.event.at)
        ledger = book.ledgers.setdefault(day, Ledger())
        taken = sum(book.ledgers[known].size for known in page.days | {day})
        if page.events and (size + each.size > LARGEST_COMMIT or taken > LARGEST_LEDGERS):
            page.left = list(arrivals[number:])
            break
        user = None if event.user is None else user_digest(customer.id, event.user)
        code = ledger.count(event, user, model.properties_of(event.name))
        if code:
            page.refused.append((each, code))
            continue
        size += each.size
        page.events.append(event)
        page.days.add(day)
        if each.mark is not None:
            book.known.add(each.mark)
            page.marks.setdefault(day, []).append(each.mark)
    return page
