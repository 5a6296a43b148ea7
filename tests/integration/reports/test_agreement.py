"""An oracle's sentence is none of a sentence that lost a sign, a unit or a number."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from tests.integration.reports.agreement import Month, Percent, Points, Said, differences


@pytest.mark.parametrize(
    ("expected", "said"),
    [
        (Said(Percent(Fraction("15.9157"))), "with 15.9157% of all"),
        (Said(Points(3), 4), "+3 since then, of 4."),
        (Said(Points(-3)), "It fell: -3."),
        (Said(Points(0)), "0 points"),
        (Said(Month(date(2027, 5, 1)), 12), "in 2027-05: 12."),
        (Said(date(2027, 5, 1)), "since 2027-05-01."),
        (Said("Ann", "fell faster", -2), "Ann fell faster, by -2."),
    ],
)
def test_what_is_said_as_it_is_agrees(expected: Said, said: str) -> None:
    assert differences(expected, said) == []


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (Percent(30), "30 of the accounts"),
        (30, "30% of the accounts"),
        (3, "3.5 of the accounts"),
        (5, "3.5 of the accounts"),
        (Points(3), "3 since then"),
        (Points(3), "-3 since then"),
        (Points(-3), "3 since then"),
        (Points(-3), "+3 since then"),
        (15, "-15 points"),
        (15, "+15 points"),
        (15, "115 points"),
        (Month(date(2027, 5, 1)), "in 2027-05-01"),
        (Month(date(2027, 5, 1)), "in 2027"),
        (4, "4 of 5"),
    ],
)
def test_what_means_something_else_does_not(value: Any, said: str) -> None:
    assert differences(Said(value), said)
