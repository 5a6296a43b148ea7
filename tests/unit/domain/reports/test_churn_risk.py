"""Churn Risk: an index that claims no probability, and the signals behind it."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from tests.builders import customer_number
from tests.unit.domain.reports.portfolio_books import a_book, checked, scoring
from tests.unit.domain.reports.seen import (
    books,
    calls_expected,
    chart,
    four,
    kpis,
    kpis_expected,
    paid,
    percent,
    rows,
    seen_in,
    without,
)

from vitals.domain.reports.accounts import costs
from vitals.domain.reports.book import Book
from vitals.domain.reports.churn_risk import build
from vitals.domain.reports.document import said
from vitals.domain.reports.risk import risk_index


@settings(max_examples=60)
@given(books())
def test_everybody_is_there_the_highest_risk_first_with_what_it_is_made_of(book: Book) -> None:
    seen = sorted(
        seen_in(book),
        key=lambda each: (
            101 if each.score is None else each.score,
            -each.mrr,
            each.customer.name,
            each.customer.id,
        ),
    )
    table = rows(checked(build(book)), "accounts")
    for row, each in zip(table, seen, strict=True):
        assert (row["name"], row["manager"]) == (each.customer.name, each.customer.manager)
        assert (row["tier"], row["mrr"]) == (each.customer.tier, each.customer.mrr)
        assert row["risk_index"] == (None if each.score is None else 100 - each.score)
        assert (row["status"], row["days_until_renewal"]) == (each.status, each.days)
        biggest = sorted((lost for lost in each.costs.values()), reverse=True)[:3]
        for number, lost in enumerate(biggest, start=1):
            shown, signal = row[f"lost_{number}"], row[f"factor_{number}"]
            assert abs(Fraction(shown or 0) - lost) < Fraction(1, 10_000)
            assert (signal is None) == (shown is None)
            assert signal is None or abs(each.costs[signal] - shown_as(row, number)) < Fraction(
                1, 10_000
            )
        assert all(row[f"factor_{number}"] is None for number in range(len(biggest) + 1, 4))


def shown_as(row: Mapping[str, Any], number: int) -> Fraction:
    return Fraction(row[f"lost_{number}"])


@settings(max_examples=60)
@given(books())
def test_the_distribution_counts_every_scored_account_once(book: Book) -> None:
    scored = [each for each in seen_in(book) if each.score is not None]
    view = checked(build(book))
    table = rows(view, "distribution")
    everything = paid(scored)
    for number, row in enumerate(table):
        own = [each for each in scored if number == min(9, (100 - (each.score or 0)) // 10)]
        assert (row["accounts"], row["mrr"]) == (len(own), paid(own))
        assert row["percent"] == percent(paid(own), everything)
    assert sum(row["accounts"] for row in table) == len(scored)
    [series] = chart(view, "risk_chart")["series"]
    assert series["values"] == [row["accounts"] for row in table]
    assert [row["risk_index"] for row in table][::9] == ["0 to 9", "90 to 100"]


@settings(max_examples=60)
@given(books())
def test_the_signals_behind_the_risk_of_the_whole_book(book: Book) -> None:
    view = checked(build(book))
    found = [(account, costs(account)) for account in book.accounts]
    behind = [(account, own) for account, own in found if own]
    for row in rows(view, "signals"):
        lost = [Fraction(c.lost) for _, own in behind for c in own if c.signal == row["signal"]]
        assert row["mean_lost"] == four(sum(lost, start=Fraction(0)) / len(behind))
        most = [
            account for account, own in behind if own[0].lost and own[0].signal == row["signal"]
        ]
        assert row["accounts"] == len(most)
        assert row["mrr"] == sum(account.customer.mrr or 0 for account in most)
    names = {signal for each in seen_in(book) for signal in each.costs}
    assert {row["signal"] for row in rows(view, "signals")} == names


@settings(max_examples=60)
@given(books())
def test_the_key_figures_of_risk(book: Book) -> None:
    view, both, then = checked(build(book)), kpis_expected(book), book.figures_then
    now, before = both["average_score"]
    seen = seen_in(book)
    risky = paid(each for each in seen if each.at_risk)
    assert kpis(view) == {
        "average_risk_index": (
            None if now is None else 100 - now,
            None if before is None else 100 - before,
        ),
        "at_risk": both["at_risk"],
        "revenue_at_risk": both["revenue_at_risk"],
        "share_at_risk": (
            percent(risky, paid(seen)),
            percent(Fraction(then.at_risk_mrr), Fraction(then.mrr)) if then else None,
        ),
        "unscored": (
            len([each for each in seen if each.score is None]),
            then.customers - then.scored if then else None,
        ),
    }
    calls = [without(row, "reason") for row in rows(view, "priority_accounts")]
    assert calls == calls_expected(book, seen)


@settings(max_examples=60)
@given(books())
def test_no_field_claims_a_probability_and_the_index_is_called_uncalibrated(book: Book) -> None:
    view = checked(build(book))
    assert not [name for name in _names(view) if "probab" in name]
    [figures] = [each for each in view["sections"] if each["section"] == "figures"]
    assert "uncalibrated" in figures["figures"][0]["note"]
    assert any("is no probability" in line for line in view["sections"][-1]["lines"])


def _names(value: Any) -> list[str]:
    if isinstance(value, dict):
        named = [value["name"]] if isinstance(value.get("name"), str) else []
        return [*value, *named, *(name for each in value.values() for name in _names(each))]
    if isinstance(value, list):
        return [name for each in value for name in _names(each)]
    return []


def test_the_headlines_of_risk() -> None:
    book = a_book([customer_number(1, mrr=100, signals={"logins": 3, "nps": 10})], then=None)
    assert [said(line) for line in build(book).headlines] == [
        "The average risk index is 56 of 100, uncalibrated; no earlier one is known.",
        "Customer 1 has the highest risk index, 56: logins costs it 56.25 points.",
        "1 customer is at risk, with 100 MRR, 100% of all.",
        "Call Customer 1 first: 100 MRR, score 44; held down by logins.",
        "Over the whole book logins costs most: 56.25 points on the mean.",
    ]


@pytest.mark.parametrize(
    ("scores", "says"),
    [
        ((50, 49, 80), "1 of 3 scored accounts has an index over 50."),
        ((49, 12), "2 of 2 scored accounts have an index over 50."),
        ((49,), "1 of 1 scored account has an index over 50."),
        ((50,), "0 of 1 scored account have an index over 50."),
        ((None,), "No account has a score."),
    ],
)
def test_an_index_of_fifty_is_not_at_risk(scores: tuple[int | None, ...], says: str) -> None:
    book = a_book(scoring(number, score) for number, score in enumerate(scores))
    view = checked(build(book))
    assert chart(view, "risk_chart")["says"] == says
    assert says.startswith(str(book.figures.at_risk)) or scores == (None,)


def test_without_a_score_no_risk_is_known() -> None:
    view = checked(build(a_book([scoring(1, None)])))
    assert view["headlines"][0] == "Nobody has a score, so no risk is known."
    assert rows(view, "accounts")[0]["risk_index"] is None
    assert rows(view, "signals") == []
    assert (risk_index(None), risk_index(100), risk_index(0)) == (None, 0, 100)
