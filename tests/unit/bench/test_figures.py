"""Figures of the bench: the least of all runs, parts that add up, a table as in the document."""

from itertools import count

import pytest
from bench import scoring
from bench.breakdown import watched
from bench.report import Line, table_of
from bench.timing import Comparison, compared


def test_what_disturbed_a_run_is_no_part_of_the_figure() -> None:
    comparison = Comparison(ours=[9, 6, 30], floor=[2, 8, 3])
    assert comparison.ratio == 3
    assert comparison.per(2) == (3, 1)


def test_what_was_run_first_is_not_kept() -> None:
    ran: list[str] = []
    comparison = compared(lambda: ran.append("ours"), lambda: ran.append("floor"), runs=3)
    assert ran == ["ours", "floor"] * 4
    assert len(comparison.ours) == len(comparison.floor) == 3


class Code:
    def outer(self) -> None:
        self.inner()

    def inner(self) -> None:
        pass


def test_a_part_is_not_charged_for_the_parts_inside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = count()
    monkeypatch.setattr("time.thread_time", lambda: next(clock))
    with watched([("outside", Code, ["outer"]), ("inside", Code, ["inner"])]) as spent:
        Code().outer()
    assert spent == {"outside": 2, "inside": 1}


def test_scoring_is_measured_over_reading() -> None:
    lines = scoring.line(count=50, runs=1)
    assert all(line.ratio and line.ratio > 1 for line in lines)


def test_the_table_is_markdown_with_a_cell_for_every_column() -> None:
    [head, rule, row] = table_of([Line(what="x", measured="1 ms", ratio=1.234)]).splitlines()
    assert len({line.count("|") for line in (head, rule, row)}) == 1
    assert "| 1.23 " in row
