"""Sentences as JSON has them: exact, and with what tells one kind of number from another."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from vitals.domain.reports import document as kinds
from vitals.domain.reports.document import Line, Plain, said


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        (kinds.PERCENT, Decimal("15.9157"), "15.9157%"),
        (kinds.PERCENT, 30, "30%"),
        (kinds.PERCENT, None, "–"),
        (kinds.POINTS, Decimal("1.2515"), "+1.2515"),
        (kinds.POINTS, -3, "-3"),
        (kinds.POINTS, 0, "0"),
        (kinds.AVERAGE, Decimal("68.8538"), "68.8538"),
        (kinds.MONEY, Decimal("40000.00"), "40000"),
        (kinds.INDEX, Decimal("2E-8"), "0.00000002"),
        (kinds.MONTH, date(2027, 5, 1), "2027-05"),
        (kinds.DAY, date(2027, 5, 1), "2027-05-01"),
        (kinds.TEXT, ("a", "b"), "a, b"),
    ],
)
def test_a_value_is_said_as_what_it_is(kind: str, value: Plain, told: str) -> None:
    assert said(Line("It is {}.", ((kind, value),))) == f"It is {told}."
