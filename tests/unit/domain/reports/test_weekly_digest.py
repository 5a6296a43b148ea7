"""Weekly Digest: who moved, came and went, turned, renews and waits, against plain loops."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from tests.builders import NOW, TODAY, a_change, customer_number
from tests.unit import oracle
from tests.unit.domain.reports.portfolio_books import a_book, checked, scoring, then
from tests.unit.domain.reports.seen import (
    DOCUMENTS,
    MODELS,
    Seen,
    books,
    calls_expected,
    kpis,
    kpis_expected,
    paid,
    rows,
    seen_in,
    without,
)

from vitals.domain.reports.book import Book, Filters
from vitals.domain.reports.document import said
from vitals.domain.reports.weekly_digest import build
from vitals.domain.snapshot import Figures


def by_size(seen: list[Seen]) -> list[Seen]:
    return sorted(seen, key=lambda each: (-each.mrr, each.customer.name, each.customer.id))


def was_risky(book: Book, each: Seen) -> bool | None:
    """Tell whether the score then was at risk; None if it is not known."""
    document = DOCUMENTS[MODELS.index(book.model)]
    if each.was is None:
        return None
    return oracle.band(document, each.was) in ("critical", "at_risk")


def turned(seen: list[Seen]) -> list[tuple[Any, ...]]:
    return [
        (e.customer.name, e.customer.mrr, e.was, e.score, e.status, (e.score or 0) - (e.was or 0))
        for e in by_size(seen)
    ]


def turned_rows(table: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    names = ("name", "mrr", "score_then", "score", "status", "moved")
    return [tuple(row[name] for name in names) for row in table]


@settings(max_examples=60)
@given(books())
def test_who_turned_is_told_by_the_bands_then_and_now(book: Book) -> None:
    seen, view = seen_in(book), checked(build(book))
    risky = [each for each in seen if each.at_risk and was_risky(book, each) is False]
    well = [
        each
        for each in seen
        if each.score is not None and not each.at_risk and was_risky(book, each)
    ]
    assert turned_rows(rows(view, "newly_at_risk")) == turned(risky)
    assert turned_rows(rows(view, "recovered")) == turned(well)


@settings(max_examples=60)
@given(books())
def test_who_fell_and_rose_most_is_told(book: Book) -> None:
    seen, view = seen_in(book), checked(build(book))
    for name, sign in (("fell", -1), ("rose", 1)):
        moved = [
            ((each.score - each.was) * sign, each)
            for each in by_size(seen)
            if each.score is not None and each.was is not None
        ]
        expected = sorted((pair for pair in moved if pair[0] > 0), key=lambda pair: -pair[0])[:5]
        assert [(row["name"], row["moved"]) for row in rows(view, name)] == [
            (each.customer.name, move * sign) for move, each in expected
        ]


@settings(max_examples=60)
@given(books())
def test_who_came_and_who_went_is_told(book: Book) -> None:
    seen, view = seen_in(book), checked(build(book))
    joined = [
        each
        for each in seen
        if book.then
        and each.customer.id not in book.scores_then
        and each.customer.lifecycle != "churned"
    ]
    assert [row["name"] for row in rows(view, "joined")] == [
        each.customer.name for each in by_size(joined)
    ]
    gone = [each.customer for each in book.churned] + book.trashed
    told = book.then is not None and not book.filters.lifecycles
    known = sorted(
        (each for each in gone if each.id in book.scores_then and told),
        key=lambda each: (-(each.mrr or 0), each.name, each.id),
    )
    assert [(row["name"], row["score_then"], row["how"]) for row in rows(view, "left")] == [
        (each.name, book.scores_then[each.id], "deleted" if each.deleted_at else "churned")
        for each in known
    ]
    figures = kpis(view)
    assert figures["joined"] == (len(joined) if book.then else None, None)
    assert figures["joined_mrr"] == (paid(joined) if book.then else None, None)
    assert figures["left"] == (len(book.lost) if told else None, None)
    lost_mrr = sum((Fraction(each.mrr or 0) for each in known), start=Fraction(0))
    assert figures["left_mrr"] == (lost_mrr if told else None, None)


@settings(max_examples=60)
@given(books())
def test_who_renews_soon_who_waits_for_a_call_and_whom_to_call_first(book: Book) -> None:
    seen, view = seen_in(book), checked(build(book))
    soon = [each for each in seen if each.days is not None and 0 <= each.days <= 30]
    soon.sort(
        key=lambda each: (
            each.days,
            101 if each.score is None else each.score,
            -each.mrr,
            each.customer.name,
            each.customer.id,
        )
    )
    table = rows(view, "renewals")
    assert [(row["name"], row["days_until_renewal"], row["score"]) for row in table] == [
        (each.customer.name, each.days, each.score) for each in soon
    ]
    quiet = sorted(by_size([each for each in seen if each.overdue]), key=lambda each: -each.quiet)
    assert [(row["name"], row["quiet_days"]) for row in rows(view, "overdue_contacts")] == [
        (each.customer.name, each.quiet) for each in quiet
    ]
    assert {
        name: value for name, value in kpis(view).items() if not name.startswith(("joined", "left"))
    } == {
        **without(kpis_expected(book), "arr"),
        "renewals": (len(soon), None),
        "renewing_mrr": (paid(soon), None),
        "overdue_contacts": (len(quiet), None),
    }
    calls = [without(row, "reason") for row in rows(view, "priority_accounts")]
    assert calls == calls_expected(book, seen)


def test_a_week_in_five_headlines() -> None:
    customer = customer_number(1, mrr=100, signals={"logins": 3, "nps": 10})
    change = a_change(
        customer,
        score_before=90,
        contributions_before={"logins": "52.5", "nps": "37.5"},
        contributions_after={"logins": "6.25", "nps": "37.5"},
    )
    book = a_book(
        [customer, scoring(2, 70, mrr=50), scoring(3, 60, lifecycle="churned")],
        scores_then=then({1: 90, 3: 55}),
        then=date(2026, 2, 23),
        figures_then=Figures(customers=2, mrr=120, scored=2, total=145),
        histories={customer.id: [change]},
    )
    assert [said(line) for line in build(book).headlines] == [
        "2 customers with an average score of 57; it was 72.5 on 2026-02-23.",
        "Customer 1 fell most, from 90 to 44, most of it by logins.",
        "1 newly at risk, with 100 MRR; 0 recovered, with 0 MRR.",
        "1 customer joined and 1 left.",
        "Call Customer 1 first: 100 MRR, score 44; held down by logins.",
    ]
    view = checked(build(book))
    assert [row["name"] for row in rows(view, "joined")] == ["Customer 2"]
    assert rows(view, "fell")[0]["signal_1"] == "logins"
    assert view["period"] == {"from": "2026-02-23", "to": "2026-03-02"}


def test_a_week_without_a_day_before_it_says_so() -> None:
    view = checked(build(a_book([scoring(1, 40)], then=None)))
    assert "No earlier day is known: who came and who went cannot be told." in view["headlines"]
    assert rows(view, "joined") == []
    assert "movement" not in {each["name"] for each in view["sections"]}


def test_a_customer_that_churned_is_not_new_where_a_filter_asks_for_such() -> None:
    asked = Filters(lifecycles=frozenset({"churned", "active"}))
    book = a_book([scoring(1, 40, lifecycle="churned"), scoring(2, 50)], filters=asked)
    assert [row["name"] for row in rows(checked(build(book)), "joined")] == ["Customer 2"]


def test_a_customer_that_was_purged_is_counted_and_not_named() -> None:
    document = build(a_book([scoring(1, 40)], scores_then=then({1: 40, 2: 50})))
    left = document.tables()["left"]
    assert left.rows == ()
    assert left.note is not None
    assert said(left.note) == "Of 1 more nothing but the score then is known."


def test_a_customer_that_nobody_ever_contacted_waits_since_it_was_created() -> None:
    created = NOW - timedelta(days=50)
    view = checked(build(a_book([customer_number(1, created_at=created)])))
    [row] = rows(view, "overdue_contacts")
    assert (row["quiet_days"], row["last_contact_on"]) == ((TODAY - created.date()).days, None)
