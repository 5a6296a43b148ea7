"""At-Risk Accounts: everybody under Watch, by urgency, and what holds them down."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from tests.builders import TODAY, customer_number
from tests.unit.domain.reports.portfolio_books import a_book, checked, scoring, then
from tests.unit.domain.reports.seen import (
    books,
    chart,
    four,
    kpis,
    kpis_expected,
    paid,
    percent,
    rows,
    seen_in,
    urgency,
)

from vitals.domain.reports.accounts import costs, reasons
from vitals.domain.reports.at_risk_accounts import build
from vitals.domain.reports.book import Book
from vitals.domain.reports.document import said


@settings(max_examples=60)
@given(books())
def test_everybody_at_risk_is_there_the_most_urgent_first(book: Book) -> None:
    portfolio = Fraction(book.portfolio_mrr)
    risky = urgency([each for each in seen_in(book) if each.at_risk], portfolio)
    view = checked(build(book))
    accounts = {each.customer.id: each for each in book.accounts}
    expected = []
    for each in risky:
        account, found = accounts[each.customer.id], each.priority(portfolio)
        moved = None if each.was is None or each.score is None else each.score - each.was
        expected.append(
            {
                "name": each.customer.name,
                "manager": each.customer.manager,
                "tier": each.customer.tier,
                "score": each.score,
                "status": each.status,
                "moved": moved,
                "mrr": each.customer.mrr,
                "days_until_renewal": each.days,
                "quiet_days": each.quiet,
                "priority": found["priority"] if found else None,
                "reason": list(reasons(account, costs(account))),
            }
        )
    assert rows(view, "accounts") == expected
    assert [row["renewal_date"] for row in rows(view, "priorities")] == [
        each.customer.renewal_date and each.customer.renewal_date.isoformat() for each in risky
    ]
    for row in rows(view, "priorities"):
        if row["priority"] is not None:
            product = Fraction(row["risk"]) * Fraction(row["revenue_share"])
            assert abs(
                product * Fraction(row["renewal_factor"]) - Fraction(row["priority"])
            ) < Fraction(2, 10**8)


@settings(max_examples=60)
@given(books())
def test_the_key_figures_of_those_at_risk(book: Book) -> None:
    seen, then_ = seen_in(book), book.figures_then
    risky = [each for each in seen if each.at_risk]
    near = [each for each in risky if each.days is not None and 0 <= each.days <= 90]
    both = kpis_expected(book)
    before = percent(Fraction(then_.at_risk_mrr), Fraction(then_.mrr)) if then_ else None
    assert kpis(checked(build(book))) == {
        "at_risk": both["at_risk"],
        "revenue_at_risk": both["revenue_at_risk"],
        "share_at_risk": (percent(paid(risky), paid(seen)), before),
        "critical": (len([each for each in risky if each.status == "critical"]), None),
        "renewing_mrr": (paid(near), None),
        "overdue_contacts": (len([each for each in risky if each.overdue]), None),
    }


@settings(max_examples=60)
@given(books())
def test_the_chart_shows_the_mean_of_what_each_signal_costs_them(book: Book) -> None:
    risky = [each for each in book.accounts if each.at_risk and costs(each)]
    view = checked(build(book))
    if not any(cost.units for each in risky for cost in costs(each)):
        assert "costs" not in {each["name"] for each in view["sections"]}
        return
    found = chart(view, "costs")
    values = dict(zip(found["labels"], found["series"][0]["values"], strict=True))
    for signal, value in values.items():
        lost = [Fraction(c.lost) for each in risky for c in costs(each) if c.signal == signal]
        assert value == -four(sum(lost, start=Fraction(0)) / len(risky))


def test_the_headlines_tell_who_is_newly_at_risk_and_why() -> None:
    book = a_book(
        [
            customer_number(1, mrr=100, signals={"logins": 3}),
            customer_number(2, mrr=200, signals={"logins": 6, "nps": 9}),
            scoring(3, 90, mrr=700),
        ],
        scores_then=then({1: 60, 2: 30}),
    )
    assert [said(line) for line in build(book).headlines] == [
        "1 customer is at risk, with 100 MRR, 10% of all.",
        "1 of them was not at risk on 2026-02-01: 100 MRR.",
        "Call Customer 1 first: 100 MRR, score 10; held down by logins.",
        "logins is what costs most points in 1 of 1 account.",
    ]


@pytest.mark.parametrize(("days", "mrr"), [(-1, 0), (0, 100), (90, 100), (91, 0), (None, 0)])
def test_a_renewal_is_near_from_today_to_ninety_days(days: int | None, mrr: int) -> None:
    day = None if days is None else TODAY + timedelta(days=days)
    view = checked(build(a_book([scoring(1, 40, mrr=100, renewal_date=day)])))
    assert kpis(view)["renewing_mrr"] == (mrr, None)


def test_nobody_at_risk_is_said() -> None:
    document = build(a_book([scoring(1, 50)]))
    checked(document)
    assert document.tables()["accounts"].empty == "Nobody is at risk."
    assert document.tables()["accounts"].rows == ()
    assert said(document.headlines[0]) == "0 customers are at risk, with 0 MRR."


def test_where_watch_begins_is_the_models() -> None:
    lines = checked(build(a_book()))["sections"][-1]["lines"]
    assert (
        "At risk is a score under 50, where Watch begins: the bands Critical and At risk." in lines
    )
