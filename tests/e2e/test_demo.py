"""`make demo` and `make reports`, small: a past of real writes, and reports that can be opened."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from local.console import LocalCloudError
from local.demo import reports
from local.demo.__main__ import main
from local.demo.portfolio import portfolio
from local.dynamodb import ROOT
from local.folder import DataFolder
from pypdfium2 import PdfDocument  # type: ignore[import-untyped]  # it has no types

COMPANIES, DAYS = 8, 15
OPTIONS = ("--companies", str(COMPANIES), "--days", str(DAYS))
MADE = ("trend", "customer_health")


def demo(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the demonstration's command line as the Makefile does."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "VITALS_"))}
    return subprocess.run(
        [sys.executable, "-m", "local.demo", *map(str, arguments)],
        check=False,
        cwd=ROOT,
        env=kept,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_demonstration_has_a_past_and_its_reports_are_files(tmp_path: Path) -> None:
    folder, into = tmp_path / "demo", tmp_path / "reports"
    filled = demo("fill", "--folder", folder, *OPTIONS)
    assert (filled.returncode, filled.stderr) == (0, "")
    assert f"make run FOLDER={folder}" in filled.stdout
    assert len(list((folder / "mail").glob("*.eml"))) in {4, 6}, "two on each Monday"

    made = demo("reports", "--folder", folder, "--into", into, *MADE)

    assert (made.returncode, made.stderr) == (0, "")
    trend = json.loads((into / "trend.json").read_text())
    key_figures = next(each for each in trend["sections"] if each["section"] == "figures")
    figures = {each["name"]: each["value"] for each in key_figures["figures"]}
    there = sum(each.joins < DAYS for each in portfolio(date(2026, 1, 1), COMPANIES))
    assert figures["customers"] == there
    assert trend["currency"] == "EUR"
    [by_day] = [each for each in trend["sections"] if each.get("chart") == "lines"]
    scores = by_day["series"][0]["values"]
    assert len(scores) >= DAYS - 1
    assert len(set(scores)) > 5, "there was a past"
    for name in MADE:
        title = name.replace("_", " ").title()
        pdf = PdfDocument(into / f"{name}.pdf")
        text = pdf[0].get_textpage().get_text_bounded()
        pdf.close()
        page = (into / f"{name}.html").read_text()
        assert page.startswith("<!doctype html>")
        for said in (text, page):
            assert title in said
            assert "Larkfield Cloud" in said
        with (into / f"{name}.csv").open(encoding="utf-8-sig", newline="") as rows:
            header, first, *_ = csv.reader(rows)
        assert len(header) == len(first)
    again = demo("fill", "--folder", tmp_path, *OPTIONS)
    assert (again.returncode, folder.exists()) == (1, True)
    assert again.stderr == f"{tmp_path} is no demonstration, and is left as it is.\n"


def test_without_a_demonstration_there_is_nothing_to_report(tmp_path: Path) -> None:
    refused = demo("reports", "--folder", tmp_path / "none", "--into", tmp_path / "reports")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        f"There is nothing in {tmp_path / 'none'} yet: `make demo` fills it.\n"
    )
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize(
    ("option", "value", "most"),
    [
        ("--days", "0", 365), ("--days", "366", 365), ("--days", "-1", 365), ("--days", "x", 365),
        ("--companies", "0", 374), ("--companies", "375", 374), ("--companies", "1.5", 374),
    ],
)  # fmt: skip
def test_what_cannot_be_filled_is_refused_before_anything_is_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, value: str, most: int
) -> None:
    (tmp_path / "made-by-demo").touch()
    with pytest.raises(SystemExit):
        main(["fill", "--folder", str(tmp_path), f"{option}={value}"])
    assert f"must be a whole number from 1 to {most}" in capsys.readouterr().err
    assert (tmp_path / "made-by-demo").exists()


class _Answers:
    """An API of a local cloud whose customers have no score, and whose jobs are never done."""

    asked: list[str]

    def __init__(self) -> None:
        self.asked = []

    def call(self, action: str, data: Mapping[str, Any]) -> dict[str, Any]:
        if action == "get_portfolio":
            return {"data": {"priority_accounts": []}}
        self.asked.append(data.get("report", ""))
        return {"job_id": "job", "data": {"link": None, "state": "running"}}


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> _Answers:
    api = _Answers()
    monkeypatch.setattr(reports, "serving", lambda _: nullcontext(api))
    monkeypatch.setattr(DataFolder, "has_data", True)
    monkeypatch.setattr(reports, "_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(reports, "_MADE_SECONDS", 0.01)
    return api


def test_where_nobody_has_a_score_there_is_no_report_of_one(
    tmp_path: Path, answers: _Answers, capsys: pytest.CaptureFixture[str]
) -> None:
    made = ("customer_health", "score_history")
    reports.make_reports(DataFolder(tmp_path), tmp_path / "reports", made)
    assert answers.asked == []
    said = capsys.readouterr().out
    for name in made:
        assert f"{name:20} is about a customer with a score, and there is none" in said


def test_a_report_that_is_never_made_is_waited_for_no_longer(
    tmp_path: Path, answers: _Answers
) -> None:
    with pytest.raises(LocalCloudError, match=r"trend was not made in 0\.01 s"):
        reports.make_reports(DataFolder(tmp_path), tmp_path / "reports", ("trend",))
    assert answers.asked[0] == "trend"
