"""Managers: each counts their own, ranks are fair, and thresholds hold where they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from tests.builders import NOW, TODAY
from tests.unit.domain.reports.portfolio_books import (
    a_book,
    books,
    checked,
    exactly,
    group_of,
    rounded,
    scoring,
    share,
    then,
)

from vitals.domain.customer import Customer
from vitals.domain.reports.book import Account, Book, Filters
from vitals.domain.reports.csm_performance import build
from vitals.domain.reports.document import said
from vitals.domain.reports.managers import manager_figures


def wanted(book: Book) -> dict[str, list[Account]]:
    """Return the accounts of each manager, by the folded name."""
    found: dict[str, list[Account]] = {}
    for each in book.accounts:
        found.setdefault((each.customer.manager or "").casefold(), []).append(each)
    return found


def gone(book: Book) -> dict[str, list[Customer]]:
    """Return who of each manager was there on the day that is compared with, and is not now."""
    found: dict[str, list[Customer]] = {}
    for each in (*(account.customer for account in book.churned), *book.trashed):
        if each.id in book.scores_then and book.then and not book.filters.lifecycles:
            found.setdefault((each.manager or "").casefold(), []).append(each)
    return found


def row_of(
    accounts: list[Account], left: Sequence[Customer] = (), *, known: bool = True
) -> dict[str, Any]:
    """Return a manager's figures, each by its definition."""
    lost = exactly(each.mrr or 0 for each in left)
    overdue = [each for each in accounts if each.cadence == "overdue"]
    week = TODAY - timedelta(days=6)
    last = [each.customer.last_contact_on for each in accounts]
    renewing = [
        each
        for each in accounts
        if each.customer.renewal_date
        and TODAY <= each.customer.renewal_date <= TODAY + timedelta(days=90)
    ]
    group, near = group_of(accounts), group_of(renewing)
    return group | {
        "overdue_contacts": len(overdue),
        "overdue_percent": share(len(overdue), len(accounts)),
        "contacted": sum(day is not None and day >= week for day in last),
        "renewals": {name: near[name] for name in ("accounts", "mrr", "at_risk", "at_risk_mrr")},
        "lost": {"accounts": len(left) if known else None, "mrr": lost if known else None},
    }


@given(books())
def test_each_manager_counts_their_own(book: Book) -> None:
    own, left = wanted(book), gone(book)
    board = {row["manager"].casefold(): dict(row) for row in manager_figures(book)["leaderboard"]}
    assert board.keys() == own.keys() | left.keys()
    for name, row in board.items():
        row.pop("rank")
        row.pop("manager")
        assert row == row_of(own.get(name, []), left.get(name, []), known=book.knows_gone)


@given(books())
def test_ranks_go_by_average_and_equal_ones_share_one(book: Book) -> None:
    board = manager_figures(book)["leaderboard"]
    averages = [row["average_score"] for row in board if row["manager"]]
    for row in board:
        average = row["average_score"]
        rank = None
        if row["manager"] and average is not None:
            rank = 1 + sum(other is not None and other > average for other in averages)
        assert row["rank"] == rank
    places = [(row["rank"] is None, row["rank"] or 0) for row in board]
    assert places == sorted(places)
    assert "" not in [row["manager"] for row in board[:-1]]


@given(books())
def test_the_workload_is_shared_by_managers_alone(book: Book) -> None:
    own = {name: each for name, each in wanted(book).items() if name}
    found = manager_figures(book)["workload"]
    assert found["managers"] == len(own)
    assert len(found["rows"]) == len(own)
    managed = [each for accounts in own.values() for each in accounts]
    paid = exactly(each.customer.mrr or 0 for each in managed)
    for row in found["rows"]:
        accounts = own[row["manager"].casefold()]
        even = rounded(Fraction(100, len(own)))
        of_accounts = share(len(accounts), len(managed))
        of_mrr = share(exactly(each.customer.mrr or 0 for each in accounts), paid)
        assert found["even_percent"] == even
        assert row["accounts_percent"] == of_accounts
        assert of_accounts is not None
        assert row["accounts_over_even"] == of_accounts - even
        assert row["mrr_percent"] == of_mrr
        assert row["mrr_over_even"] == (None if of_mrr is None else of_mrr - even)
        assert row["heavy"] == (len(accounts) * len(own) * 2 >= 3 * len(managed))


@given(books(most=12))
def test_focus_areas_are_what_passes_a_threshold(book: Book) -> None:
    expected: dict[tuple[str, str], Fraction] = {}
    for name, accounts in wanted(book).items():
        mrr = exactly(each.customer.mrr or 0 for each in accounts)
        if not name:
            expected["unassigned", name] = mrr
            continue
        if len(accounts) < 3:
            continue
        row = row_of(accounts)
        if Fraction(row["at_risk"], row["accounts"]) >= Fraction(30, 100):
            expected["at_risk", name] = row["at_risk_mrr"]
        if Fraction(row["overdue_contacts"], row["accounts"]) >= Fraction(25, 100):
            late = [each.customer.mrr or 0 for each in accounts if each.cadence == "overdue"]
            expected["overdue", name] = exactly(late)
        moved = [each for each in accounts if each.moved is not None]
        if len(moved) >= 3 and sum(each.moved or 0 for each in moved) <= -2 * len(moved):
            fell = [each.customer.mrr or 0 for each in moved if (each.moved or 0) < 0]
            expected["declining", name] = exactly(fell)
    found = manager_figures(book)["focus"]
    assert {(area["kind"], area["manager"].casefold()): area["mrr"] for area in found} == expected
    assert [area["mrr"] for area in found] == sorted((a["mrr"] for a in found), reverse=True)


def test_focus_areas_read_as_sentences() -> None:
    fields = {"manager": "Ada", "mrr": 100, "last_contact_on": TODAY}
    book = a_book(
        [scoring(number, score, **fields) for number, score in enumerate((40, 70, 70))]
        + [scoring(9, 90, mrr=5, last_contact_on=TODAY)],
        scores_then=then({0: 60, 1: 70, 2: 70}),
    )
    assert [said(area["line"]) for area in manager_figures(book)["focus"]] == [
        "Ada: 33.3333% of the accounts are at risk, 1 of 3; they pay 100 MRR.",
        "Ada: the average moved by -6.6667 points since 2026-02-01; 1 of 3 accounts declined, "
        "they pay 100 MRR.",
        "Without a manager: 1 of the accounts, which pay 5 MRR.",
    ]


@pytest.mark.parametrize(("fallen", "declines"), [(6, True), (5, False)])
def test_a_book_declines_from_two_points_on_average_on(fallen: int, declines: bool) -> None:
    customers = [scoring(number, 70, manager="Ada", last_contact_on=TODAY) for number in range(3)]
    book = a_book(customers, scores_then=then({0: 70 + fallen, 1: 70, 2: 70}))
    kinds = [area["kind"] for area in manager_figures(book)["focus"]]
    assert kinds == (["declining"] if declines else [])


def test_the_book_that_moved_most_is_named() -> None:
    customers = [scoring(1, 70, manager="Ada"), scoring(2, 60, manager="Ben")]
    shown = checked(build(a_book(customers, scores_then=then({1: 69, 2: 64}))))
    assert shown["headlines"][1] == (
        "The book of Ben moved most: -4 points since 2026-02-01, of the same accounts."
    )


@pytest.mark.parametrize(("ago", "contacted"), [(0, 1), (6, 1), (7, 0), (-3, 1)])
def test_a_contact_of_the_last_seven_days_counts(ago: int, contacted: int) -> None:
    day = TODAY - timedelta(days=ago)
    book = a_book([scoring(1, 50, manager="Ada", last_contact_on=day)])
    [row] = manager_figures(book)["leaderboard"]
    assert row["contacted"] == contacted


def test_a_manager_is_called_as_most_accounts_spell_it() -> None:
    names = ("ada", "Ada", "Ada", "ADA")
    book = a_book([scoring(number, 50, manager=name) for number, name in enumerate(names)])
    assert [row["manager"] for row in manager_figures(book)["leaderboard"]] == ["Ada"]


@given(books())
def test_the_report_lists_every_manager_and_every_account(book: Book) -> None:
    document = build(book)
    checked(document)
    tables = document.tables()
    board = manager_figures(book)["leaderboard"]
    assert [row[:5] for row in tables["leaderboard"].rows] == [
        (row["rank"], row["manager"] or None, row["accounts"], row["mrr"], row["average_score"])
        for row in board
    ]
    rows = tables["accounts"].rows
    assert len(rows) == len(book.accounts)
    assert [row[0] is None for row in rows] == sorted(row[0] is None for row in rows)
    for name in {row[0] for row in rows}:
        own = [row[-1] for row in rows if row[0] == name]
        ranked = [each for each in own if each is not None]
        assert own[: len(ranked)] == sorted(ranked, reverse=True)
    assert build(book) == document


def test_an_empty_book_has_a_report() -> None:
    shown = checked(build(a_book(then=None)))
    assert shown["headlines"][0] == "No manager has an account with a score."


def test_one_customer_has_a_report() -> None:
    customer = scoring(1, 40, manager="Ada", mrr=100, created_at=NOW)
    shown = checked(build(a_book([customer], scores_then=then({1: 41}))))
    assert shown["headlines"][0] == "Ada has an average score of 40, of 1 scored account."
    sections = {each["name"]: each for each in shown["sections"]}
    assert sections["focus"]["lines"] == ["No manager's accounts pass a threshold."]
    assert sections["workload"]["note"] is None


def test_who_lost_an_account_is_shown_to_have_lost_it() -> None:
    left = scoring(2, 20, mrr=1000, manager="Ada", lifecycle="churned", churned_on=TODAY)
    book = a_book([scoring(1, 90, manager="Ada", mrr=10), left], scores_then=then({2: 40}))
    sections = {each["name"]: each for each in checked(build(book))["sections"]}
    [row] = sections["leaderboard"]["rows"]
    assert (row["accounts"], row["at_risk"], row["lost"], row["lost_mrr"]) == (1, 0, 1, 1000)
    assert any("there on 2026-02-01" in line for line in sections["reading"]["lines"])


def test_who_lost_all_accounts_is_still_shown_and_shares_no_load() -> None:
    left = scoring(2, 20, mrr=70, manager="Ben", deleted_at=NOW)
    book = a_book([scoring(1, 90, manager="Ada"), left], scores_then=then({2: 20}))
    found = manager_figures(book)
    assert [(row["manager"], row["rank"], row["lost"]["mrr"]) for row in found["leaderboard"]] == [
        ("Ada", 1, 0),
        ("Ben", None, 70),
    ]
    assert found["workload"]["managers"] == 1
    assert found["focus"] == []
    sections = {each["name"]: each for each in checked(build(book))["sections"]}
    assert sections["manager_bands"]["labels"] == ["Ada"]
    assert sections["kpis"]["figures"][0]["value"] == 1


def test_who_was_not_there_on_that_day_is_not_lost() -> None:
    book = a_book(
        [scoring(1, 90, manager="Ada"), scoring(2, 20, manager="Ada", deleted_at=NOW)],
        scores_then=then({1: 80}),
    )
    [row] = manager_figures(book)["leaderboard"]
    assert row["lost"] == {"accounts": 0, "mrr": 0}


def test_of_a_stage_nobody_knows_who_left() -> None:
    filters = Filters(lifecycles=frozenset({"active"}))
    left = scoring(2, 20, manager="Ada", deleted_at=NOW)
    book = a_book([scoring(1, 90, manager="Ada"), left], scores_then=then({2: 20}), filters=filters)
    [row] = manager_figures(book)["leaderboard"]
    assert row["lost"] == {"accounts": None, "mrr": None}
    sections = {each["name"]: each for each in checked(build(book))["sections"]}
    assert not any("Lost are" in line for line in sections["reading"]["lines"])
