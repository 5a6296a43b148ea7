"""Figures of the bench: ratios of neighbours, parts that add up, a table in the document's form."""

from itertools import count
from types import SimpleNamespace

import pytest
from bench import scoring
from bench.breakdown import watched
from bench.report import Line, table_of
from bench.timing import Comparison, compared


def test_a_ratio_is_the_median_of_neighbouring_runs() -> None:
    comparison = Comparison(ours=[2, 30, 4], floor=[1, 10, 1])
    assert comparison.ratio == 3
    assert comparison.per(2) == (2, 0.5)


def test_what_was_run_first_is_not_kept() -> None:
    ran: list[str] = []
    comparison = compared(lambda: ran.append("ours"), lambda: ran.append("floor"), runs=3)
    assert ran == ["ours", "floor"] * 4
    assert len(comparison.ours) == len(comparison.floor) == 3


def test_a_part_is_not_charged_for_the_parts_inside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = count()
    monkeypatch.setattr("time.thread_time", lambda: next(clock))
    code = SimpleNamespace(inner=lambda: None, outer=lambda: code.inner())  # noqa: PLW0108 - looked up late
    with watched([("outside", code, ["outer"]), ("inside", code, ["inner"])]) as spent:
        code.outer()
    assert spent == {"outside": 2, "inside": 1}


def test_scoring_is_measured_over_reading() -> None:
    lines = scoring.line(count=50, runs=1)
    assert all(line.ratio and line.ratio > 1 for line in lines)


def test_the_table_is_markdown_with_a_cell_for_every_column() -> None:
    [head, rule, row] = table_of([Line(what="x", measured="1 ms", ratio=1.234)]).splitlines()
    assert len({line.count("|") for line in (head, rule, row)}) == 1
    assert "| 1.23 " in row
