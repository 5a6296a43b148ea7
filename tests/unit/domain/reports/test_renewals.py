"""Renewals by month and category, and the report on them, against plain loops."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import TODAY, customer_number
from tests.unit.domain.reports.portfolio_books import a_book, checked, scoring
from tests.unit.domain.reports.seen import (
    Seen,
    books,
    calls_expected,
    chart,
    kpis,
    paid,
    rows,
    seen_in,
    without,
)

from vitals.domain.instants import months_after
from vitals.domain.reports.book import Book
from vitals.domain.reports.document import said
from vitals.domain.reports.renewal_forecast import build
from vitals.domain.reports.renewals import CATEGORIES, MOST_MONTHS, flags, renewal_figures

BANDS = {
    "critical": "at_risk",
    "at_risk": "at_risk",
    "watch": "best_case",
    "healthy": "commit",
    "expansion": "commit",
    "unscored": "unknown",
}
WORDS = {"commit": "Commit", "best_case": "Best case", "at_risk": "At risk", "unknown": "Unknown"}
LAST = date(2027, 2, 28)


def shown(seen: Iterable[Seen]) -> dict[str, Any]:
    seen = list(seen)
    by_category = {
        name: [each for each in seen if BANDS[each.status] == name] for name in CATEGORIES
    }
    return {
        "renewals": len(seen),
        "mrr": paid(seen),
        "categories": {
            name: {"renewals": len(own), "mrr": paid(own)} for name, own in by_category.items()
        },
    }


def due(seen: Iterable[Seen], first: date, last: date) -> list[Seen]:
    """Return who renews from the one day to the other."""
    found = []
    for each in seen:
        day = each.customer.renewal_date
        if day is not None and first <= day <= last:
            found.append(each)
    return found


def months_between(first: date, last: date) -> list[str]:
    """Return each month of a day from the one to the other, told day by day."""
    count = (last - first).days + 1
    return sorted({f"{first + timedelta(days=number):%Y-%m}" for number in range(count)})


def by_day(seen: Iterable[Seen]) -> list[Seen]:
    return sorted(
        seen,
        key=lambda each: (
            each.customer.renewal_date or date.max,
            101 if each.score is None else each.score,
            -each.mrr,
            each.customer.name,
            each.customer.id,
        ),
    )


def flags_expected(each: Seen) -> list[str]:
    held = {
        "renewal_overdue": each.days is not None and each.days < 0,
        "at_risk": each.at_risk,
        "unscored": each.score is None,
        "falling": each.momentum == "falling",
        "contact_overdue": each.overdue,
        "quiet": each.quiet > each.document["quiet_after"],
        "low_confidence": each.low_confidence,
    }
    return [name for name, holds in held.items() if holds]


days = st.none() | st.integers(-60, 500).map(lambda count: TODAY + timedelta(days=count))


@settings(max_examples=60)
@given(books(), days, days, st.none() | st.sampled_from(CATEGORIES))
def test_every_renewal_is_in_one_place_and_every_figure_is_their_sum(
    book: Book, first: date | None, last: date | None, wanted: str | None
) -> None:
    seen = [each for each in seen_in(book) if wanted in (None, BANDS[each.status])]
    found = renewal_figures(book, first, last, wanted)
    since = TODAY if first is None or first < TODAY else first
    beyond = months_after(since.replace(day=1), 12) - timedelta(days=1)
    until = (LAST if since <= LAST else beyond) if last is None else last
    assert (found["from"], found["to"]) == (since.isoformat(), until.isoformat())
    assert found["forecast_category"] == wanted
    overdue = due(seen, date.min, TODAY - timedelta(days=1))
    within = due(seen, since, until)
    assert found["overdue"] == shown(overdue)
    assert found["total"] == shown(within)
    assert found["months"] == [
        {"month": month, **shown(e for e in within if f"{e.customer.renewal_date:%Y-%m}" == month)}
        for month in months_between(since, until)
    ]
    assert found["outside"] == {
        "before": shown(due(seen, TODAY, since - timedelta(days=1))),
        "later": shown(due(seen, max(since, until + timedelta(days=1)), date.max)),
        "undated": shown(each for each in seen if each.customer.renewal_date is None),
    }
    counted = (found["overdue"], found["total"], *found["outside"].values())
    assert sum(each["renewals"] for each in counted) == len(seen)
    expected = by_day([*overdue, *within])
    assert [(row["id"], row["risk_flags"]) for row in found["accounts"]] == [
        (each.customer.id, flags_expected(each)) for each in expected
    ]
    assert [(row["forecast_category"], row["days_until_renewal"]) for row in found["accounts"]] == [
        (BANDS[each.status], each.days) for each in expected
    ]


@settings(max_examples=60)
@given(books())
def test_the_forecast_shows_twelve_months_and_all_their_renewals(book: Book) -> None:
    seen, view = seen_in(book), checked(build(book))
    assert view["period"] == {"from": "2026-03-02", "to": "2027-02-28"}
    within, overdue = due(seen, TODAY, LAST), due(seen, date.min, TODAY - timedelta(days=1))
    table = rows(view, "months")
    assert [row["month"] for row in table] == [
        f"{month}-01" for month in months_between(TODAY, LAST)
    ]
    for number, row in enumerate(table):
        own = shown(e for e in within if str(e.customer.renewal_date)[:7] == row["month"][:7])
        assert (row["renewals"], row["mrr"]) == (own["renewals"], own["mrr"])
        for name, series in zip(CATEGORIES, chart(view, "month_chart")["series"], strict=True):
            assert row[name] == series["values"][number] == own["categories"][name]["mrr"]
    assert [without(row, "flags") for row in rows(view, "accounts")] == [
        {
            "renewal_date": str(each.customer.renewal_date),
            "days_until_renewal": each.days,
            "name": each.customer.name,
            "manager": each.customer.manager,
            "tier": each.customer.tier,
            "mrr": each.customer.mrr,
            "score": each.score,
            "status": each.status,
            "forecast": WORDS[BANDS[each.status]],
        }
        for each in by_day([*overdue, *within])
    ]
    assert [row["flags"] for row in rows(view, "accounts")] == [
        [flag.replace("_", " ") for flag in flags_expected(each)]
        for each in by_day([*overdue, *within])
    ]
    total = shown(within)
    assert kpis(view) == {
        "renewals": (total["renewals"], None),
        "mrr": (total["mrr"], None),
        **{name: (total["categories"][name]["mrr"], None) for name in CATEGORIES},
        "overdue": (len(overdue), None),
        "overdue_mrr": (paid(overdue), None),
    }
    calls = [without(row, "reason") for row in rows(view, "priority_accounts")]
    assert calls == calls_expected(book, [*overdue, *within])


def test_a_renewal_earlier_this_month_is_overdue_and_in_no_month() -> None:
    yesterday = customer_number(1, mrr=10, renewal_date=TODAY - timedelta(days=1))
    today = customer_number(2, mrr=20, renewal_date=TODAY)
    found = renewal_figures(a_book([yesterday, today]), first=date(2026, 1, 1))
    assert (found["overdue"]["mrr"], found["months"][0]["mrr"]) == (10, 20)
    assert [row["name"] for row in found["accounts"]] == ["Customer 1", "Customer 2"]


@pytest.mark.parametrize("last", [date(9999, 12, 31), date(2100, 1, 1)])
def test_no_more_months_are_looked_ahead_than_an_answer_can_hold(last: date) -> None:
    found = renewal_figures(a_book(), last=last)
    assert len(found["months"]) == MOST_MONTHS
    assert found["to"] == "2036-02-29"


def test_the_flags_of_a_renewal_that_nobody_looked_after() -> None:
    customer = customer_number(
        1,
        tier="enterprise",
        signals={"logins": 2},
        last_contact_on=TODAY - timedelta(days=31),
        renewal_date=TODAY + timedelta(days=3),
        recent=((TODAY - timedelta(days=8), 60, 60),),
    )
    [account] = a_book([customer]).accounts
    told = ("at_risk", "falling", "contact_overdue", "quiet", "low_confidence")
    assert flags(account) == told


def test_the_headlines_of_a_forecast() -> None:
    book = a_book(
        [
            scoring(1, 40, mrr=100, renewal_date=date(2026, 4, 1)),
            scoring(2, 70, mrr=100, renewal_date=date(2026, 5, 1)),
            scoring(3, 55, mrr=50, renewal_date=date(2026, 2, 1)),
        ]
    )
    assert [said(line) for line in build(book).headlines] == [
        "2 renewals with 200 MRR from 2026-03-02 to 2027-02-28.",
        "100 MRR of it is commit, 0 best case and 100 at risk, 50% of all; 0 is unknown.",
        "1 renewal is overdue, with 50 MRR.",
        "Call Customer 1 first: 100 MRR, score 40; score set by hand, renews within 30 days.",
    ]


def test_a_forecast_says_what_its_words_mean_and_compares_with_no_day() -> None:
    lines = checked(build(a_book()))["sections"][-1]["lines"]
    assert any(
        "fell by 5 points or more in 7 days" in line
        and "no contact for more than 30 days" in line
        and "less than 50% of the weight" in line
        for line in lines
    )
    assert any("to the end of the twelfth calendar month" in line for line in lines)
    assert not any("since" in line for line in lines)


def test_from_beyond_the_twelve_months_twelve_are_looked_ahead() -> None:
    found = renewal_figures(a_book(), first=date(2030, 5, 7))
    assert (found["from"], found["to"], len(found["months"])) == ("2030-05-07", "2031-04-30", 12)


def test_nothing_to_renew_is_said() -> None:
    view = checked(build(a_book()))
    assert view["headlines"][1] == "No revenue comes up for renewal in that time."
    assert chart(view, "month_chart")["says"] == "No MRR renews in these months."
    assert len(rows(view, "months")) == 12
    assert rows(view, "accounts") == []
