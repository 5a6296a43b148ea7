"""Accounts in the order of calling, what their signals cost, and why to call."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import TODAY, customer_number
from tests.unit.domain.reports.portfolio_books import a_book, scoring, then
from tests.unit.domain.reports.seen import Seen, books, four, seen_in, urgency

from vitals.domain.customer import Customer
from vitals.domain.reports.accounts import (
    by_urgency,
    costs,
    first_to_call,
    is_low_confidence,
    mean_costs,
    newly_at_risk,
    percent,
    reasons,
    recovered,
)
from vitals.domain.reports.book import Account, Book


@settings(max_examples=60)
@given(books(), st.integers(0, 6))
def test_the_most_urgent_come_first_however_many_are_asked_for(book: Book, count: int) -> None:
    expected = [each.customer for each in urgency(seen_in(book), Fraction(book.portfolio_mrr))]
    found = by_urgency(book.accounts)
    assert [each.account.customer for each in found] == expected
    assert all(each.priority == each.account.priority for each in found)
    first = first_to_call(book.accounts, count, book.portfolio_mrr)
    assert [each.account.customer for each in first] == expected[:count]


def test_priorities_that_are_equal_once_rounded_go_by_the_score() -> None:
    tiny = [
        customer_number(number, mrr=mrr, override=None, signals=signals)
        for number, mrr, signals in (
            (1, Decimal("0.01"), {"logins": 0}),
            (2, Decimal("0.05"), {"logins": 30, "nps": 0}),
            (3, 10**9, {"logins": 30}),
        )
    ]
    book = a_book(tiny)
    names = [each.account.customer.name for each in first_to_call(book.accounts, 1, 10**9)]
    assert names == ["Customer 1"]


@settings(max_examples=60)
@given(books())
def test_what_signals_cost_is_what_they_do_not_contribute(book: Book) -> None:
    for account, seen in zip(book.accounts, seen_in(book), strict=True):
        found, expected = costs(account), seen.costs
        assert {each.signal for each in found} == expected.keys()
        assert [each.lost for each in found] == sorted((each.lost for each in found), reverse=True)
        for each in found:
            assert abs(Fraction(each.lost) - expected[each.signal]) < Fraction(1, 10_000)
            assert each.lost >= 0
            assert each.value == (
                (
                    each.signal == "days"
                    and seen.customer.last_contact_on
                    and max(0, (TODAY - seen.customer.last_contact_on).days)
                )
                or seen.customer.signals.get(each.signal, each.value)
            )
        if found:
            assert sum(Fraction(each.lost) for each in found) == four(
                sum(expected.values(), start=Fraction(0))
            )
        by_signal = {each.signal: each for each in account.contributions}
        assert all(by_signal[each.signal].points == each.points for each in found)


@settings(max_examples=60)
@given(books())
def test_mean_costs_are_of_the_accounts_that_have_any(book: Book) -> None:
    found = [costs(each) for each in book.accounts]
    scored = [own for own in found if own]
    totals: dict[str, Fraction] = {}
    for own in scored:
        for cost in own:
            totals[cost.signal] = totals.get(cost.signal, Fraction(0)) + Fraction(cost.lost)
    expected = {name: four(total / len(scored)) for name, total in totals.items()}
    means = mean_costs(found)
    assert dict(means) == expected
    assert means == sorted(means, key=lambda pair: (-pair[1], pair[0]))


def _expected_reasons(seen: Seen, weak: list[str]) -> list[str]:
    words = []
    if seen.score is None:
        words.append("no score yet")
    elif seen.customer.override:
        words.append("score set by hand")
    if weak:
        words_of = {"nps": "NPS", "csat": "CSAT", "days": "days since contact"}
        spoken = []
        for each in weak:
            name, space, rest = each.partition(" ")
            spoken.append(words_of.get(name, name) + space + rest)
        words.append("held down by " + " and ".join(spoken))
    if seen.momentum == "falling":
        words.append("score fell in the last 7 days")
    if seen.overdue:
        words.append("contact overdue")
    days = seen.days
    if days is not None and days < 0:
        words.append("renewal overdue")
    elif days is not None and days <= 90:
        words.append(f"renews within {30 if days <= 30 else 60 if days <= 60 else 90} days")
    return words


@settings(max_examples=60)
@given(books())
def test_the_reasons_to_call_are_those_that_hold(book: Book) -> None:
    for account, seen in zip(book.accounts, seen_in(book), strict=True):
        found = costs(account)
        weak = [
            each.signal if each.value is not None else f"{each.signal} (no value)"
            for each in found[:2]
            if each.lost
        ]
        assert list(reasons(account, found)) == _expected_reasons(seen, weak)
        assert is_low_confidence(account) == seen.low_confidence


def test_the_reasons_of_one_account_in_words() -> None:
    account = _only(
        customer_number(
            1,
            mrr=100,
            tier="enterprise",
            signals={"logins": 3, "tickets": 5, "nps": 10},
            last_contact_on=TODAY - timedelta(days=30),
            renewal_date=TODAY + timedelta(days=12),
            recent=((TODAY - timedelta(days=9), 80, 80),),
        )
    )
    assert reasons(account, costs(account)) == (
        "held down by logins and tickets",
        "score fell in the last 7 days",
        "contact overdue",
        "renews within 30 days",
    )


def test_a_customer_is_newly_at_risk_or_recovered_only_if_its_score_was_known() -> None:
    book = a_book(
        [scoring(1, 40), scoring(2, 40), scoring(3, 40), scoring(4, 60), scoring(5, 60)],
        scores_then=then({1: 50, 2: 49, 3: None, 4: 49, 5: 50}),
    )
    newly, well = newly_at_risk(book), recovered(book)
    assert [each.customer.name for each in newly] == ["Customer 1"]
    assert [each.customer.name for each in well] == ["Customer 4"]


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_percent_is_exact_and_that_of_nothing_unknown(part: int, whole: int) -> None:
    for shown, of in ((part, whole), (Decimal(part) / 100, Decimal(whole) / 10)):
        found = percent(shown, of)
        assert found == (four(100 * Fraction(shown) / Fraction(of)) if of else None)


def _only(customer: Customer) -> Account:
    [account] = a_book([customer]).accounts
    return account
