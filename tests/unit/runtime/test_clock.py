"""The clock: the real one, unless the local cloud moved its own."""

import importlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from vitals.runtime import clock


def test_where_nobody_moves_it_the_clock_is_the_real_one(monkeypatch: pytest.MonkeyPatch) -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    monkeypatch.setattr("builtins.open", None)  # and no file is looked for
    assert before < clock.now() <= datetime.now(UTC)


def test_an_instant_has_whole_milliseconds_though_the_clock_was_moved(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "clock.json").write_text(json.dumps({"ahead": 86400.0001234, "ran": {}}))
    monkeypatch.setenv("VITALS_CLOCK", str(tmp_path / "clock.json"))
    try:
        moved = importlib.reload(clock).now()
    finally:
        monkeypatch.undo()
        importlib.reload(clock)
    assert moved.microsecond % 1000 == 0
    assert timedelta(hours=23) < moved - datetime.now(UTC) < timedelta(hours=25)


def test_what_is_measured_is_real_whatever_the_clock_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "clock.json").write_text(json.dumps({"ahead": 86400}))
    monkeypatch.setattr(clock, "_MOVED", None)
    before = clock.monotonic()
    monkeypatch.setattr(clock, "_MOVED", str(tmp_path / "clock.json"))
    assert 0 <= clock.monotonic() - before < 60
