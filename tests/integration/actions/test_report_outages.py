"""Outages of hours: each occurrence is sent once when they are over, and none that is replaced."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.integration.actions.api import LambdaContext
from tests.integration.actions.outside import Outside, PlayedFiles, Reacting, make_reports
from tests.integration.actions.test_report_schedules import READY, fire, mails, scheduled

import reports
from vitals.domain.delivery import Delivery
from vitals.domain.instants import iso
from vitals.storage.deliveries import DeliveryTable
from vitals.storage.ports import StorageBusyError
from vitals.storage.wakes import WakeTable

MONDAY = datetime(2026, 3, 9, 8, tzinfo=UTC)
EACH = ["ann@example.com", "bob@example.com"]
DAILY = {"type": "daily", "at": "09:00", "time_zone": "Europe/Berlin"}


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Files cannot be kept as long as this holds anything."""
    found, put = [True], PlayedFiles.put

    def kept(self: PlayedFiles, key: str, content: bytes, media_type: str, filename: str) -> None:
        if found:
            raise ConnectionError("the bucket does not answer")
        put(self, key, content, media_type, filename)

    monkeypatch.setattr(PlayedFiles, "put", kept)
    return found


def pass_(reacting: Reacting, since: datetime, **units: float) -> datetime:
    """Let time pass, the schedule running every hour; return the instant then."""
    until = since + timedelta(**units)
    while since < until:
        since += timedelta(hours=1)
        fire(reacting, since)
    return until


def start_and_lose(reacting: Reacting, at: datetime) -> None:
    """Run the schedule at an instant, and lose every message that follows."""
    reacting.api.clock.now = at
    assert reports.handler({"time": iso(at)}, reacting.api.context) == {"started": 1}
    reacting.react(reacting.records())
    reacting.outside.reports.clear()


def last(reacting: Reacting) -> Any:
    [found] = reacting.api.get("list_report_schedules").data
    return found["last"]


def test_a_report_that_cannot_be_kept_for_hours_is_sent_once_when_it_can(
    reacting: Reacting, outside: Outside, broken: list[bool]
) -> None:
    scheduled(reacting.api)
    fire(reacting, MONDAY)
    [job] = reacting.api.get("list_jobs", kind="report").data
    assert job["state"] == "failed"
    about = {"at": iso(MONDAY), "job_id": job["id"]}
    why = "something went wrong on our side"
    assert last(reacting) == {**about, "state": "failed", "why": why, "deliveries": None}
    now = pass_(reacting, MONDAY, hours=9)
    assert mails(outside) == []
    broken.clear()
    now = pass_(reacting, now, hours=20)
    assert [address for address, _ in mails(outside)] == EACH
    assert last(reacting) == {**about, "state": "done", "why": None, "deliveries": 2}
    pass_(reacting, now, days=1)
    assert len(mails(outside)) == 2
    [again] = reacting.api.get("list_jobs", kind="report").data
    assert (again["id"], again["state"]) == (job["id"], "done")


def test_a_report_that_is_never_made_is_tried_again_less_and_less_often(
    reacting: Reacting,
    broken: list[bool],  # noqa: ARG001 - as long as it holds anything no file is kept
) -> None:
    scheduled(reacting.api)
    fire(reacting, MONDAY)
    tried = []
    for hours in (0.25, 1.25, 5.25, 29.25, 53.25):
        for early in (timedelta(minutes=5), timedelta()):
            at = MONDAY + timedelta(hours=hours) - early
            fire(reacting, at)
            [job] = reacting.api.get("list_jobs", kind="report").data
            tried.append(datetime.fromisoformat(job["finished_at"]) >= at)
    assert tried == [False, True] * 5


class _TimeForOne(LambdaContext):
    """A run that has time for the first thing that it begins."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def get_remaining_time_in_millis(self) -> int:
        self.asked += 1
        return 60_000 if self.asked == 1 else 1_000


def test_after_an_outage_of_both_the_next_occurrence_is_sent_and_not_the_one_that_failed(
    reacting: Reacting, outside: Outside, broken: list[bool]
) -> None:
    scheduled(reacting.api)
    fire(reacting, MONDAY)
    broken.clear()
    # Nothing runs for nine days, and the first run breaks off between the two that are due.
    now = MONDAY + timedelta(days=9)
    reacting.api.clock.now = now
    assert reports.handler({"time": iso(now)}, _TimeForOne()) == {"started": 1}
    reacting.settle()
    pass_(reacting, now, hours=2)
    assert [address for address, _ in mails(outside)] == EACH
    assert last(reacting)["at"] == iso(MONDAY + timedelta(days=7))


def test_after_an_outage_what_failed_waits_for_the_next_occurrence_that_cannot_start_yet(
    reacting: Reacting, outside: Outside, broken: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduled(reacting.api)
    fire(reacting, MONDAY)
    broken.clear()
    now = MONDAY + timedelta(days=9)
    with monkeypatch.context() as patched:
        patched.setattr(WakeTable, "start", _busy)
        assert fire(reacting, now) == 0
    assert mails(outside) == []
    pass_(reacting, now, hours=2)
    assert [address for address, _ in mails(outside)] == EACH


def _busy(*_: object) -> None:
    raise StorageBusyError


def test_an_occurrence_that_began_while_its_schedule_was_deleted_is_forgotten(
    reacting: Reacting, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = reacting.api
    schedule = scheduled(api)
    with monkeypatch.context() as patched:
        # Deleted after it was read, and before its occurrence was written.
        patched.setattr("vitals.usecases.report_schedules.latest", lambda *_: None)
        fire(reacting, MONDAY)
        api.post("delete_report_schedule", {"id": schedule["id"]})
    assert [key for key in api.stored() if key[1].startswith("O#")]
    fire(reacting, MONDAY + timedelta(minutes=15))
    assert not [key for key in api.stored() if key[1].startswith("O#") or "#again" in key[1]]


def test_a_report_that_is_made_hours_late_says_as_of_when(
    reacting: Reacting, outside: Outside, broken: list[bool]
) -> None:
    api = reacting.api
    scheduled(api)
    fire(reacting, MONDAY)
    broken.clear()
    api.upsert("Acme", mrr=100)
    pass_(reacting, MONDAY, hours=1)
    (_, data), _ = mails(outside)
    late = datetime.fromisoformat(data["as_of"])
    assert MONDAY + timedelta(hours=1) <= late < MONDAY + timedelta(hours=1, minutes=1)
    assert datetime.fromisoformat(data["link_until"]) == late + timedelta(days=8)
    assert {each["label"]: each["value"] for each in data["figures"]}["Customers"] == "1"


def test_of_occurrences_that_could_not_be_made_the_latest_alone_is_sent(
    reacting: Reacting, outside: Outside, broken: list[bool]
) -> None:
    scheduled(reacting.api, schedule=DAILY)
    now = pass_(reacting, MONDAY - timedelta(hours=1), days=2, hours=3)
    assert len(reacting.api.get("list_jobs", kind="report").data) == 3
    broken.clear()
    now = pass_(reacting, now, hours=6)
    assert [address for address, _ in mails(outside)] == EACH
    assert last(reacting)["at"] == iso(MONDAY + timedelta(days=2))
    pass_(reacting, now, hours=20)
    assert len(mails(outside)) == 4


def test_a_message_that_was_set_aside_and_comes_back_after_the_next_occurrence_sends_nothing(
    reacting: Reacting, outside: Outside
) -> None:
    scheduled(reacting.api, schedule=DAILY)
    start_and_lose(reacting, MONDAY)
    [job] = reacting.api.get("list_jobs", kind="report").data
    fire(reacting, MONDAY + timedelta(days=1))
    assert len(mails(outside)) == 2
    make_reports(reacting.api, [{"tenant_id": reacting.api.tenant.id, "job_id": job["id"]}])
    reacting.settle()
    assert len(mails(outside)) == 2
    result = reacting.api.get("get_job", id=job["id"]).data["result"]
    assert result == {"skipped": "a later occurrence took its place"}


def test_a_report_whose_message_was_set_aside_is_made_by_the_schedule(
    reacting: Reacting, outside: Outside
) -> None:
    scheduled(reacting.api)
    start_and_lose(reacting, MONDAY)
    assert mails(outside) == []
    fire(reacting, MONDAY + timedelta(minutes=15))
    assert [address for address, _ in mails(outside)] == EACH


def test_what_some_had_before_it_broke_off_they_do_not_get_again(
    reacting: Reacting, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = DeliveryTable.add

    def half(self: DeliveryTable, deliveries: Sequence[Delivery], about: Sequence[str]) -> None:
        add(self, deliveries[:1], about)
        raise ConnectionError("the table does not answer")

    monkeypatch.setattr(DeliveryTable, "add", half)
    scheduled(reacting.api)
    fire(reacting, MONDAY)
    assert [address for address, _ in mails(outside)] == EACH[:1]
    monkeypatch.setattr(DeliveryTable, "add", add)
    pass_(reacting, MONDAY, hours=2)
    assert [address for address, _ in mails(outside)] == EACH
    assert len(reacting.api.get("list_deliveries", event_type=READY).data) == 2


@pytest.mark.parametrize("how", ["paused", "deleted", "cancelled"])
def test_what_is_not_wanted_any_more_is_not_tried_again(
    reacting: Reacting, outside: Outside, broken: list[bool], how: str
) -> None:
    api = reacting.api
    schedule = scheduled(api)
    if how == "cancelled":
        start_and_lose(reacting, MONDAY)
        [job] = api.get("list_jobs", kind="report").data
        assert api.post("cancel_job", {"id": job["id"]}).status == 200
    else:
        fire(reacting, MONDAY)
    if how == "paused":
        api.post("toggle_report_schedule", {"id": schedule["id"], "enabled": False})
    if how == "deleted":
        api.post("delete_report_schedule", {"id": schedule["id"]})
    broken.clear()
    now = pass_(reacting, MONDAY, hours=2)
    if how == "paused":
        api.post("toggle_report_schedule", {"id": schedule["id"], "enabled": True})
    pass_(reacting, now, hours=6)
    assert mails(outside) == []
    if how == "cancelled":
        assert (last(reacting)["state"], last(reacting)["why"]) == (
            "skipped", "the job was cancelled",
        )  # fmt: skip
    if how == "deleted":
        assert not [key for key in api.stored() if key[1].startswith("O#")]
