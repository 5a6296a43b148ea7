"""The figures of a portfolio, and its report, against plain loops over the customers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from tests.builders import NOW, TODAY, a_change, a_model, customer_number
from tests.unit.domain.reports.portfolio_books import THEN, a_book, checked, scoring, then
from tests.unit.domain.reports.seen import (
    Seen,
    books,
    calls_expected,
    chart,
    kpis,
    kpis_expected,
    mean,
    paid,
    percent,
    rows,
    seen_in,
    without,
)

from vitals.domain.model import LIFECYCLES, STATUSES
from vitals.domain.reports import framing, sections
from vitals.domain.reports.accounts import newly_at_risk, recovered
from vitals.domain.reports.book import Book, Filters
from vitals.domain.reports.catalogue import BY_NAME
from vitals.domain.reports.document import Prose, said
from vitals.domain.reports.movement import movement_chart
from vitals.domain.reports.portfolio import portfolio_figures
from vitals.domain.reports.portfolio_summary import build
from vitals.domain.reports.renewals import renewal_figures
from vitals.domain.snapshot import Figures

MINE = (
    "portfolio_summary",
    "at_risk_accounts",
    "renewal_forecast",
    "churn_risk",
    "weekly_digest",
)
WINDOWS = {"overdue": (-(10**6), -1), "0-30": (0, 30), "31-60": (31, 60), "61-90": (61, 90)}


def in_window(seen: Iterable[Seen], window: str) -> list[Seen]:
    low, high = WINDOWS[window]
    return [each for each in seen if each.days is not None and low <= each.days <= high]


def renewing(seen: list[Seen]) -> dict[str, Any]:
    risky = [each for each in seen if each.at_risk]
    return {
        "customers": len(seen),
        "mrr": paid(seen),
        "at_risk": len(risky),
        "at_risk_mrr": paid(risky),
    }


def tiers_expected(seen: list[Seen]) -> list[dict[str, Any]]:
    names: list[str | None] = ["enterprise", "mid", "smb"]
    names += [None] if any(each.customer.tier is None for each in seen) else []
    found = []
    for tier in names:
        own = [each for each in seen if each.customer.tier == tier]
        risky = [each for each in own if each.at_risk]
        found.append(
            {
                "tier": tier,
                "customers": len(own),
                "mrr": paid(own),
                "average_score": mean(own),
                "at_risk": len(risky),
                "at_risk_mrr": paid(risky),
            }
        )
    return found


def bands_expected(seen: list[Seen]) -> list[dict[str, Any]]:
    return [
        {
            "band": band,
            "customers": len([each for each in seen if each.status == band]),
            "percent": percent(len([each for each in seen if each.status == band]), len(seen)),
            "mrr": paid(each for each in seen if each.status == band),
        }
        for band in STATUSES
    ]


def expansions(seen: list[Seen]) -> list[Fraction]:
    ready = [each for each in seen if each.status == "expansion" and each.mrr]
    return [Fraction(int(each.mrr * 20 + Fraction(1, 2)), 100) for each in ready]


def drops_expected(seen: list[Seen], count: int) -> list[tuple[str, int, int | None, int | None]]:
    fell = [
        (
            each.score - each.was,
            -each.mrr,
            each.customer.name,
            each.customer.id,
            each.score,
            each.was,
        )
        for each in seen
        if each.score is not None and each.was is not None and each.score < each.was
    ]
    return [(row[3], row[0], row[4], row[5]) for row in sorted(fell)[:count]]


@settings(max_examples=60)
@given(books())
def test_every_figure_of_a_portfolio_is_that_of_its_customers(book: Book) -> None:
    seen, found = seen_in(book), portfolio_figures(book)
    expected = kpis_expected(book)
    assert found["totals"] == {
        name: {
            "value": now,
            "previous": before,
            "change": None if now is None or before is None else now - before,
        }
        for name, (now, before) in expected.items()
    }
    assert found["scored"] + found["unscored"] == found["totals"]["customers"]["value"]
    assert found["unscored"] == len([each for each in seen if each.score is None])
    everybody = [each.customer for each in (*book.accounts, *book.churned)]
    assert found["lifecycles"] == {
        stage: len([each for each in everybody if each.lifecycle == stage]) for stage in LIFECYCLES
    }
    assert found["churned"] == found["lifecycles"]["churned"]
    assert found["bands"] == bands_expected(seen)
    assert found["tiers"] == tiers_expected(seen)
    assert found["momentum"] == {
        word: len([each for each in seen if each.momentum == word])
        for word in ("rising", "steady", "falling", "unknown")
    }
    assert found["expansion"] == {
        "customers": len(expansions(seen)),
        "mrr": sum(expansions(seen)),
    }


@settings(max_examples=60)
@given(books())
def test_the_heatmap_and_the_pipeline_hold_each_customer_once(book: Book) -> None:
    seen, found = seen_in(book), portfolio_figures(book)
    for row in found["heatmap"]:
        for band, cell in row["bands"].items():
            own = [
                each for each in seen if (each.customer.tier, each.status) == (row["tier"], band)
            ]
            assert cell == {"customers": len(own), "mrr": paid(own)}
    cells = [cell for row in found["heatmap"] for cell in row["bands"].values()]
    assert sum(cell["customers"] for cell in cells) == len(seen)
    assert found["renewals"]["pipeline"] == [
        {"window": window, **renewing(in_window(seen, window))} for window in WINDOWS
    ]
    soon = [each for each in seen if each.days is not None and 0 <= each.days <= 90]
    assert found["renewals"]["upcoming"] == {"within_days": 90, **renewing(soon)}


@settings(max_examples=60)
@given(books())
def test_the_biggest_drops_and_the_priority_accounts_of_a_portfolio(book: Book) -> None:
    seen, found = seen_in(book), portfolio_figures(book)
    assert [
        (row["id"], row["change"], row["score"], row["score_then"])
        for row in found["biggest_drops"]
    ] == drops_expected(seen, 10)
    parts = ("risk", "revenue_share", "renewal_factor")
    shown = [
        {
            **{name: row[name] for name in ("name", "manager", "score", "status", "mrr")},
            "days_until_renewal": row["days_until_renewal"],
            **{part: row["priority"] and row["priority"][part] for part in parts},
            "priority": row["priority_score"],
        }
        for row in found["priority_accounts"]
    ]
    assert shown == calls_expected(book, seen)
    for row in found["priority_accounts"]:
        [own] = [each for each in seen if each.customer.id == row["id"]]
        assert {cost["signal"] for cost in row["costs"]} == own.costs.keys()


@settings(max_examples=60)
@given(books())
def test_the_portfolio_summary_shows_what_the_customers_are(book: Book) -> None:
    seen, view = seen_in(book), checked(build(book))
    upcoming = [each for each in seen if each.days is not None and 0 <= each.days <= 90]
    came_and_went = {
        each.name: (each.value, None)
        for each in sections.came_and_went(book)
        if each.name != "joined_mrr"
    }
    assert kpis(view) == {
        **kpis_expected(book),
        **came_and_went,
        "upcoming_renewals": (len(upcoming), None),
        "upcoming_mrr": (paid(upcoming), None),
        "expansion": (sum(expansions(seen)), None),
    }
    bands = bands_expected(seen)
    assert rows(view, "bands") == [{"status": row["band"], **without(row, "band")} for row in bands]
    [series] = chart(view, "band_chart")["series"]
    assert series["values"] == [row["customers"] for row in bands]
    assert rows(view, "tiers") == tiers_expected(seen)
    for row in rows(view, "heatmap"):
        for band in STATUSES:
            own = [each for each in seen if each.customer.tier == row["tier"]]
            assert row[band] == len([each for each in own if each.status == band])
    pipeline = [renewing(in_window(seen, window)) for window in WINDOWS]
    assert [without(row, "window") for row in rows(view, "renewals")] == pipeline
    safe, risky = chart(view, "renewal_chart")["series"]
    assert risky["values"] == [each["at_risk_mrr"] for each in pipeline]
    assert safe["values"] == [each["mrr"] - each["at_risk_mrr"] for each in pipeline]
    drops = [(row["moved"], row["score"], row["score_then"]) for row in rows(view, "biggest_drops")]
    assert drops == [row[1:] for row in drops_expected(seen, 5)]
    calls = [without(row, "reason") for row in rows(view, "priority_accounts")]
    assert calls == calls_expected(book, seen)
    assert ("movement" in {each["name"] for each in view["sections"]}) == (
        movement_chart(book) is not None
    )


@settings(max_examples=60)
@given(books())
def test_the_order_in_which_customers_are_read_changes_no_report(book: Book) -> None:
    turned = replace(
        book,
        accounts=book.accounts[::-1],
        churned=book.churned[::-1],
        trashed=book.trashed[::-1],
    )
    assert portfolio_figures(turned) == portfolio_figures(book)
    assert renewal_figures(turned) == renewal_figures(book)
    for name in MINE:
        assert BY_NAME[name].build(turned) == BY_NAME[name].build(book)


@pytest.mark.parametrize("name", MINE)
def test_a_book_of_nobody_and_one_of_one_bare_customer_have_every_report(name: str) -> None:
    bare = customer_number(1, name="Ж" * 80)
    for customers in ((), (bare,)):
        for day in (None, THEN):
            view = checked(BY_NAME[name].build(a_book(customers, then=day)))
            assert view["report"] == name
            assert view["sections"][-1]["title"] == "How to read this"


def test_an_empty_portfolio_is_reported_with_every_table_empty_or_zero() -> None:
    view = checked(build(a_book(then=None)))
    assert view["headlines"][0] == "0 customers, none with a score."
    assert view["period"] is None
    assert all(row["customers"] == 0 for row in rows(view, "bands"))
    assert rows(view, "priority_accounts") == []
    reading = view["sections"][-1]
    assert "No earlier day is known yet, so nothing is compared." in reading["lines"]
    assert portfolio_figures(a_book(then=None))["totals"]["average_score"]["value"] is None


def test_the_headlines_name_the_day_the_change_and_whom_to_call() -> None:
    book = a_book(
        [scoring(1, 40, mrr=300, renewal_date=TODAY + timedelta(days=5)), scoring(2, 71, mrr=100)],
        scores_then=then({1: 60, 2: 71}),
        figures_then=Figures(customers=2, mrr=380, scored=2, total=131, at_risk=0, at_risk_mrr=0),
    )
    headlines = [said(line) for line in build(book).headlines]
    assert headlines == [
        "2 customers with an average score of 55.5; it was 65.5 on 2026-02-01.",
        "1 customer is at risk, with 300 MRR, 75% of all; 0 with 0 MRR on 2026-02-01.",
        "Customer 1 fell most, from 60 to 40.",
        "Call Customer 1 first: 300 MRR, score 40; score set by hand, renews within 30 days.",
    ]


def test_what_fell_most_is_named_with_the_signals_that_did_it() -> None:
    customer = customer_number(
        1, mrr=100, signals={"logins": 3, "nps": 10}, last_contact_on=None, score=46
    )
    change = a_change(
        customer,
        score_before=90,
        score_after=46,
        contributions_before={"logins": "52.5", "nps": "37.5"},
        contributions_after={"logins": "6.25", "nps": "37.5"},
    )
    book = a_book([customer], scores_then=then({1: 90}), histories={customer.id: [change]})
    [row] = rows(checked(build(book)), "biggest_drops")
    assert (row["score_then"], row["score"], row["signal_1"]) == (90, 44, "logins")
    assert (row["change_1"], row["signal_2"]) == (Fraction("-46.25"), None)
    assert said(build(book).headlines[2]) == (
        "Customer 1 fell most, from 90 to 44, most of it by logins."
    )


def test_the_five_that_fell_most_are_named() -> None:
    fell = [scoring(number, 90 - number) for number in range(7)]
    book = a_book(fell, scores_then=then(dict.fromkeys(range(7), 90)))
    table = rows(checked(build(book)), "biggest_drops")
    assert [row["moved"] for row in table] == [-6, -5, -4, -3, -2]


def test_with_filters_whose_figures_then_are_unknown_the_report_says_so() -> None:
    book = a_book([scoring(1, 40, tier="smb")], filters=Filters(tiers=frozenset({"smb"})))
    view = checked(build(book))
    assert view["filters"] == {"tier": ["smb"]}
    assert kpis(view)["average_score"] == (40, None)
    assert any("not known for these filters" in line for line in view["sections"][-1]["lines"])


def test_another_model_since_then_is_said_wherever_scores_are_compared() -> None:
    book = a_book(
        [scoring(1, 55, mrr=300), scoring(2, 52)],
        scores_then=then({1: 55, 2: 61}),
        model=a_model(
            3, bands={"critical": 0, "at_risk": 25, "watch": 60, "healthy": 65, "expansion": 80}
        ),
        model_then=a_model(2),
        model_since=NOW,
    )
    told = (
        "The model is version 3 since 2026-03-02T12:00:00.000Z: scores and bands of before are of "
        "version 2, and part of what moved is the model."
    )
    assert said(build(book).headlines[-1]) == told
    assert (
        said(framing.report(book, "trend", headlines=(), sections=(), table="").headlines[0])
        == told
    )
    quiet = framing.report(
        book, "renewal_forecast", headlines=(), sections=(), table="", compares=False
    )
    assert quiet.headlines == ()
    [reading] = quiet.sections
    assert isinstance(reading, Prose)
    assert reading.lines == ()


def test_what_was_at_risk_then_is_so_by_the_bands_of_then() -> None:
    book = a_book(
        [scoring(1, 40), scoring(2, 40), scoring(3, 90)],
        scores_then=then({1: 55, 2: 61, 3: 55}),
        model_then=a_model(
            2, bands={"critical": 0, "at_risk": 25, "watch": 60, "healthy": 65, "expansion": 80}
        ),
        model_since=NOW,
    )
    assert [each.customer.name for each in newly_at_risk(book)] == ["Customer 2"]
    assert [each.customer.name for each in recovered(book)] == ["Customer 3"]


def test_of_filtered_customers_is_said_whose_figures_are_compared() -> None:
    book = a_book(
        [scoring(1, 40)], figures_then=Figures(), filters=Filters(tiers=frozenset({"mid"}))
    )
    [*_, reading] = build(book).sections
    assert isinstance(reading, Prose)
    assert any("whom the filters meant then" in said(line) for line in reading.lines)
    [*_, reading] = build(replace(book, filters=Filters())).sections
    assert isinstance(reading, Prose)
    assert not any("whom the filters meant then" in said(line) for line in reading.lines)


def test_a_filter_is_shown_as_most_accounts_spell_it() -> None:
    filters = Filters(managers=frozenset({"ana ruiz", "nobody"}), tags=frozenset({"vip"}))
    customers = [
        scoring(number, 50, manager=manager, tags=tags)
        for number, (manager, tags) in enumerate(
            [("Ana Ruiz", ("VIP", "Straße")), ("ana ruiz", ("vip",)), ("Ana Ruiz", ("VIP",))], 1
        )
    ]
    shown = build(a_book(customers, filters=filters)).filters
    assert shown == {"manager": ("Ana Ruiz", "nobody"), "tag": ("VIP",)}
