"""Links and mails of a report: what is of no use says so, and who left is mailed no more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.config import Config
from tests.integration.actions.outside import Outside, Reacting, Sent
from tests.integration.actions.test_report_schedules import READY, URL, fire, follow, mails
from tests.integration.actions.test_reports import turn

from vitals.domain.delivery import GONE, RETRY, Attempt
from vitals.runtime.outside import client

MONDAY = datetime(2026, 3, 9, 8, tzinfo=UTC)
BOB = "bob@example.com"


@pytest.fixture(autouse=True)
def _known_url(monkeypatch: pytest.MonkeyPatch, table: object) -> None:  # noqa: ARG001 - settings are read after the table is there
    monkeypatch.setenv("API_URL", URL)


def refused(sent: Sent) -> Attempt:
    return Attempt(at=sent.at, verdict=RETRY, status=454, error="SES: Throttling: slow down")


def scheduled(reacting: Reacting) -> str:
    """A weekly report to one address, by its id."""
    given = {
        "report": "weekly_digest",
        "schedule": {"type": "weekly", "on": "mon", "at": "09:00", "time_zone": "Europe/Berlin"},
        "recipients": [BOB],
        "format": "html",
    }
    return str(reacting.api.post("put_report_schedule", given).data["id"])


def the_mail(reacting: Reacting, outside: Outside, *, fails: bool = False) -> tuple[str, Any]:
    """A schedule whose first mail went out, or could not, and what that mail says."""
    schedule = scheduled(reacting)
    if fails:
        outside.verdict = refused
    fire(reacting, MONDAY)
    return schedule, mails(outside)[0][1]


def only(reacting: Reacting) -> Any:
    [delivery] = reacting.api.get("list_deliveries", event_type=READY).data
    return reacting.api.get("get_delivery", id=delivery["id"]).data


def left(reacting: Reacting, data: Any) -> None:
    assert follow(reacting.api, "POST", data["unsubscribe"]).status == 200


def test_who_left_is_not_tried_again(reacting: Reacting, outside: Outside) -> None:
    _, data = the_mail(reacting, outside, fails=True)
    assert only(reacting)["state"] == "pending"
    left(reacting, data)
    outside.sent.clear()
    reacting.tick(hours=1)
    delivery = only(reacting)
    assert (delivery["state"], mails(outside)) == ("cancelled", [])
    assert delivery["attempts"][-1]["error"] == "the address left the report schedule"


def test_what_a_deleted_schedule_could_not_send_is_not_tried_again(
    reacting: Reacting, outside: Outside
) -> None:
    schedule, _ = the_mail(reacting, outside, fails=True)
    reacting.api.post("delete_report_schedule", {"id": schedule})
    outside.sent.clear()
    reacting.tick(hours=1)
    delivery = only(reacting)
    assert (delivery["state"], mails(outside)) == ("cancelled", [])
    assert delivery["attempts"][-1]["error"] == "the report schedule was deleted"


def test_who_left_is_not_sent_it_once_more_either(reacting: Reacting, outside: Outside) -> None:
    schedule, data = the_mail(reacting, outside)
    left(reacting, data)
    outside.sent.clear()
    given = {"id": only(reacting)["id"]}
    reply = reacting.api.post("replay_delivery", given)
    assert (reply.status, reply.code) == (409, "connection_disabled")
    assert "left the report schedule" in reply.body["detail"]
    reacting.settle()
    assert mails(outside) == []
    reacting.api.post("put_report_schedule", {"id": schedule, "recipients": [BOB]})
    assert reacting.api.post("replay_delivery", given).status == 200
    reacting.settle()
    assert [address for address, _ in mails(outside)] == [BOB]


def test_a_mail_whose_file_is_gone_has_failed_at_once(reacting: Reacting, outside: Outside) -> None:
    outside.verdict = lambda sent: Attempt(at=sent.at, verdict=GONE, error="the file is gone")
    schedule = scheduled(reacting)
    fire(reacting, MONDAY)
    delivery = only(reacting)
    assert (delivery["state"], delivery["next_at"], len(outside.sent)) == ("failed", None, 1)
    [found] = reacting.api.get("list_report_schedules").data
    assert (found["id"], found["recipients"]) == (schedule, [BOB])


def test_a_link_to_a_file_that_is_gone_says_so_to_people(
    reacting: Reacting, outside: Outside, caplog: pytest.LogCaptureFixture
) -> None:
    _, data = the_mail(reacting, outside)
    reacting.api.clock.now = MONDAY + timedelta(days=9)
    caplog.clear()
    page = follow(reacting.api, "GET", data["link"])
    assert (page.status, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "<h1>This report is no longer here</h1>" in page.body
    assert "eight days" in page.body
    lines = [vars(each) for each in caplog.records]
    assert [each["code"] for each in lines if "code" in each] == ["report_not_found"]
    assert data["link"].rpartition(".")[2] not in str(lines)


def test_a_link_out_of_a_schedule_that_is_gone_says_so_to_people(
    reacting: Reacting, outside: Outside
) -> None:
    schedule, data = the_mail(reacting, outside)
    reacting.api.post("delete_report_schedule", {"id": schedule})
    for method in ("GET", "POST"):
        page = follow(reacting.api, method, data["unsubscribe"])
        assert (page.status, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert "<h1>There is nothing to unsubscribe from</h1>" in page.body


def test_what_looks_at_a_link_to_a_file_finds_it(reacting: Reacting, outside: Outside) -> None:
    _, data = the_mail(reacting, outside)
    reply = follow(reacting.api, "HEAD", data["link"])
    assert (reply.status, reply.body or "", "location" in reply.headers) == (200, "", False)
    reply = follow(reacting.api, "HEAD", data["link"] + "x")
    assert (reply.status, reply.body or "") == (404, "")
    refused = follow(reacting.api, "DELETE", data["link"])
    assert (refused.status, refused.headers["allow"]) == (405, "GET, HEAD")


def test_a_mail_is_handed_over_once_and_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    client.cache_clear()
    ses, queue = (client(name).meta.config for name in ("sesv2", "sqs"))
    client.cache_clear()
    assert isinstance(ses, Config)
    assert (ses.retries["total_max_attempts"], ses.read_timeout) == (1, 20)  # type: ignore[attr-defined]  # made at run time
    assert (queue.retries["total_max_attempts"], queue.read_timeout) == (2, 5)


def test_a_mail_bears_the_tenants_brand_its_dates_and_what_is_good(
    reacting: Reacting, outside: Outside
) -> None:
    api = reacting.api
    api.post("put_branding", {"name": "Northwind", "accent": "#0f766e", "locale": "en-GB"})
    api.upsert("Acme", mrr=1000, logins=22)
    turn(api, days=1)
    api.upsert("Bolt", mrr=500, logins=1)
    _, data = the_mail(reacting, outside)
    assert data["brand"] == {"name": "Northwind", "accent": "#0f766e"}
    assert data["worded"] == {
        "as_of": "9 Mar 2026, 09:00 Europe/Berlin",
        "from": "3 Mar 2026",
        "until": "9 Mar 2026",
    }
    assert {each["tone"] for each in data["figures"]} <= {"good", "bad", None}
    assert "good" in {each["tone"] for each in data["figures"]}
