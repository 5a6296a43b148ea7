"""The local cloud's clock: ahead of the real one, for its functions too, and over a restart."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from local.clock import LocalClock, shown
from local.folder import DataFolder

from vitals.runtime import clock as functions_clock

DAY = timedelta(days=1)
MOMENT = timedelta(seconds=5)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "clock.json"


def now() -> datetime:
    return datetime.now(UTC)


def test_a_new_clock_is_right_and_has_missed_nothing(path: Path) -> None:
    clock = LocalClock(path, ("F.A",))
    assert not clock.is_moved
    assert now() - MOMENT < clock.ran("F.A") <= clock.now() <= now()


def test_a_clock_that_was_moved_goes_on_from_there(path: Path) -> None:
    clock = LocalClock(path)
    clock.keep(now=now() + DAY)
    assert clock.is_moved
    first, second = clock.now(), clock.now()
    assert now() + DAY - MOMENT < first <= second < now() + DAY + MOMENT


def test_a_clock_never_goes_back(path: Path) -> None:
    clock = LocalClock(path)
    clock.keep(now=now() + DAY)
    clock.keep(now=now() - DAY)
    assert clock.now() > now() + DAY - MOMENT


def test_a_new_clock_may_begin_in_the_past_and_goes_on_from_there(path: Path) -> None:
    LocalClock(path, ("F.A",), now() - 365 * DAY)
    clock = LocalClock(path, ("F.A",), now() - DAY)
    assert clock.is_moved
    assert now() - 365 * DAY - MOMENT < clock.ran("F.A") <= clock.now() < now() - 365 * DAY + MOMENT
    clock.keep(now=now() - 30 * DAY)
    assert now() - 30 * DAY - MOMENT < clock.now() < now() - 30 * DAY + MOMENT
    clock.keep(now=now() - 60 * DAY)
    assert now() - 30 * DAY - MOMENT < clock.now(), "it never goes back"


def test_what_ran_and_how_far_it_is_survive_a_restart(path: Path) -> None:
    at = datetime(2026, 12, 24, tzinfo=UTC)
    before = LocalClock(path, ("F.A",))
    before.keep({"F.A": at}, now() + DAY)
    after = LocalClock(path, ("F.A", "F.New"))
    assert after.ran("F.A") == at
    assert after.now() > now() + DAY - MOMENT
    assert after.ran("F.New") > now() + DAY - MOMENT, "it has missed nothing"


def test_looking_at_a_clock_that_is_there_writes_nothing(path: Path) -> None:
    LocalClock(path, ("F.A",)).keep(now=now() + DAY)
    kept = path.stat()
    LocalClock(path)
    assert path.stat() == kept


def test_functions_read_the_same_clock(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = LocalClock(path)
    [name] = clock.variables
    assert name == "VITALS_CLOCK"
    monkeypatch.setattr(functions_clock, "_MOVED", clock.variables[name])
    assert functions_clock.now() <= now()
    clock.keep(now=now() + DAY)
    assert now() + DAY - MOMENT < functions_clock.now() <= clock.now()


def test_functions_find_it_wherever_they_run() -> None:
    assert DataFolder(Path(".local")).clock.is_absolute()


def test_an_instant_is_shown_in_utc() -> None:
    assert shown(datetime.fromisoformat("2026-12-24T10:00:00.9+01:00")) == "2026-12-24T09:00:00Z"
