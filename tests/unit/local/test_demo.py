"""The demonstration's portfolio: the same in every run, and a book as companies have them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

import pytest
from local.demo.history import vigour, year_of
from local.demo.names import BY_HAND
from local.demo.portfolio import ARCHETYPES, MANAGERS, TIERS, YEAR, Company, portfolio

FIRST = date(2025, 3, 1)


@pytest.fixture(scope="module")
def companies() -> tuple[Company, ...]:
    return portfolio(FIRST)


def records(companies: tuple[Company, ...], days: int = YEAR) -> Iterator[tuple[int, Any]]:
    """Yield (day, what is told of one company), in the order in which it is told."""
    for day, writes in enumerate(year_of(companies, FIRST, days)):
        for action, data in writes:
            yield from ((day, each) for each in data.get("customers", [{**data, "by": action}]))


def test_the_portfolio_and_its_year_are_the_same_in_every_run(
    companies: tuple[Company, ...],
) -> None:
    whole = [[asdict(each) for each in companies], year_of(companies, FIRST)]
    text = json.dumps(whole, default=str, ensure_ascii=False, sort_keys=True)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "063c6970c46e2352"
    assert [each.name for each in companies[:3]] == [
        "Ploverbrook Textiles",
        "青嵐精密機器株式会社",
        "Brackengate Health",
    ]


def test_the_book_is_mixed_and_every_name_is_there_once(companies: tuple[Company, ...]) -> None:
    names = {each.name for each in companies}
    assert len(names) == len(companies) == 200
    assert set(BY_HAND) <= names
    assert max(map(len, names)) >= 80
    assert {each.manager for each in companies} == set(MANAGERS)
    assert {each.archetype for each in companies} == set(ARCHETYPES)
    tiers = Counter(each.tier for each in companies)
    assert tiers["enterprise"] < tiers["mid"] < tiers["smb"]
    paid = {t: sum(each.mrr for each in companies if each.tier == t) for t in TIERS}
    assert paid["smb"] < paid["mid"] < sum(paid.values()) / 2
    assert sum(each.joins > 0 for each in companies) in range(10, 40)


def test_whoever_is_told_of_is_there_by_then_and_not_gone(companies: tuple[Company, ...]) -> None:
    by_id = {each.external_id: each for each in companies}
    known: set[str] = set()
    for day, record in records(companies):
        company = by_id[record["external_id"]]
        assert "name" in record or company.external_id in known, "introduced first"
        known.add(company.external_id)
        assert company.joins <= day
        assert company.leaves is None or day <= company.leaves
    assert known == set(by_id)


def test_a_year_ends_with_renewals_in_the_year_that_follows(
    companies: tuple[Company, ...],
) -> None:
    renewals: dict[str, str | None] = {}
    for _, record in records(companies):
        if "renewal_date" in record:
            renewals[record["external_id"]] = record["renewal_date"]
    end = FIRST + timedelta(days=YEAR)
    stay = [each for each in companies if each.leaves is None]
    dates = [date.fromisoformat(renewals[each.external_id] or "") for each in stay]
    # Some are late by a few days.
    assert all(end - timedelta(days=8) < each <= end + timedelta(days=YEAR) for each in dates)
    assert len({each.month for each in dates}) == 12
    assert all(renewals[each.external_id] is None for each in companies if each.leaves)


def test_use_goes_as_the_archetype_says(companies: tuple[Company, ...]) -> None:
    for each in companies:
        levels = [vigour(each, day) for day in range(YEAR)]
        assert all(0 <= level <= 100 for level in levels)
        moved = levels[-1] - levels[0]
        match each.archetype:
            case "growing":
                assert moved > 20
            case "stable":
                assert moved == 0
            case "fading" | "churned":
                assert moved < -10
                assert min(levels) == levels[-1]
            case "rescued":
                assert min(levels) <= levels[-1]
                assert min(levels) < each.vigour - 10


def test_a_day_stays_under_the_limits_of_the_api(companies: tuple[Company, ...]) -> None:
    for writes in year_of(companies, FIRST):
        assert len(writes) < 100
        assert all(len(data.get("customers", ())) <= 1000 for _, data in writes)
