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
            group = group_of(own[name])
            if name == "churned" and not any(each in book.accounts for each in own[name]):
                group |= dict.fromkeys(("at_risk", "at_risk_percent", "at_risk_mrr"))
            assert row == group
        for name in ("at_risk", "at_risk_mrr"):
            risky = sum((row[name] or 0 for row in found[part]), start=0)
            assert part == "tags" or risky == group_of(book.accounts)[name]
    names = [row["segment"] for part in ("tags", "tiers", "stages") for row in found[part]]
    everybody = group_of(book.accounts)
    assert found["kpis"] == {
        "segments": sum(name != "" for name in names),
        **{name: everybody[name] for name in ("accounts", "mrr", "at_risk", "average_score")},
    }


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
        if row["segment"] not in ("", "active", "atrisk", "churned") and row["scored"] >= 3
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
            trend = row["trend"] or dict.fromkeys(("accounts", "then", "now", "change"))
            assert cells[2:] == (
                row["accounts"], row["mrr"], row["average_score"], row["at_risk"],
                row["at_risk_percent"], row["at_risk_mrr"], trend["accounts"], trend["then"],
                trend["now"], trend["change"],
            )  # fmt: skip
            assert trend["then"] is None or trend["now"] - trend["then"] == trend["change"]
    assert build(book) == document


@given(books())
def test_the_first_to_call_is_the_most_urgent_of_its_segment(book: Book) -> None:
    rows = build(book).tables()["first_calls"].rows
    for kind, name, who, *_ in rows:
        part = {"tag": "tags", "tier": "tiers", "stage": "stages"}[str(kind)]
        own = wanted(book, part)[str(name or "").casefold()]
        own = [each for each in book.accounts if each in own]
        first = max(own, key=lambda each: each.priority["score"] if each.priority else -1)
        most = [each for each in own if each.priority == first.priority]
        assert who in [each.customer.name for each in most]


def test_who_is_to_be_called_first_is_the_first_of_their_segments_too() -> None:
    large = scoring(1, 70, tier="mid", mrr=5000, name="Large")
    risky = scoring(2, 30, tier="mid", mrr=100, name="Risky")
    document = build(a_book([large, risky]))
    assert said(document.headlines[-1]).startswith("Call Large first")
    assert {row[2] for row in document.tables()["first_calls"].rows} == {"Large"}


def test_a_tag_is_spelled_as_most_spell_it_wherever_it_stands() -> None:
    tags = ("VIP Straße", "VIP Straße", "vip strasse")
    document = build(a_book(scoring(n, 40, tags=(tag,)) for n, tag in enumerate(tags)))
    for name in ("segments", "segment_bands", "first_calls"):
        rows = document.tables()[name].rows
        assert [row[1] for row in rows if row[0] == "tag"] == ["VIP Straße"]


def test_who_churned_is_at_risk_no_more() -> None:
    churned = scoring(2, 20, mrr=900, lifecycle="churned")
    view = checked(build(a_book([scoring(1, 40, mrr=100, tier="smb"), churned])))
    sections = {each["name"]: each for each in view["sections"]}
    shown = {row["segment"]: row for row in sections["segments"]["rows"]}
    names = ("at_risk", "at_risk_percent", "at_risk_mrr")
    assert [shown["churned"][name] for name in names] == [None, None, None]
    assert [shown["active"][name] for name in names] == [1, 100, 100]
    assert sections["stage_bands"]["labels"] == ["active"]
    assert "churned" not in {row["segment"] for row in sections["segment_bands"]["rows"]}
    assert any("in the stage Churned alone" in line for line in sections["reading"]["lines"])


def test_who_churned_is_counted_as_anybody_else_if_asked_for() -> None:
    asked = Filters(lifecycles=frozenset({"churned"}))
    view = checked(build(a_book([scoring(2, 20, mrr=900, lifecycle="churned")], filters=asked)))
    sections = {each["name"]: each for each in view["sections"]}
    assert sections["segments"]["rows"][-2]["at_risk_mrr"] == 900
    assert not any("alone" in line for line in sections["reading"]["lines"])


def test_stages_that_follow_from_the_score_are_called_nothing() -> None:
    high = [scoring(number, 90, tier="mid") for number in range(3)]
    low = [scoring(number, 10, tier="mid", lifecycle="atrisk") for number in range(3, 6)]
    trial = [scoring(number, 60, lifecycle="trial") for number in range(6, 9)]
    tagged = [scoring(number, 45, lifecycle="trial", tags=("active",)) for number in range(9, 12)]
    book = a_book([*high, *low, *trial, *tagged])
    view = checked(build(book))
    assert [line.split(":")[0] for line in view["headlines"][1:3]] == [
        "The strongest segment is the stage trial",
        "The weakest segment is the tag active",
    ]
    says = {each["name"]: each["says"] for each in view["sections"] if each["section"] == "chart"}
    assert says["averages"].endswith("the averages go from 45 (active) to 52.5 (trial).")
    assert says["tier_bands"].endswith("The highest share at risk is 50% (mid).")
    assert says["stage_bands"].endswith("the highest share at risk is 50% (trial).")


def test_one_segment_is_compared_with_no_other() -> None:
    view = checked(build(a_book([scoring(1, 60, tier="mid")])))
    says = {each["name"]: each["says"] for each in view["sections"] if each["section"] == "chart"}
    assert says == {
        "tier_bands": "How many accounts of each are in which band.",
        "stage_bands": "How many accounts of each are in which band.",
        "averages": "No two segments of at least 3 scored accounts have different averages.",
    }


def test_an_empty_book_has_a_report() -> None:
    shown = checked(build(a_book(then=None)))
    assert shown["headlines"][1] == "No earlier day is known yet, so nothing is compared."
