"""Customer Health: every part of one score, and what comes next."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import NOW, TODAY, a_change, a_customer
from tests.unit.domain.reports.portfolio_books import (
    MODEL,
    THEN,
    a_book,
    checked,
    midday,
    rounded,
)
from tests.unit.histories import MODELS, Written, histories
from tests.unit.strategies import SIGNALS

from vitals.domain.change import is_visible
from vitals.domain.customer import Customer, Override
from vitals.domain.reports.book import Book
from vitals.domain.reports.customer_health import build
from vitals.domain.reports.document import Chart, Document, said

ACME = a_customer(
    name="Acme",
    signals={"logins": 15, "nps": 9, "growth": "mild"},
    last_contact_on=TODAY - timedelta(days=30),
    mrr=500,
    manager="Ada",
    renewal_date=TODAY + timedelta(days=20),
)


def about(customer: Customer, **fields: Any) -> Book:
    return a_book([customer], about=customer.id, **fields)


def chart(document: Document, name: str) -> Chart | None:
    found = [each for each in document.sections if each.name == name]
    assert all(isinstance(each, Chart) for each in found)
    return next((each for each in found if isinstance(each, Chart)), None)


def figure(document: Document, section: str, name: str) -> dict[str, Any]:
    [figures] = [each for each in checked(document)["sections"] if each["name"] == section]
    found: dict[str, Any] = next(each for each in figures["figures"] if each["name"] == name)
    return found


@given(st.fixed_dictionaries({}, optional=SIGNALS), st.none() | st.integers(0, 100))
def test_the_parts_sum_to_the_score(signals: dict[str, Any], override: int | None) -> None:
    given_signals = {name: value for name, value in signals.items() if value is not None}
    by_hand = None if override is None else Override(override, "key-1", NOW)
    customer = replace(ACME, signals=given_signals, last_contact_on=None, override=by_hand)
    document = build(about(customer))
    checked(document)
    account = about(customer).accounts[0]
    parts = chart(document, "contributions")
    rows = document.tables()["signals"].rows
    if account.score is None:
        assert parts is None
        assert all(row[4] is None for row in rows)
        return
    exact = account.standing.customer.computed(MODEL, TODAY).exact
    whole = Fraction(override) if override is not None else rounded(Fraction(*exact or (0, 1)))
    assert parts is not None
    assert sum(Fraction(part or 0) for part in parts.series[0].values) == whole
    assert sum(Fraction(str(row[4] or 0)) for row in rows) == whole
    weighing = {signal.name for signal, _ in MODEL.weights(None)}
    assert {row[0] for row in rows} - {"override"} == weighing


@pytest.mark.parametrize(
    ("signals", "override", "told"),
    [
        ({"logins": 15}, None, "All of it, 50, comes from logins."),
        ({"logins": 0}, None, "No signal gives it a point."),
        ({"logins": 15, "adoption": 20}, None,
         "2 parts sum to 35; the largest is logins with 25."),
        ({"logins": 0}, 60, "2 parts sum to 60; the largest is override with 60."),
    ],
)  # fmt: skip
def test_what_the_score_is_made_of_is_said(
    signals: dict[str, Any], override: int | None, told: str
) -> None:
    by_hand = None if override is None else Override(override, "key-1", NOW)
    customer = replace(ACME, signals=signals, last_contact_on=None, override=by_hand)
    found = chart(build(about(customer)), "contributions")
    assert found is not None
    assert said(found.says) == told


def test_the_change_of_each_part_stands_beside_it() -> None:
    change = a_change(
        ACME,
        at=midday(date(2026, 2, 9)),
        contributions_before={"logins": "40", "nps": "27.2727", "days": "9"},
        contributions_after={},
        score_before=76,
        score_after=70,
    )
    book = about(ACME, histories={ACME.id: [change]}, scores_then={ACME.id: 76})
    document = build(book)
    rows = {row[0]: row for row in document.tables()["signals"].rows}
    assert len(rows) == len(document.tables()["signals"].rows)
    parts = {part.signal: part.contribution for part in book.accounts[0].contributions}
    before = {"logins": Fraction(40), "nps": Fraction(272727, 10_000), "days": Fraction(9)}
    for name, part in parts.items():
        assert Fraction(str(rows[name][6])) == Fraction(part) - before.get(name, 0)
    [row] = document.tables()["changes"].rows
    assert row[1:4] == (76, 70, -6)
    headlines = checked(document)["headlines"]
    score = book.accounts[0].score
    assert score is not None
    status = book.accounts[0].status
    assert headlines[0] == f"Acme scores {score}: {status}; {score - 76:+} since 2026-02-01."
    assert figure(document, "kpis", "score")["previous"] == 76
    assert figure(document, "kpis", "status")["previous"] == "healthy"


def test_the_band_then_is_that_of_the_score_then() -> None:
    document = build(about(ACME, scores_then={ACME.id: 90}))
    assert figure(document, "kpis", "status")["previous"] == "expansion"


def test_the_priority_stands_with_its_parts() -> None:
    book = about(ACME)
    document = build(book)
    parts = book.accounts[0].priority
    assert parts is not None
    for name, part in (("priority", "score"), ("risk", "risk"), ("revenue_share", "revenue_share"),
                       ("renewal_factor", "renewal_factor")):  # fmt: skip
        assert figure(document, "priority", name)["value"] == parts[part]


def test_what_would_lift_the_band_comes_cheapest_first() -> None:
    document = build(about(a_customer(signals={"logins": 22, "adoption": 75, "tickets": 1})))
    rows = document.tables()["lifts"].rows
    assert [row[:3] for row in rows] == [
        ("adoption", 75, 86), ("logins", 22, 26), ("tickets", 1, 0),
    ]  # fmt: skip


def test_the_band_that_silence_brings_is_named_with_its_day() -> None:
    customer = a_customer(signals={"logins": 15}, last_contact_on=TODAY)
    [line] = [
        line
        for line in checked(build(about(customer)))["headlines"]
        if line.startswith("If nobody calls")
    ]
    [day] = [
        ago
        for ago in range(400)
        if about_on(customer, ago) != "watch" and about_on(customer, ago - 1) == "watch"
    ]
    assert line == f"If nobody calls, it becomes at_risk on {TODAY + timedelta(days=day)}" \
        "T00:00:00.000Z."  # fmt: skip


def about_on(customer: Customer, days: int) -> str:
    return customer.published_at(MODEL, NOW + timedelta(days=days), MODEL_ZONE)[1]


MODEL_ZONE = a_book().where


def test_the_score_line_goes_back_to_the_day_compared() -> None:
    changes = [
        a_change(ACME, at=midday(date(2026, 2, 20)), score_before=60, score_after=65),
        a_change(ACME, at=midday(date(2026, 2, 10)), score_before=50, score_after=60),
    ]
    book = about(ACME, histories={ACME.id: changes})
    line = chart(build(book), "score_line")
    assert line is not None
    shown = dict(zip(line.labels, line.series[0].values, strict=True))
    assert list(shown) == [THEN + timedelta(days=count) for count in range(30)]
    assert [shown[date(2026, 2, day)] for day in (1, 9, 10, 19, 20, 28)] == [
        50, 50, 60, 60, 65, 65,
    ]  # fmt: skip
    assert shown[TODAY] == book.accounts[0].score
    assert chart(build(about(ACME)), "score_line") is None


@given(histories(), st.integers(0, 40), st.integers(0, 900))
def test_whoever_it_is_about_has_a_report(written: list[Written], days: int, hours: int) -> None:
    changes = [change for _, _, change in written if is_visible(change)]
    if not changes:
        return
    customer = replace(written[-1][1], deleted_at=None)
    book = Book(
        as_of=changes[-1].at + timedelta(hours=hours),
        model=MODELS[0],
        then=NOW.date() + timedelta(days=days),
        histories={customer.id: changes[::-1]},
        scores_then={customer.id: changes[0].score_after},
        about=customer.id,
    )
    book.add(customer, MODELS[customer.model_version - 1])
    document = build(book)
    checked(document)
    assert build(book) == document


@pytest.mark.parametrize("known", [True, False])
def test_a_customer_without_a_score_or_that_churned_has_a_report(known: bool) -> None:
    unscored = a_customer(name="Acme")
    shown = checked(build(about(unscored, then=THEN if known else None)))
    assert shown["headlines"][0].startswith("Acme has no score")
    churned = replace(ACME, lifecycle="churned", churned_on=date(2026, 2, 20))
    shown = checked(build(about(churned, then=THEN if known else None)))
    assert "It churned on 2026-02-20." in shown["headlines"]


def test_a_customer_that_is_not_there_has_none() -> None:
    with pytest.raises(LookupError):
        build(a_book(about="nobody"))
    with pytest.raises(LookupError):
        build(a_book([ACME]))
