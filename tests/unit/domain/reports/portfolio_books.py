"""Books that tests speak of, and those that Hypothesis draws."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st
from tests.builders import NOW, TODAY, a_model, an_id, customer_number

from vitals.domain.customer import Customer, Override
from vitals.domain.model import STATUSES
from vitals.domain.numbers import Number
from vitals.domain.reports.book import Account, Book, Filters
from vitals.domain.reports.document import Document, document_view

MODEL = a_model()
THEN = date(2026, 2, 1)


def scoring(number: int, score: int | None, **fields: Any) -> Customer:
    """Return a customer that somebody has set to *score*; None: one that has none."""
    override = None if score is None else Override(score, "key-1", NOW)
    return customer_number(number, **{"override": override, **fields})


def a_book(customers: Iterable[Customer] = (), **fields: Any) -> Book:
    """Return a book of *customers* as of NOW that compares with THEN."""
    customers = tuple(customers)
    paid = sum((each.mrr or 0 for each in customers), start=0)
    book = Book(**{"as_of": NOW, "model": MODEL, "portfolio_mrr": paid, "then": THEN, **fields})
    for customer in customers:
        book.add(customer, MODEL)
    return book


def then(scores: Mapping[int, int | None]) -> dict[str, int | None]:
    """Return the scores of that day, by the customers' numbers."""
    return {an_id(number): score for number, score in scores.items()}


def exact(value: Number | None) -> Fraction | None:
    """Return *value* as a fraction, to compute with."""
    return None if value is None else Fraction(value)


def rounded(value: Fraction) -> Fraction:
    """Return *value* to four decimals, halves up, by counting."""
    units, rest = divmod(value * 10_000, 1)
    return Fraction(units + (1 if 2 * rest >= 1 else 0), 10_000)


def mean(scores: Iterable[int]) -> Fraction | None:
    """Return the mean to four decimals, None of nothing."""
    found = list(scores)
    return rounded(Fraction(sum(found), len(found))) if found else None


def checked(document: Document) -> dict[str, Any]:
    """Return *document* as JSON values, after checking that its form holds together."""
    names = [section.name for section in document.sections]
    assert len(set(names)) == len(names)
    assert document.table in document.tables()
    assert 2 <= len(document.headlines) <= 5
    for table in document.tables().values():
        assert all(len(row) == len(table.columns) for row in table.rows)
    for section in document_view(document)["sections"]:
        if section["section"] == "chart":
            assert all(len(each["values"]) == len(section["labels"]) for each in section["series"])
    return document_view(document)


scores = st.none() | st.integers(0, 100)
amounts = st.sampled_from([None, 0, 100, 250, Decimal("99.9"), Decimal("0.1")])


@st.composite
def customers(draw: st.DrawFn, number: int) -> Customer:
    """Draw one customer with all that portfolios are divided by."""
    days = st.none() | st.integers(-40, 140).map(lambda count: TODAY + timedelta(days=count))
    contacts = st.none() | st.integers(-5, 120).map(lambda count: TODAY - timedelta(days=count))
    created = st.integers(1, 400).map(lambda count: NOW - timedelta(days=count))
    lifecycle = draw(st.sampled_from(["active", "active", "won", "trial", "paused", "churned"]))
    return scoring(
        number,
        draw(scores),
        name=draw(st.sampled_from(["Acme", "Beta", "Delta", "Zulu"])),
        signals=draw(st.sampled_from([{}, {"logins": 12}, {"logins": 30, "nps": 3}])),
        mrr=draw(amounts),
        tier=draw(st.sampled_from([None, "smb", "mid", "enterprise"])),
        lifecycle=lifecycle,
        churned_on=draw(days) if lifecycle == "churned" else None,
        manager=draw(st.sampled_from([None, "Ada", "ADA", "Ben", "Chloé"])),
        tags=draw(st.sampled_from([(), (), ("emea",), ("emea", "vip"), ("VIP",), ("Vip", "new")])),
        renewal_date=draw(days),
        last_contact_on=draw(contacts),
        created_at=draw(created),
        deleted_at=draw(st.sampled_from([None, None, None, NOW])),
    )


@st.composite
def books(draw: st.DrawFn, *, most: int = 9) -> Book:
    """Draw a portfolio with what is known of that day, seen through filters or not."""
    count = draw(st.integers(0, most))
    drawn = [draw(customers(number)) for number in range(count)]
    known = draw(st.booleans()) or draw(st.booleans())
    gone = draw(st.integers(0, 2))
    at_then = {
        number: draw(scores) for number in range(count + gone) if known and draw(st.integers(0, 3))
    }
    filters = draw(
        st.sampled_from(
            [
                Filters(),
                Filters(),
                Filters(tiers=frozenset({"smb", "mid"})),
                Filters(managers=frozenset({"ada"})),
                Filters(lifecycles=frozenset({"active", "churned"})),
                Filters(tags=frozenset({"vip"})),
            ]
        )
    )
    return a_book(
        drawn,
        then=THEN if known else None,
        scores_then=then(at_then),
        filters=filters,
        subject="Vitals Ltd",
    )


def midday(day: date, hour: int = 12) -> datetime:
    """Return an instant on *day* in UTC."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=NOW.tzinfo)


def exactly(amounts: Iterable[Number]) -> Fraction:
    """Return the sum of *amounts*."""
    return sum(map(Fraction, amounts), start=Fraction(0))


def share(part: Number | Fraction, whole: Number | Fraction) -> Fraction | None:
    """Return *part* of *whole* in percent, to four decimals."""
    return rounded(100 * Fraction(part) / Fraction(whole)) if whole else None


def group_of(accounts: list[Account]) -> dict[str, Any]:
    """Return the figures of a group, each by its definition."""
    scored = [each for each in accounts if each.score is not None]
    risky = [each for each in accounts if each.status in ("critical", "at_risk")]
    both = [(each.was, each.score) for each in scored if each.was is not None]
    trend = None
    if both:
        then, now = mean(was for was, _ in both), mean(score or 0 for _, score in both)
        assert then is not None
        assert now is not None
        trend = {
            "accounts": len(both),
            "then": then,
            "now": now,
            "change": now - then,
            "improved": sum((score or 0) > was for was, score in both),
            "declined": sum((score or 0) < was for was, score in both),
        }
    return {
        "accounts": len(accounts),
        "mrr": exactly(each.customer.mrr or 0 for each in accounts),
        "scored": len(scored),
        "average_score": mean(each.score or 0 for each in scored),
        "bands": {band: sum(each.status == band for each in accounts) for band in STATUSES},
        "at_risk": len(risky),
        "at_risk_percent": share(len(risky), len(accounts)),
        "at_risk_mrr": exactly(each.customer.mrr or 0 for each in risky),
        "trend": trend,
    }
