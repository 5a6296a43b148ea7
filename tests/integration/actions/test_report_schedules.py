"""Report schedules: each occurrence is sent once, at its local time, to everybody by themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.integration.actions.api import Api, Reply
from tests.integration.actions.outside import Outside, Reacting, Sent, make_reports, received
from tests.integration.actions.test_reports import turn

import reports
from vitals.domain.delivery import RETRY, Attempt
from vitals.domain.instants import iso
from vitals.domain.rule_document import schedule_of
from vitals.domain.schedule import Schedule
from vitals.runtime.wiring import wiring
from vitals.usecases import report_due

BERLIN = ZoneInfo("Europe/Berlin")
URL = "https://api.example.com"
MONDAYS = {"type": "weekly", "on": "mon", "at": "09:00", "time_zone": "Europe/Berlin"}
DIGEST: Mapping[str, Any] = {
    "report": "weekly_digest",
    "schedule": MONDAYS,
    "recipients": ["ann@example.com", "bob@example.com"],
    "format": "html",
}
READY = "report.ready"


@pytest.fixture(autouse=True)
def _known_url(monkeypatch: pytest.MonkeyPatch, table: object) -> None:  # noqa: ARG001 - settings are read after the table is there
    monkeypatch.setenv("API_URL", URL)


def scheduled(api: Api, **changes: object) -> Any:
    return api.post("put_report_schedule", {**DIGEST, **changes}).data


def mails(outside: Outside) -> list[tuple[str, Mapping[str, Any]]]:
    """Whom a report was sent to, and what it says."""
    return [
        (sent.connection.shown, sent.payload["data"])
        for sent in outside.sent
        if sent.payload["type"] == READY
    ]


def follow(api: Api, method: str, link: str) -> Reply:
    """Follow a link as whoever has it: without a key."""
    path, _, query = link.removeprefix(URL).partition("?")
    said = "List-Unsubscribe=One-Click" if method == "POST" else None
    return api.send(method, path=path, query=query, body=said, x_api_key="")


def fire(reacting: Reacting, at: datetime) -> int:
    """Run the schedule at an instant, and all that follows."""
    reacting.api.clock.now = max(at, reacting.api.clock.now)
    started = reports.handler({"time": iso(at)}, reacting.api.context)["started"]
    reacting.settle()
    return int(started)


def test_a_weekly_schedule_is_sent_at_its_local_time_across_a_clock_change(
    reacting: Reacting, outside: Outside
) -> None:
    scheduled(reacting.api)
    for day in range(1, 43):
        for hour in (0, 6, 7, 8, 9):
            fire(reacting, datetime(2026, 3, 2, hour, tzinfo=UTC) + timedelta(days=day))
    days = [datetime.fromisoformat(data["as_of"]).astimezone(BERLIN) for _, data in mails(outside)]
    mondays = [(3, 9), (3, 16), (3, 23), (3, 30), (4, 6), (4, 13)]
    assert [(day.month, day.day, day.hour) for day in days] == [
        (*day, 9) for day in mondays for _ in DIGEST["recipients"]
    ]


def test_after_an_outage_the_latest_missed_occurrence_is_sent_alone(
    reacting: Reacting, outside: Outside
) -> None:
    scheduled(reacting.api)
    assert fire(reacting, datetime(2026, 3, 25, 15, tzinfo=UTC)) == 1
    assert len(mails(outside)) == 2
    assert fire(reacting, datetime(2026, 3, 25, 15, 5, tzinfo=UTC)) == 0
    assert fire(reacting, datetime(2026, 3, 30, 7, tzinfo=UTC)) == 1


def test_an_occurrence_is_sent_once_however_often_the_schedule_runs(
    reacting: Reacting, outside: Outside
) -> None:
    scheduled(reacting.api)
    monday = datetime(2026, 3, 9, 8, tzinfo=UTC)
    assert [fire(reacting, monday) for _ in range(3)] == [1, 0, 0]
    [file] = outside.files
    job_id = file.split("/")[1].partition(".")[0]
    make_reports(reacting.api, [{"tenant_id": reacting.api.tenant.id, "job_id": job_id}])
    reacting.settle()
    assert [address for address, _ in mails(outside)] == ["ann@example.com", "bob@example.com"]


def test_a_mail_has_its_figures_its_file_and_a_way_out(
    reacting: Reacting, outside: Outside
) -> None:
    reacting.api.upsert("Acme", mrr=100, logins=1)
    schedule = scheduled(reacting.api)
    fire(reacting, datetime(2026, 3, 9, 8, tzinfo=UTC))
    (_, ann), (_, bob) = mails(outside)
    assert ann["figures"]
    assert ann["headlines"]
    assert ann["schedule"] == {"id": schedule["id"], "name": "Weekly Digest"}
    assert ann["attachment"]["key"] in outside.files
    assert ann["attachment"]["filename"] == "weekly-digest-2026-03-09.html"
    assert ann["unsubscribe"].startswith(f"{URL}/unsubscribe?link=")
    assert ann["unsubscribe"] != bob["unsubscribe"]
    link = follow(reacting.api, "GET", ann["link"])
    assert link.status == 302
    assert ann["attachment"]["key"] in link.headers["location"]


def test_the_link_out_asks_first_and_takes_one_address_off_by_one_click(
    reacting: Reacting, outside: Outside
) -> None:
    api = reacting.api
    schedule = scheduled(api)
    fire(reacting, datetime(2026, 3, 9, 8, tzinfo=UTC))
    [url] = [
        data["unsubscribe"] for address, data in mails(outside) if address == "bob@example.com"
    ]
    page = follow(api, "GET", url)
    assert page.headers["content-type"].startswith("text/html")
    assert '<form method="post">' in page.body
    [before] = api.get("list_report_schedules").data
    assert before["recipients"] == DIGEST["recipients"]
    for _ in range(2):
        click = follow(api, "POST", url)
        assert click.status == 200
    [after] = api.get("list_report_schedules").data
    assert (after["recipients"], after["unsubscribed"]) == (
        ["ann@example.com"],
        ["bob@example.com"],
    )
    assert after["id"] == schedule["id"]
    outside.sent.clear()
    fire(reacting, datetime(2026, 3, 16, 8, tzinfo=UTC))
    assert [address for address, _ in mails(outside)] == ["ann@example.com"]
    api.post("put_report_schedule", {"id": schedule["id"], "recipients": ["bob@example.com"]})
    outside.sent.clear()
    fire(reacting, datetime(2026, 3, 23, 8, tzinfo=UTC))
    assert [address for address, _ in mails(outside)] == ["bob@example.com"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda link: link[:-1] + ("y" if link.endswith("x") else "x"),
        lambda link: link + "x",
        lambda link: link.partition("=")[0] + "=" + link.partition("=")[2].replace(".", "", 1),
        lambda link: link.partition("?")[0],
        lambda _: f"{URL}/reports?link=a.b.c",
        lambda _: f"{URL}/unsubscribe?link=x.y.z.ä",
        # The tenant's own, with nothing behind it.
        lambda link: re.sub(r"[.][^.]+", ".", link.partition("=")[2]).join(
            (link.partition("=")[0] + "=", "")
        ),
    ],
)
def test_a_link_that_nobody_gave_leads_nowhere(
    reacting: Reacting, outside: Outside, spoil: Callable[[str], str]
) -> None:
    scheduled(reacting.api)
    fire(reacting, datetime(2026, 3, 9, 8, tzinfo=UTC))
    for name in ("link", "unsubscribe"):
        reply = follow(reacting.api, "GET", spoil(mails(outside)[0][1][name]))
        assert reply.status == 404
        assert reply.headers["content-type"].startswith("text/html")


def test_a_receiver_that_fails_does_not_stop_the_others(
    reacting: Reacting, outside: Outside
) -> None:
    def verdict(sent: Sent) -> Attempt:
        if sent.connection.shown == "ann@example.com":
            return Attempt(at=sent.at, verdict=RETRY, error="no such mailbox")
        return received(sent)

    outside.verdict = verdict
    scheduled(reacting.api)
    fire(reacting, datetime(2026, 3, 9, 8, tzinfo=UTC))
    states = {
        each["connection_id"]: each["state"]
        for each in reacting.api.get("list_deliveries", event_type=READY).data
    }
    assert states == {"mailto:ann@example.com": "pending", "mailto:bob@example.com": "delivered"}


def test_connections_are_told_with_a_link_and_addresses_of_one_are_mailed_each(
    reacting: Reacting, outside: Outside
) -> None:
    api = reacting.api
    team = api.post(
        "put_connection",
        {"name": "Team", "kind": "email", "emails": ["ann@example.com", "cat@example.com"]},
    ).data
    hook = api.post(
        "put_connection",
        {"name": "Slack", "kind": "slack", "url": "https://hooks.slack.com/services/T/B/x"},
    ).data
    scheduled(api, connections=[team["id"], hook["id"]])
    fire(reacting, datetime(2026, 3, 9, 8, tzinfo=UTC))
    told = dict(mails(outside))
    assert len(mails(outside)) == 4
    assert {"ann@example.com", "bob@example.com", "cat@example.com"} < set(told)
    [slack] = [sent.payload["data"] for sent in outside.sent if sent.connection.kind == "slack"]
    assert slack["link"].startswith(f"{URL}/reports?link=")
    assert "unsubscribe" not in slack
    assert "attachment" not in slack


def test_a_paused_schedule_sends_nothing_and_goes_on_with_what_comes_next(
    reacting: Reacting, outside: Outside
) -> None:
    api = reacting.api
    schedule = scheduled(api)
    paused = api.post("toggle_report_schedule", {"id": schedule["id"], "enabled": False}).data
    assert (paused["enabled"], paused["next_at"]) == (False, None)
    assert fire(reacting, datetime(2026, 3, 9, 8, tzinfo=UTC)) == 0
    api.clock.now = datetime(2026, 3, 18, tzinfo=UTC)
    again = api.post("toggle_report_schedule", {"id": schedule["id"], "enabled": True}).data
    assert again["next_at"] == "2026-03-23T08:00:00.000Z"
    assert fire(reacting, datetime(2026, 3, 18, 1, tzinfo=UTC)) == 0
    assert mails(outside) == []
    assert fire(reacting, datetime(2026, 3, 23, 8, tzinfo=UTC)) == 1


def test_a_schedule_that_was_deleted_between_its_time_and_its_report_sends_nothing(
    reacting: Reacting, outside: Outside
) -> None:
    api = reacting.api
    schedule = scheduled(api)
    monday = datetime(2026, 3, 9, 8, tzinfo=UTC)
    api.clock.now = monday
    assert reports.handler({"time": iso(monday)}, api.context) == {"started": 1}
    assert api.post("delete_report_schedule", {"id": schedule["id"]}).data["deleted"]
    reacting.settle()
    assert mails(outside) == []
    assert fire(reacting, datetime(2026, 3, 16, 8, tzinfo=UTC)) == 0
    [job] = api.get("list_jobs", kind="report").data
    assert job["state"] == "done"


def test_what_is_sent_now_of_a_schedule_that_is_deleted_meanwhile_reaches_nobody(
    reacting: Reacting, outside: Outside
) -> None:
    # Who left it is known no more.
    api = reacting.api
    schedule = scheduled(api)
    api.post("send_report", {"schedule_id": schedule["id"]})
    api.post("delete_report_schedule", {"id": schedule["id"]})
    reacting.settle()
    assert mails(outside) == []


@pytest.mark.parametrize(
    ("zone", "sent"),
    [
        ("America/Los_Angeles", [(9, 16), (16, 16)]),
        # What came earlier than the old clock said is sent by that, once, rather than not at all.
        ("Asia/Tokyo", [(9, 9), (16, 0)]),
    ],
)
def test_when_the_tenants_clock_moves_each_occurrence_is_still_sent_once(
    reacting: Reacting, zone: str, sent: list[tuple[int, int]]
) -> None:
    api = reacting.api
    scheduled(api, schedule={"type": "weekly", "on": "mon", "at": "09:00"})
    assert api.post("update_config", {"time_zone": zone, "rescore": False}).status == 200
    at, found = datetime(2026, 3, 8, tzinfo=UTC), []
    for hour in range(9 * 24):
        now = at + timedelta(hours=hour)
        if reports.handler({"time": iso(now)}, api.context)["started"]:
            found.append((now.day, now.hour))
    assert found == sent


def test_a_schedule_that_cannot_be_read_does_not_stop_the_others(
    reacting: Reacting, monkeypatch: pytest.MonkeyPatch
) -> None:
    for api in (reacting.api, reacting.api.another_tenant()):
        scheduled(api)
    calls: list[Mapping[str, Any]] = []

    def broken(document: Mapping[str, Any]) -> Schedule:
        calls.append(document)
        if len(calls) == 1:
            raise KeyError("at")
        return schedule_of(document)

    monkeypatch.setattr(report_due, "schedule_of", broken)
    monday = iso(datetime(2026, 3, 9, 8, tzinfo=UTC))
    assert reports.handler({"time": monday}, reacting.api.context) == {"started": 1}
    assert reports.handler({"time": monday}, reacting.api.context) == {"started": 1}


def test_two_runs_at_once_start_one_report(reacting: Reacting) -> None:
    scheduled(reacting.api)
    monday = datetime(2026, 3, 9, 8, tzinfo=UTC)
    wakes = wiring().outbound.wakes
    both = list(wakes.due(monday, "report"))
    assert len(both) == 1
    assert reports.handler({"time": iso(monday)}, reacting.api.context) == {"started": 1}
    found = list(wakes.due(monday, "report"))
    assert found == []


def test_what_was_not_sent_of_a_schedule_stays(api: Api) -> None:
    schedule = scheduled(api, name="Mondays", manager="Ana", days=14)
    changed = api.post("put_report_schedule", {"id": schedule["id"], "format": "pdf"}).data
    same = ("name", "manager", "days", "recipients", "schedule", "next_at", "enabled")
    assert {name: changed[name] for name in same} == {name: schedule[name] for name in same}
    assert (changed["format"], changed["version"]) == ("pdf", 2)
    again = api.post("put_report_schedule", {"id": schedule["id"], "format": "pdf"})
    assert again.body["unchanged"]
    assert "secret" not in str(again.body)
    stale = api.post(
        "put_report_schedule", {"id": schedule["id"], "format": "csv", "if_version": 1}
    )
    assert stale.code == "version_conflict"


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({"report": None}, {"report": "required"}),
        ({"schedule": None}, {"schedule": "required"}),
        ({"recipients": None}, {"recipients": "required"}),
        ({"recipients": ["ann"]}, {"recipients": "must_be_email"}),
        ({"connections": ["01X"]}, {"connections": "unknown_connection"}),
        ({"schedule": "realtime"}, {"schedule": "unknown_value"}),
        ({"schedule": {"type": "monthly", "on": 32}}, {"schedule": "out_of_range"}),
        ({"report": "customer_health"}, {"customer_id": "required"}),
        ({"tag": [f"t{number}" for number in range(51)]}, {"tag": "out_of_range"}),
        ({"manager": "x" * 201}, {"manager": "out_of_range"}),
    ],
)
def test_a_schedule_that_could_not_be_sent_is_refused(
    api: Api, changes: Mapping[str, Any], refused: Mapping[str, str]
) -> None:
    given = {name: value for name, value in {**DIGEST, **changes}.items() if value is not None}
    assert api.post("put_report_schedule", given).refused == refused
    assert api.get("list_report_schedules").data == []


def test_a_report_is_sent_now_and_tried_by_who_asks(reacting: Reacting, outside: Outside) -> None:
    api = reacting.api
    schedule = scheduled(api)
    api.post("send_report", {"schedule_id": schedule["id"]})
    reacting.settle()
    assert [address for address, _ in mails(outside)] == DIGEST["recipients"]
    outside.sent.clear()
    api.post("send_test", {"schedule_id": schedule["id"], "to": "me@example.com"})
    reacting.settle()
    [(address, data)] = mails(outside)
    assert (address, data["test"]) == ("me@example.com", True)
    outside.sent.clear()
    api.post("send_report", {"report": "trend", "format": "csv", "to": ["me@example.com"]})
    reacting.settle()
    [(_, data)] = mails(outside)
    assert (data["report"]["name"], data["unsubscribe"]) == ("trend", None)
    refused = api.post("send_report", {"report": "trend"}).refused
    assert refused == {"recipients": "required"}


def test_who_subscribes_to_reports_is_told_of_each_but_of_no_test(
    reacting: Reacting, outside: Outside
) -> None:
    api = reacting.api
    api.post(
        "put_webhook_subscription",
        {"name": "W", "url": "https://hooks.example.com/x", "events": [READY]},
    )
    api.post("send_test", {"report": "trend", "to": "me@example.com"})
    api.post("send_report", {"report": "trend", "to": "me@example.com"})
    reacting.settle()
    told = [(sent.connection.kind, sent.payload["data"]["test"]) for sent in outside.sent]
    assert sorted(told) == [("email", False), ("email", True), ("webhook", False)]


def test_what_names_a_customer_is_erased_with_it(reacting: Reacting, outside: Outside) -> None:
    api = reacting.api
    api.upsert("Acme Corp", mrr=1000, logins=0, nps=0)
    scheduled(api)
    fire(reacting, datetime(2026, 3, 9, 8, tzinfo=UTC))
    assert any("Acme Corp" in str(data) for _, data in mails(outside))
    api.post("delete_customer", {"name": "Acme Corp", "hard": True})
    reacting.settle()
    assert "Acme Corp" not in str([item.doc for item in api.table.item.scan() if "DLV" in item.PK])


def test_a_schedule_knows_its_customer_by_id_whatever_name_it_has(
    reacting: Reacting, outside: Outside
) -> None:
    api = reacting.api
    health = {"report": "customer_health", "customer": "Acme Corp"}
    reply = api.post("put_report_schedule", {**DIGEST, **health})
    assert (reply.status, reply.code) == (404, "customer_not_found")
    made = api.upsert("Acme Corp", mrr=1000)
    assert scheduled(api, **health)["customer_id"] == made["id"]
    api.post("upsert_account", {"id": made["id"], "name": "Acme Limited"})
    fire(reacting, datetime(2026, 3, 9, 8, tzinfo=UTC))
    assert len(mails(outside)) == 2


def test_no_job_or_schedule_names_a_customer_that_is_erased(reacting: Reacting) -> None:
    api = reacting.api
    api.upsert("Acme Corp", mrr=1000)
    health = {"report": "customer_health", "customer": "Acme Corp"}
    scheduled(api, **health)
    api.post("send_report", {**health, "to": "me@example.com"})
    reacting.settle()
    api.post("delete_customer", {"name": "Acme Corp", "hard": True})
    reacting.settle()
    assert "Acme Corp" not in str(api.stored())


def test_what_is_too_large_for_a_mail_is_behind_its_link(
    reacting: Reacting, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vitals.usecases.send_report.LARGEST_ATTACHED", 10)
    scheduled(reacting.api)
    fire(reacting, datetime(2026, 3, 9, 8, tzinfo=UTC))
    for _, data in mails(outside):
        assert "attachment" not in data
        assert data["link"].startswith(f"{URL}/reports?link=")


def test_a_tenant_that_is_erased_leaves_nothing_of_its_reports(reacting: Reacting) -> None:
    api = reacting.api
    api.upsert("Acme Corp", mrr=1000, logins=0, nps=0, manager="Ana", tags=["vip"])
    scheduled(api)
    api.post("put_branding", {"name": "Northwind"})
    turn(api, days=1)
    fire(reacting, datetime(2026, 3, 9, 8, tzinfo=UTC))
    asked = {"tenant_id": api.tenant.id, "confirm": api.tenant.name}
    assert api.another_tenant().post("delete_tenant", asked).status == 200
    api.run_jobs()
    assert [key for key in api.stored() if key[0].startswith(f"T#{api.tenant.id}")] == []


def test_a_tenant_that_is_closed_sends_nothing_and_nothing_later(
    reacting: Reacting, outside: Outside
) -> None:
    api = reacting.api
    scheduled(api)
    given = {"tenant_id": api.tenant.id}
    owner = api.another_tenant()
    assert owner.post("suspend_tenant", given).status == 200
    assert fire(reacting, datetime(2026, 3, 9, 8, tzinfo=UTC)) == 0
    assert owner.post("suspend_tenant", {**given, "suspended": False}).status == 200
    assert fire(reacting, datetime(2026, 3, 9, 9, tzinfo=UTC)) == 0
    assert fire(reacting, datetime(2026, 3, 16, 8, tzinfo=UTC)) == 1
    assert len(mails(outside)) == 2
