"""Each of the ten reports as page and as PDF: of nobody, of one, of ten thousand, for everybody."""

from __future__ import annotations

import re
from functools import cache

import pytest
from tests.builders import an_id
from tests.golden.report_documents import document_of
from tests.unit.domain.reports.portfolio_books import a_book, scoring
from tests.unit.printing import samples
from tests.unit.printing.pages import pages, squeezed
from tests.unit.printing.test_html import wrong

import printing
from vitals.domain.customer import Customer
from vitals.domain.reports.book import Book
from vitals.domain.reports.catalogue import BY_NAME, REPORTS
from vitals.domain.reports.document import Document

NAMES = [report.name for report in REPORTS]
MANY = 10_000


@cache
def _customers(count: int) -> list[Customer]:
    managers, tiers = ("Ada", "Ben", "Chi", None), ("enterprise", "mid", "smb", None)
    return [
        scoring(
            number,
            number * 37 % 101,
            name=f"Company {number:05d}",
            manager=managers[number % 4],
            tier=tiers[number % 4],
            mrr=number % 500,
            tags=("emea",) if number % 3 else (),
        )
        for number in range(count)
    ]


@cache
def _book(count: int) -> Book:
    then = {an_id(number): number * 41 % 101 for number in range(count)}
    return a_book(_customers(count), subject="Northwind Tools", scores_then=then)


def _document(name: str, count: int) -> Document:
    report, book = BY_NAME[name], _book(count)
    book.about = an_id(0) if report.of_one else None
    return report.build(book)


@pytest.mark.parametrize("count", [0, 1, MANY])
@pytest.mark.parametrize("name", NAMES)
def test_every_report_is_a_page_and_a_pdf_of_any_portfolio(name: str, count: int) -> None:
    if BY_NAME[name].of_one and not count:
        pytest.skip("it is about a customer, and there is none")
    document = _document(name, count)
    page = printing.rendered(document, samples.LOOK, "html").decode()
    assert f"<h1>{document.title}</h1>" in page
    made = pages(printing.rendered(document, samples.LOOK, "pdf"))
    assert document.title in made[0].text
    last = squeezed(f"Page {len(made)} of {len(made)}")
    assert last in made[-1].squeezed
    for table in document.tables().values():
        if len(table.rows) > 500:
            said = squeezed(f"The first 500 of {len(table.rows):,} rows")
            assert any(said in each.squeezed for each in made)
            assert said in squeezed(re.sub("<[^>]*>", "", page))


def test_axe_finds_nothing_wrong_with_any_report() -> None:
    made = [printing.rendered(document_of(name), samples.GERMAN, "html").decode() for name in NAMES]
    assert dict(zip(NAMES, wrong(made), strict=True)) == {name: [] for name in NAMES}
