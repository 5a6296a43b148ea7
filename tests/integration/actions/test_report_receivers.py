"""Whom reports reach and name: erased with each, told when it fails, and nobody who did not ask."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.integration.actions.api import Api
from tests.integration.actions.outside import Outside, Reacting, received
from tests.integration.actions.test_report_schedules import (
    DIGEST,
    READY,
    URL,
    fire,
    mails,
    scheduled,
)

import alerts
import reports
from vitals.domain.delivery import GONE, Attempt
from vitals.domain.instants import iso
from vitals.runtime.settings import settings
from vitals.runtime.wiring import Wiring, wiring
from vitals.storage.ports import Wake
from vitals.storage.reaction_ports import DELIVERY
from vitals.usecases.context import Context

MONDAY = datetime(2026, 3, 9, 8, tzinfo=UTC)
MAILED = {"recipients": ["ann@example.com"]}


@pytest.fixture(autouse=True)
def _known_url(monkeypatch: pytest.MonkeyPatch, table: object) -> None:  # noqa: ARG001 - settings are read after the table is there
    monkeypatch.setenv("API_URL", URL)


def told_of(api: Api) -> list[str]:
    """What the deliveries that are stored say."""
    return [item.doc for item in api.table.item.scan() if "#DLV#" in item.PK and item.doc]


@pytest.mark.parametrize("report", ["weekly_digest", "customer_health", "score_history"])
@pytest.mark.parametrize(
    "name", ["Acme  Corp", "Acme\u202eCorp", "Acme\u00a0Corp", "Acme {0} Corp", "3"]
)
def test_a_name_is_erased_from_what_was_sent_however_it_is_printed(
    reacting: Reacting, outside: Outside, name: str, report: str
) -> None:
    api = reacting.api
    made = api.post("upsert_account", {"name": name, "mrr": 1000, "logins": 0, "nps": 0}).data
    about = {} if report == "weekly_digest" else {"customer": made["id"]}
    scheduled(api, report=report, **about, recipients=MAILED["recipients"])
    fire(reacting, MONDAY)
    assert len(mails(outside)) == 1
    api.post("delete_customer", {"id": made["id"], "hard": True})
    reacting.settle()
    assert told_of(api) == []


def test_the_name_of_a_time_before_a_customer_was_renamed_is_erased_too(
    reacting: Reacting, outside: Outside
) -> None:
    api = reacting.api
    made = api.upsert("Acme Olde", mrr=100, logins=50, nps=10)["id"]
    api.upsert("Beta Corp", mrr=100, logins=50, nps=10)
    scheduled(api, report="score_history", recipients=MAILED["recipients"])
    api.upsert("Acme Olde", nps=0, logins=0)
    api.post("upsert_account", {"id": made, "name": "Acme Nova"})
    fire(reacting, MONDAY)
    [(_, data)] = mails(outside)
    assert "Acme Olde" in "\n".join(data["headlines"])
    api.post("delete_customer", {"id": made, "hard": True})
    reacting.settle()
    assert told_of(api) == []


def test_what_was_sent_is_erased_with_whom_it_names_however_late_it_was_replayed(
    reacting: Reacting, outside: Outside
) -> None:
    api = reacting.api
    made = api.upsert("Acme", mrr=1000, logins=0, nps=0)["id"]
    scheduled(api, recipients=MAILED["recipients"])
    fire(reacting, MONDAY)
    [sent] = api.get("list_deliveries", event_type=READY).data
    for day in (28, 56, 84):
        api.clock.now = MONDAY + timedelta(days=day)
        assert api.post("replay_delivery", {"id": sent["id"]}).status == 200
        reacting.settle()
    assert len(mails(outside)) == 4
    items = {key: item for key, item in api.stored().items() if sent["id"] in key[1]}
    [leads] = [item for key, item in items.items() if key[1].startswith("REF#")]
    assert made in str(leads["PK"])
    [delivery] = [
        item for key, item in api.stored().items()
        if "#DLV#" in key[0] and item.get("state") == "delivered"
    ]  # fmt: skip
    ends = datetime.fromtimestamp(int(delivery["expires_at"]), UTC)
    assert timedelta(days=89) < ends - MONDAY <= timedelta(days=90, hours=1)
    assert int(leads["expires_at"]) >= int(delivery["expires_at"]) + 7 * 86_400


def test_what_names_somebody_else_stays_when_a_customer_is_erased(
    reacting: Reacting, outside: Outside
) -> None:
    api = reacting.api
    api.upsert("Acme Corp 3", mrr=1000, logins=0, nps=0)
    # All of these are in the sentence about the one who is to be called.
    others = [api.upsert(name, mrr=0)["id"] for name in ("3", "Co", "Acme Corp", "first")]
    scheduled(api)
    fire(reacting, MONDAY)
    (_, data), _ = mails(outside)
    said = "\n".join(data["headlines"])
    assert all(name in said for name in ("3", "Co", "Acme Corp", "first"))
    for each in others:
        api.post("delete_customer", {"id": each, "hard": True})
    reacting.settle()
    assert len(told_of(api)) == 2


def test_a_connection_of_a_schedule_goes_by_force_and_out_of_it(reacting: Reacting) -> None:
    api = reacting.api
    team = api.post("put_connection", {"name": "Team", "kind": "email", "emails": ["a@b.example"]})
    of_team = {"connections": [team.data["id"]]}
    schedule = scheduled(api, **of_team, name="Mondays")
    [listed] = api.get("list_connections").data
    assert listed["report_schedules"] == ["Mondays"]
    refused = api.post("delete_connection", {"id": team.data["id"]})
    assert (refused.status, refused.code) == (409, "connection_in_use")
    assert refused.body["report_schedules"] == ["Mondays"]
    assert "the report schedule 'Mondays'" in refused.body["detail"]
    gone = api.post("delete_connection", {"id": team.data["id"], "force": True}).data
    assert gone["report_schedules"] == ["Mondays"]
    [after] = api.get("list_report_schedules").data
    assert (after["connections"], after["version"]) == ([], schedule["version"] + 1)
    assert api.post("put_report_schedule", {"id": after["id"], "format": "pdf"}).status == 200


def test_a_connection_that_vanished_does_not_keep_a_schedule_from_being_changed(
    reacting: Reacting, outside: Outside
) -> None:
    api = reacting.api
    hook = {"target_url": "https://hooks.example.com/x", "event": READY}
    made = api.post("subscribe", hook).body["id"]
    schedule = scheduled(api, connections=[made])
    outside.verdict = lambda sent: Attempt(at=sent.at, verdict=GONE, status=410)
    fire(reacting, MONDAY)
    assert api.get("list_connections").data == []
    outside.verdict = received
    outside.sent.clear()
    assert api.post("put_report_schedule", {"id": schedule["id"], "days": 9}).status == 200
    assert api.post("send_report", {"schedule_id": schedule["id"]}).status == 200
    reacting.settle()
    assert [address for address, _ in mails(outside)] == DIGEST["recipients"]


def test_a_schedule_says_how_it_went_last(reacting: Reacting) -> None:
    api = reacting.api
    made = api.upsert("Acme", mrr=1)
    schedule = scheduled(api, report="customer_health", customer="Acme")
    assert schedule["last"] is None
    fire(reacting, MONDAY)
    [job] = api.get("list_jobs", kind="report").data
    assert job["schedule_id"] == schedule["id"]
    last = {"at": iso(MONDAY), "job_id": job["id"], "why": None, "deliveries": 2}
    [listed] = api.get("list_report_schedules").data
    assert listed["last"] == {**last, "state": "done"}
    answer = api.post("put_report_schedule", {"id": schedule["id"], "days": 9}).data
    assert answer["last"] == listed["last"]
    api.post("delete_customer", {"id": made["id"]})
    fire(reacting, MONDAY + timedelta(days=7))
    [listed] = api.get("list_report_schedules").data
    assert (listed["last"]["state"], listed["last"]["deliveries"]) == ("skipped", None)
    assert made["id"] in listed["last"]["why"]


def test_a_report_of_no_schedule_says_so_in_its_job(reacting: Reacting) -> None:
    api = reacting.api
    job = api.post("send_report", {"report": "trend", **MAILED}).body["job_id"]
    assert api.post("get_job", {"id": job}).data["schedule_id"] is None


@pytest.mark.parametrize("action", ["put_report_schedule", "send_report", "send_test"])
def test_recipients_are_warned_of_while_no_mail_can_be_sent(
    api: Api, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    given: dict[str, Any] = {"report": "trend", **MAILED}
    if action == "put_report_schedule":
        given["schedule"] = "daily"

    def warned() -> list[str]:
        settings.cache_clear()
        api.restart()
        return [each["code"] for each in api.post(action, given).body["warnings"]]

    monkeypatch.setenv("MAIL_FROM", "")
    assert warned() == ["mail_not_set_up"]
    monkeypatch.setenv("MAIL_FROM", "vitals@example.com")
    assert warned() == []


def test_who_left_a_schedule_and_is_named_is_warned_of(
    reacting: Reacting, outside: Outside
) -> None:
    api = reacting.api
    schedule = scheduled(api)
    fire(reacting, MONDAY)
    [url] = [data["unsubscribe"] for address, data in mails(outside) if address.startswith("bob")]
    path, _, query = url.removeprefix(URL).partition("?")
    api.send("POST", path=path, query=query, body="List-Unsubscribe=One-Click", x_api_key="")
    outside.sent.clear()
    to = ["Bob@example.com", "cat@example.com"]
    answer = api.post("send_test", {"schedule_id": schedule["id"], "to": to}).body
    [warning] = [each for each in answer["warnings"] if each["code"] == "unsubscribed"]
    assert "Bob@example.com" in warning["message"]
    assert "cat@example.com" not in warning["message"]
    reacting.settle()
    assert [address for address, _ in mails(outside)] == ["cat@example.com"]


def test_an_answer_to_who_asked_is_told_to_no_subscriber(
    reacting: Reacting, outside: Outside
) -> None:
    api = reacting.api
    hook = {"name": "W", "url": "https://hooks.example.com/x", "events": [READY]}
    api.post("put_webhook_subscription", hook)
    api.post("run_report", {"report": "trend", "format": "html"})
    reacting.settle()
    assert outside.files
    assert outside.sent == []


def test_a_report_that_nobody_goes_on_with_is_forgotten_too(reacting: Reacting) -> None:
    api = reacting.api
    made = api.post("run_report", {"report": "trend", "format": "csv", "link": True}).body["job_id"]
    assert api.post("get_job", {"id": made}).data["state"] == "queued"
    stored = next(item for key, item in api.stored().items() if key[1] == made)
    ends = datetime.fromtimestamp(int(stored["expires_at"]), UTC)
    assert timedelta(days=30) <= ends - datetime(2026, 3, 2, 12, tzinfo=UTC) < timedelta(days=31)
    api.later(days=31)
    assert api.post("get_job", {"id": made}).code == "job_not_found"


def test_jobs_of_reports_are_forgotten_after_a_month(reacting: Reacting) -> None:
    api = reacting.api
    made = api.post("run_report", {"report": "trend", "format": "csv", "link": True}).body["job_id"]
    rescore = api.post("rescore_all").body["job_id"]
    reacting.settle()
    api.run_jobs()
    stored = next(item for key, item in api.stored().items() if key[1] == made)
    ends = datetime.fromtimestamp(int(stored["expires_at"]), UTC)
    assert timedelta(days=30) <= ends - datetime(2026, 3, 2, 12, tzinfo=UTC) < timedelta(days=31)
    # What has expired may still be there for days.
    api.later(days=31)
    reply = api.post("get_job", {"id": made})
    assert (reply.status, reply.code) == (404, "job_not_found")
    assert api.post("run_report", {"job_id": made}).code == "job_not_found"
    assert [each["id"] for each in api.get("list_jobs").data] == [rescore]


@pytest.mark.parametrize("fails", ["context", "forgetting"])
def test_a_tenant_that_cannot_be_read_does_not_stop_the_others(
    reacting: Reacting, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    first, second = reacting.api, reacting.api.another_tenant()
    for api in (first, second):
        scheduled(api)
    background, broken = Wiring.background, min(first.tenant.id, second.tenant.id)

    def read(self: Wiring, tenant_id: str, *args: Any) -> Context | None:
        if tenant_id != broken:
            return background(self, tenant_id, *args)
        if fails == "context":
            raise ValueError("no such thing")
        return None

    def forget(*_: object) -> None:
        raise ValueError("no such thing")

    wakes = wiring().outbound.wakes
    for api in (first, second):
        wakes.set(Wake(api.tenant.id, DELIVERY, "x", MONDAY))
    monkeypatch.setattr(Wiring, "background", read)
    monkeypatch.setattr("vitals.storage.wakes.WakeTable.done", forget)
    assert reports.handler({"time": iso(MONDAY)}, first.context) == {"started": 1}
    assert alerts.handler({"time": iso(MONDAY)}, first.context) == {"delivery": 1}


def test_a_schedules_own_time_zone_is_that_of_its_file_and_of_its_message(
    reacting: Reacting, outside: Outside
) -> None:
    zone = "Asia/Tokyo"
    schedule = {"type": "daily", "at": "00:30", "time_zone": zone}
    scheduled(reacting.api, schedule=schedule, format="json", **MAILED)
    fire(reacting, datetime(2026, 3, 8, 15, 30, tzinfo=UTC))
    [(_, data)] = mails(outside)
    assert data["attachment"]["filename"] == "weekly-digest-2026-03-09.json"
    assert (data["as_of"], data["time_zone"]) == ("2026-03-08T15:30:00.000Z", zone)
    # Its figures compare whole days of the tenant's, and so does the document.
    [document] = outside.files.values()
    assert b'"time_zone": "UTC"' in document


def test_a_csv_that_is_mailed_begins_with_what_tells_its_encoding(
    reacting: Reacting, outside: Outside
) -> None:
    reacting.api.upsert("Zoë", mrr=10, logins=1)
    scheduled(reacting.api, format="csv", **MAILED)
    fire(reacting, MONDAY)
    [content] = outside.files.values()
    assert content.startswith(b"\xef\xbb\xbf")
