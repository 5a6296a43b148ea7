"""Segments: each counts its own, and the analysis names the right ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given
from tests.unit.domain.reports.portfolio_books import (
    a_book,
    books,
    checked,
    group_of,
    scoring,
    then,
)

from vitals.domain.model import LIFECYCLES, TIERS
from vitals.domain.reports.book import Account, Book, Filters
from vitals.domain.reports.document import Line, said
from vitals.domain.reports.segment_analysis import build
from vitals.domain.reports.segments import segment_figures


def wanted(book: Book, part: str) -> dict[str, list[Account]]:
    """Return the accounts of each segment, by the folded name."""
    found: dict[str, list[Account]] = {}
    everybody = book.accounts + (book.churned if part == "stages" else [])
    for each in everybody:
        customer = each.customer
        names = {
            "tags": {tag.casefold() for tag in customer.tags} or {""},
            "tiers": {customer.tier or ""},
            "stages": {customer.lifecycle},
        }[part]
        for name in names:
            found.setdefault(name, []).append(each)
    return found


@given(books())
def test_each_segment_counts_its_own(book: Book) -> None:
    found = segment_figures(book)
    for part in ("tags", "tiers", "stages"):
        own = wanted(book, part)
        rows = {row["segment"].casefold(): dict(row) for row in found[part]}
        assert rows.keys() == own.keys()
        for name, row in rows.items():
            row.pop("segment")
            assert row == group_of(own[name])
    names = [row["segment"] for part in ("tags", "tiers", "stages") for row in found[part]]
    everybody = group_of(book.accounts)
    assert found["kpis"] == {
        "segments": sum(name != "" for name in names),
        **{name: everybody[name] for name in ("accounts", "mrr", "at_risk", "average_score")},
    }
    assert found["compared_with"] == book.then


@given(books())
def test_segments_stand_in_one_order(book: Book) -> None:
    found = segment_figures(book)
    tiers = [row["segment"] for row in found["tiers"]]
    assert tiers == [name for name in (*TIERS, "") if name in tiers]
    stages = [row["segment"] for row in found["stages"]]
    assert stages == [name for name in LIFECYCLES if name in stages]
    sizes = [(row["segment"] == "", -row["accounts"], row["segment"]) for row in found["tags"]]
    assert sizes == sorted(sizes)
    again = a_book([], then=book.then, scores_then=book.scores_then, filters=book.filters)
    again.accounts, again.churned = book.accounts[::-1], book.churned[::-1]
    assert segment_figures(again) == found


def named(lines: Sequence[Line]) -> dict[str, Any]:
    return {line.text.split()[1]: line.values[0][1] for line in lines}


@given(books(most=14))
def test_the_analysis_names_segments_of_enough_accounts(book: Book) -> None:
    found = segment_figures(book)
    rows = [
        row
        for part in ("tags", "tiers", "stages")
        for row in found[part]
        if row["segment"] not in ("", "churned") and row["scored"] >= 3
    ]
    words = named(found["analysis"])
    averages = {row["average_score"] for row in rows}
    assert ("strongest" in words) == (len(averages) > 1)
    by_name = {row["segment"]: row for row in rows}
    if "strongest" in words:
        assert by_name[words["strongest"]]["average_score"] == max(averages)
        assert by_name[words["weakest"]]["average_score"] == min(averages)
    moves = [
        abs(row["trend"]["change"]) for row in rows if row["trend"] and row["trend"]["accounts"] > 2
    ]
    assert ("fastest" in words) == any(moves)
    if "fastest" in words:
        assert abs(by_name[words["fastest"]]["trend"]["change"]) == max(moves)


def test_tags_that_differ_by_case_are_one_segment() -> None:
    book = a_book([scoring(1, 40, tags=("VIP",)), scoring(2, 60, tags=("vip",)),
                   scoring(3, 80, tags=("vip", "new"))])  # fmt: skip
    rows = {row["segment"]: row["accounts"] for row in segment_figures(book)["tags"]}
    assert rows == {"vip": 3, "new": 1}


def test_who_churned_counts_in_that_stage_alone() -> None:
    book = a_book([scoring(1, 40, tier="smb"), scoring(2, 20, tier="smb", lifecycle="churned")])
    found = segment_figures(book)
    assert [row["accounts"] for row in found["tiers"]] == [1]
    assert [(row["segment"], row["accounts"]) for row in found["stages"]] == [
        ("active", 1),
        ("churned", 1),
    ]


def test_who_churned_counts_everywhere_if_asked_for() -> None:
    churned = scoring(2, 20, tier="smb", lifecycle="churned")
    book = a_book([churned], filters=Filters(lifecycles=frozenset({"churned"})))
    assert [row["accounts"] for row in segment_figures(book)["tiers"]] == [1]


def test_the_analysis_reads_as_sentences() -> None:
    low = [scoring(number, 30, tier="smb") for number in range(3)]
    high = [scoring(number, 80, tier="mid") for number in range(3, 6)]
    book = a_book(low + high, scores_then=then(dict.fromkeys(range(3), 50)))
    assert [said(line) for line in segment_figures(book)["analysis"]] == [
        "The strongest segment is the tier mid: average score 80, of 3 scored accounts.",
        "The weakest segment is the tier smb: average score 30, of 3 scored accounts.",
        "The fastest to move is the tier smb: -20 points since 2026-02-01, of 3 accounts scored "
        "both times.",
    ]


@given(books())
def test_the_report_shows_every_segment(book: Book) -> None:
    document = build(book)
    checked(document)
    found = segment_figures(book)
    rows = document.tables()["segments"].rows
    assert len(rows) == sum(len(found[part]) for part in ("tags", "tiers", "stages"))
    shown = {(row[0], row[1]): row for row in rows}
    for part, kind in (("tags", "tag"), ("tiers", "tier"), ("stages", "stage")):
        for row in found[part]:
            cells = shown[kind, row["segment"] or None]
            trend = row["trend"] or {"then": None, "change": None}
            assert cells[2:7] == (
                row["accounts"], row["mrr"], row["average_score"], trend["then"], trend["change"],
            )  # fmt: skip
    assert build(book) == document


@given(books())
def test_the_first_to_call_is_the_most_urgent_of_its_segment(book: Book) -> None:
    rows = build(book).tables()["first_calls"].rows
    for kind, name, who, *_ in rows:
        part = {"tag": "tags", "tier": "tiers", "stage": "stages"}[str(kind)]
        own = [each for each in book.accounts if each in wanted(book, part)[str(name or "")]]
        risky = [each for each in own if each.at_risk]
        first = max(risky, key=lambda each: each.priority["score"] if each.priority else -1)
        most = [each for each in risky if each.priority == first.priority]
        assert who in [each.customer.name for each in most]


def test_an_empty_book_has_a_report() -> None:
    shown = checked(build(a_book(then=None)))
    assert shown["headlines"][1] == "No earlier day is known yet, so nothing is compared."
