"""`make demo` and `make reports`, small: a past of real writes, and reports that can be opened."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

from local.demo.portfolio import portfolio
from local.dynamodb import ROOT
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
