"""CSV that a spreadsheet opens as what it is."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitals.domain.reports.csv_form import as_csv
from vitals.domain.reports.document import Plain

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


@given(st.lists(st.lists(texts, min_size=2, max_size=2), max_size=4))
def test_every_text_comes_back_and_none_is_a_formula(rows: list[list[str]]) -> None:
    [_, *found] = read(as_csv(["a", "b"], rows))
    assert len(found) == len(rows)
    for row, shown in zip(rows, found, strict=True):
        for text, cell in zip(row, shown, strict=True):
            assert cell in (text, f"'{text}")
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (-3, "-3"),
        (Decimal("-0.25"), "-0.25"),
        (date(2026, 3, 2), "2026-03-02"),
        (datetime(2026, 3, 2, 9, tzinfo=UTC), "2026-03-02T09:00:00.000Z"),
        (Decimal("2E-8"), "0.00000002"),
        (Decimal("1E+3"), "1000"),
        (("vip", "eu"), "vip,eu"),
        (("new, logo", "eu"), '"new, logo",eu'),
        (("=1", "b"), "'=1,b"),
        ("-3", "'-3"),
    ],
)
def test_a_value_is_written_as_it_stands_in_json(value: Plain, cell: str) -> None:
    assert read(as_csv(["a", "b"], [[value, 1]])) == [["a", "b"], [cell, "1"]]


@given(st.lists(st.text(st.sampled_from('a",= \n'), min_size=1), min_size=2, max_size=4))
def test_a_list_comes_back_as_it_was(tags: list[str]) -> None:
    [_, [cell, _]] = read(as_csv(["tags", "b"], [[tuple(tags), 1]]))
    shown = cell.removeprefix("'")
    [found] = read(shown)
    assert found == tags
