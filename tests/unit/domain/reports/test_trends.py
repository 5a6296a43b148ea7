"""Trends: the values of the days, sampled or not, and what they say from a threshold on."""

from __future__ import annotations

from datetime import UTC, date, timedelta, tzinfo
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import NOW, TODAY, a_change, an_id, customer_number
from tests.unit.domain.reports.portfolio_books import (
    a_book,
    checked,
    exact,
    midday,
    rounded,
    scoring,
    then,
)
from tests.unit.strategies import instants

from vitals.domain.change import Change
from vitals.domain.numbers import Number
from vitals.domain.reports.book import Book
from vitals.domain.reports.document import said
from vitals.domain.reports.trend import build
from vitals.domain.reports.trend_insights import Course, insights
from vitals.domain.reports.trends import (
    METRICS,
    RANGES,
    Overlays,
    first_day,
    known_days,
    metric_of,
    score_line,
    trend_figures,
)
from vitals.domain.snapshot import Figures

Days = list[tuple[date, Figures]]
ALL_METRICS = (*METRICS, "logins", "unheard_of")


AMOUNTS: list[Number] = [0, 50, 100, 104, 106, Decimal("99.9")]


@st.composite
def figures(draw: st.DrawFn) -> Figures:
    scored = draw(st.integers(0, 5))
    return Figures(
        customers=draw(st.integers(scored, 9)),
        mrr=draw(st.sampled_from(AMOUNTS)),
        arr=draw(st.sampled_from([0, 1200])),
        scored=scored,
        total=draw(st.integers(0, 100 * scored)),
        at_risk=draw(st.integers(0, 3)),
        at_risk_mrr=draw(st.sampled_from(AMOUNTS)),
        signals=draw(st.sampled_from([{}, {"logins": (3, 10)}, {"logins": (7, Decimal("-2.5"))}])),
    )


@st.composite
def courses(draw: st.DrawFn, most: int = 60) -> Days:
    """Draw the figures of some of the days before now, perhaps of today."""
    ago = sorted(draw(st.sets(st.integers(0, most), max_size=8)), reverse=True)
    return [(TODAY - timedelta(days=days), draw(figures())) for days in ago]


def mean_of(found: Figures, metric: str) -> Fraction | None:
    """Return the value of a metric by its definition."""
    if metric == "health_score":
        return rounded(Fraction(found.total, found.scored)) if found.scored else None
    if metric in METRICS:
        return Fraction(getattr(found, metric))
    if metric not in found.signals:
        return None
    count, total = found.signals[metric]
    return rounded(Fraction(total) / count)


def of_today(book: Book) -> Figures:
    found = Figures()
    for each in book.accounts:
        found.count(each.customer, each.score, each.status)
    return found


CUSTOMERS = [scoring(1, 40, mrr=100, signals={"logins": 3}), scoring(2, 81, manager="Ada")]


@given(courses(), st.sampled_from(ALL_METRICS), st.none() | st.sampled_from(ALL_METRICS))
def test_a_trend_is_the_metric_of_each_known_day(
    days: Days, metric: str, secondary: str | None
) -> None:
    book = a_book(CUSTOMERS, daily={"": days})
    known = dict(days) | {TODAY: of_today(book)}
    found = trend_figures(book, metric, secondary)
    assert found["days"] == sorted(known)
    assert found["every"] == 1
    values = [mean_of(known[day], metric) for day in sorted(known)]
    assert list(map(exact, found["values"])) == values
    second = [mean_of(known[day], secondary) for day in sorted(known)] if secondary else None
    shown = found["secondary_values"]
    assert (shown if shown is None else list(map(exact, shown))) == second
    there = [value for value in values if value is not None]
    assert found["summary"] == {
        "first": there[0] if there else None,
        "last": there[-1] if there else None,
        "change": there[-1] - there[0] if there else None,
        "lowest": min(there, default=None),
        "highest": max(there, default=None),
    }


@given(courses(most=400), st.sampled_from([30, 180, 181, 365]))
def test_a_long_range_has_the_last_day_of_each_week(days: Days, period: int) -> None:
    book = a_book(CUSTOMERS, daily={"": days}, period=period)
    found = trend_figures(book)
    known = sorted({day for day, _ in days} | {TODAY})
    if period <= 180:
        assert (found["every"], found["days"]) == (1, known)
        return
    assert found["every"] == 7
    weeks: dict[int, list[date]] = {}
    for day in known:
        weeks.setdefault((TODAY - day).days // 7, []).append(day)
    assert found["days"] == sorted(max(each) for each in weeks.values())


def test_a_trend_of_nothing_is_today() -> None:
    book = a_book(then=None)
    found = trend_figures(book, "health_score", "mrr", Overlays(["Ada"], [an_id(1)]))
    assert (found["days"], found["values"], found["secondary_values"]) == ([TODAY], [None], [0])
    assert [each["values"] for each in found["overlays"]] == [[None], [None]]
    assert found["insights"] == []
    assert found["movers"] == {"compared_with": None, "fell": [], "rose": []}


def test_todays_figures_are_as_of_now_whatever_the_day_began_with() -> None:
    book = a_book(CUSTOMERS, daily={"": [(TODAY, Figures(customers=7))]})
    assert known_days(book) == [(TODAY, of_today(book))]


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("7d", date(2026, 2, 23)),
        ("30d", date(2026, 1, 31)),
        ("90d", date(2025, 12, 2)),
        ("6mo", date(2025, 9, 2)),
        ("1yr", date(2025, 3, 2)),
        ("2yr", date(2024, 3, 2)),
        ("ytd", date(2026, 1, 1)),
    ],
)
def test_a_range_begins_where_its_name_says(name: str, first: date) -> None:
    assert first_day(name, TODAY) == first
    assert name in RANGES


def test_a_year_back_from_a_leap_day_is_the_last_of_february() -> None:
    assert first_day("1yr", date(2028, 2, 29)) == date(2027, 2, 28)


def test_an_unknown_range_is_refused() -> None:
    with pytest.raises(ValueError, match="no range '8d'"):
        first_day("8d", TODAY)


ZONES = st.sampled_from([UTC, ZoneInfo("Pacific/Auckland"), ZoneInfo("America/New_York")])


@st.composite
def moved(draw: st.DrawFn) -> list[Change]:
    """Draw changes, the newest first, each from the score that the one before left."""
    scores = st.none() | st.integers(0, 100)
    before, changes = draw(scores), []
    for instant in sorted(draw(st.lists(instants, max_size=6))):
        after = draw(scores)
        made = a_change(customer_number(1), at=instant, score_before=before, score_after=after)
        changes.append(made)
        before = after
    return changes[::-1]


@given(moved(), ZONES, st.integers(0, 1100), st.none() | st.integers(0, 100))
def test_a_score_line_is_what_stood_at_each_days_end(
    history: list[Change], where: tzinfo, first: int, now: int | None
) -> None:
    days = [date(2025, 1, 1) + timedelta(days=first + count) for count in range(12)]
    line = score_line(history, days, where, now)
    for day, score in zip(days[:-1], line[:-1], strict=True):
        done = [each for each in history if each.at.astimezone(where).date() <= day]
        if not history:
            assert score == now
        elif done:
            assert score == max(done, key=lambda each: (each.at, -history.index(each))).score_after
        else:
            assert score == history[-1].score_before
    assert line[-1] == now


def test_overlays_are_of_managers_and_customers() -> None:
    customers = [scoring(1, 40, manager="ada", mrr=100), scoring(2, 80, manager="Ada", mrr=50)]
    week = TODAY - timedelta(days=7)
    changes = [
        a_change(
            customers[0],
            at=midday(TODAY - timedelta(days=3)),
            score_before=60,
            score_after=45,
            changed={"mrr": (70, 100), "signals.logins": (4, None)},
        )
    ]
    theirs = Figures(scored=2, total=101, mrr=7, signals={"logins": (1, 2)})
    book = a_book(
        customers,
        daily={"": [(week, Figures())], "manager:Ada": [(week, theirs)]},
        histories={an_id(1): changes},
    )
    over = Overlays(managers=["Ada"], customers=[an_id(1)])

    def shown(metric: str) -> list[list[Number | None]]:
        return [each["values"] for each in trend_figures(book, metric, None, over)["overlays"]]

    assert shown("health_score") == [[Decimal("50.5"), 60], [60, 40]]
    assert shown("mrr") == [[7, 150], [70, 100]]
    assert shown("logins") == [[2, None], [4, None]]
    assert shown("customers") == [[0, 2], [None, None]]
    labels = [each["label"] for each in trend_figures(book, "mrr", None, over)["overlays"]]
    assert labels == ["Ada", "Customer 1"]


def counts(metric: str, before: Fraction, move: Fraction) -> bool:
    if metric == "health_score":
        return abs(move) >= 2
    return move != 0 and abs(move) >= abs(before) / 20


def in_cents(exact: Fraction) -> Fraction:
    return Fraction((exact * 100 + Fraction(1, 2)) // 1, 100)


def by_definition(metric: str, pairs: list[tuple[date, Fraction]]) -> dict[str, Fraction]:
    """Return the move, the momentum and the acceleration that are large enough to be said."""
    said_of: dict[str, Fraction] = {}
    if len(pairs) < 2:
        return said_of
    (first, start), (last, end) = pairs[0], pairs[-1]
    if counts(metric, start, end - start):
        said_of["move"] = end - start
    part = max(1, (last - first).days // 4)
    base = [pair for pair in pairs if pair[0] <= last - timedelta(days=part)][-1]
    if base[0] > first and counts(metric, base[1], end - base[1]):
        said_of["momentum"] = end - base[1]
    half = first + timedelta(days=(last - first).days // 2)
    middle, halfway = [pair for pair in pairs if pair[0] <= half][-1]
    if middle > first:
        per = (last - first).days // 2
        before = per * (halfway - start) / (middle - first).days
        after = per * (end - halfway) / (last - middle).days
        if counts(metric, start, after - before):
            said_of["acceleration"] = rounded(after) if metric != "mrr" else in_cents(after)
    return said_of


@given(courses(), st.sampled_from(["health_score", "mrr", "logins"]))
def test_what_a_trend_says_is_what_passes_a_threshold(days: Days, metric: str) -> None:
    book = a_book([], daily={"": days})
    found = trend_figures(book, metric)
    known = zip(found["days"], map(exact, found["values"]), strict=True)
    expected = by_definition(metric, [(day, value) for day, value in known if value is not None])
    said_of = {
        each["kind"]: each["after"] if each["kind"] == "acceleration" else each["change"]
        for each in found["insights"]
    }
    assert said_of == expected


@given(courses(), st.sampled_from(ALL_METRICS), st.sampled_from(ALL_METRICS))
def test_a_divergence_is_two_moves_in_opposite_directions(
    days: Days, metric: str, other: str
) -> None:
    found = trend_figures(a_book([], daily={"": days}), metric, other)
    both = [
        (Fraction(own), Fraction(their))
        for own, their in zip(found["values"], found["secondary_values"], strict=True)
        if own is not None and their is not None
    ]
    opposite = False
    if both:
        own, their = both[-1][0] - both[0][0], both[-1][1] - both[0][1]
        opposite = own * their < 0 and counts(metric, both[0][0], own)
        opposite = opposite and counts(other, both[0][1], their)
    kinds = [each["kind"] for each in found["insights"]]
    assert ("divergence" in kinds) == opposite


def course(values: list[int], metric: str = "health_score", label: str = "Health score") -> Course:
    days = [TODAY - timedelta(days=10 * ago) for ago in range(len(values))][::-1]
    kind = "average" if metric == "health_score" else "money"
    return Course(metric, label, kind, days, values)


def sentences(own: Course, *others: Course) -> list[str]:
    return [said(each["line"]) for each in insights(own, others)]


def test_a_trend_reads_as_sentences() -> None:
    assert sentences(
        course([60, 60, 59, 57, 50]), course([100, 100, 100, 110, 120], "mrr", "MRR")
    ) == [
        "Move: Health score moved by -10 over 40 days, from 60 to 50 (counted from 2 points).",
        "Momentum: Health score moved by -7 in the last 10 days, from 57 to 50 (counted from 2 "
        "points).",
        "Divergence: Health score moved by -10 and MRR by 20 over 40 days (counted from 2 points "
        "of a score, 5 percent of anything else).",
        "Acceleration: Health score fell faster, from -1 in 20 days in the first half of the range "
        "to -9 in as many of the second (counted from 2 points).",
    ]
    assert sentences(course([100, 100, 102], "mrr", "MRR")) == []
    whole, just, _ = sentences(course([60, 60, 62]))
    assert "moved by +2 over 20 days" in whole
    assert "moved by +2 in the last 10 days" in just
    assert sentences(course([60, 62]))[1:] == [], "two days have one move alone"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([50, 54, 53], "turned, from +4"),
        ([50, 54, 55], "rose more slowly, from +4"),
        ([50, 51, 55], "rose faster, from +1"),
        ([50, 50, 55], "rose faster, from 0"),
        ([50, 45, 44], "fell more slowly, from -5"),
        ([50, 45, 45], "fell more slowly, from -5"),
        ([50, 49, 44], "fell faster, from -1"),
    ],
)
def test_it_is_the_move_that_slows_down_not_what_moves(values: list[int], told: str) -> None:
    line = sentences(course(values))[-1]
    assert line.startswith(f"Acceleration: Health score {told} in 10 days")


def test_amounts_have_no_more_than_cents() -> None:
    days = [TODAY - timedelta(days=ago) for ago in (7, 4, 0)]
    lost = Course("mrr", "MRR", "money", days, [1000, 500, 400])
    assert "MRR fell more slowly, from -500 in 3 days" in sentences(lost)[-1]
    assert "to -75 in as many" in sentences(lost)[-1]
    days = [TODAY - timedelta(days=ago) for ago in (14, 11, 0)]
    lost = Course("mrr", "MRR", "money", days, [1000, 500, 400])
    assert "from -1166.67 in 7 days in the first half of the range to -63.64 in" in \
        sentences(lost)[-1]  # fmt: skip


def test_movers_are_named_with_what_moved_them() -> None:
    customer = customer_number(1, name="Acme", signals={"logins": 15}, created_at=midday(TODAY))
    change = a_change(
        customer,
        at=NOW - timedelta(days=3),
        contributions_before={"logins": "90"},
        contributions_after={"logins": "50"},
    )
    book = a_book([customer], scores_then=then({1: 90}), histories={customer.id: [change]})
    [fell] = trend_figures(book)["movers"]["fell"]
    assert (fell["name"], fell["score_then"], fell["score"], fell["change"]) == (
        "Acme", 90, 50, -40,
    )  # fmt: skip
    assert fell["moved_by"] == [{"signal": "logins", "change": -40}]


@given(courses(), st.booleans())
def test_the_report_shows_the_days_week_by_week(days: Days, known: bool) -> None:
    book = a_book(
        CUSTOMERS,
        daily={"": days, "manager:Ada": days},
        period=90,
        then=days[0][0] if days and known else None,
        scores_then=then({1: 45}) if days and known else {},
        figures_then=days[0][1] if days and known else None,
    )
    document = build(book)
    shown: dict[str, Any] = {each["name"]: each for each in checked(document)["sections"]}
    rows = document.tables()["days"].rows
    daily = known_days(book)
    weekly = known_days(book, 7)[::-1]
    if weekly[-1] != daily[0]:
        weekly.append(daily[0])
    assert [row[0] for row in rows] == [day for day, _ in weekly]
    for row, (_, own) in zip(rows, weekly, strict=True):
        assert row[1:] == tuple(
            metric_of(own, name)
            for name in ("health_score", "customers", "mrr", "at_risk", "at_risk_mrr")
        )
    assert len(shown["score_line"]["labels"]) == len({day for day, _ in days} | {TODAY})
    assert ("movement" in shown) == bool(days and known)
    assert build(book) == document


def test_the_day_compared_stands_below_the_weeks() -> None:
    figures = [Figures(customers=count) for count in range(3)]
    days = [(TODAY - timedelta(days=ago), each) for ago, each in zip((8, 7), figures, strict=False)]
    book = a_book(CUSTOMERS, daily={"": days}, period=8, then=days[0][0], figures_then=figures[0])
    rows = build(book).tables()["days"].rows
    assert [(row[0], row[2]) for row in rows] == [
        (TODAY, 2), (TODAY - timedelta(days=7), 1), (TODAY - timedelta(days=8), 0),
    ]  # fmt: skip
    earlier = TODAY - timedelta(days=20)
    book = a_book(CUSTOMERS, daily={"": days[1:]}, then=earlier, figures_then=figures[2])
    rows = build(book).tables()["days"].rows
    assert [(row[0], row[2]) for row in rows][1:] == [(TODAY - timedelta(days=7), 1), (earlier, 2)]


def test_a_line_of_weeks_is_called_one() -> None:
    titles = [
        chart["title"]
        for period in (180, 181)
        for chart in checked(build(a_book(period=period)))["sections"]
        if chart["name"] == "score_line"
    ]
    assert titles == ["Average score by day", "Average score by week"]


def test_without_a_move_the_report_says_what_was_looked_at() -> None:
    [prose] = [each for each in checked(build(a_book()))["sections"] if each["name"] == "insights"]
    assert prose["lines"] == [
        "Neither the move over the period nor momentum, divergence or acceleration passes a "
        "threshold."
    ]


def test_an_empty_book_has_a_report() -> None:
    shown = checked(build(a_book(then=None)))
    assert shown["headlines"][-1] == "No earlier day is known yet, so nothing is compared."
