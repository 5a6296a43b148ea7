"""Connections and managers: saved, shown without secrets, switched, tried, and deleted."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.builders import NOW
from tests.integration.actions.api import Api, Reply
from tests.integration.actions.outside import Outside, Reacting, Sent

from vitals.domain.connection import Health
from vitals.domain.delivery import GONE, OK, RETRY, Attempt
from vitals.runtime.settings import settings
from vitals.runtime.wiring import wiring

URL = "https://hooks.slack.com/services/T0AAAAAAA/B0BBBBBBB/cccccccccccccccc"
HOOK = "https://example.com/in/s3cr3t?token=abc"
FAILING = Health(failing_since=NOW, resting_until=NOW + timedelta(hours=5), failures=3)


def put(api: Api, name: str = "Success", /, **fields: Any) -> Any:
    given = {"name": name, "kind": "slack", "url": URL, **fields}
    reply = api.post("put_connection", given)
    assert reply.status == 200, reply.body
    return reply.data


def listed(api: Api) -> dict[str, Any]:
    return {each["name"]: each for each in api.get("list_connections").data}


def rule(api: Api, *connections: str, **fields: Any) -> Any:
    given = {
        "name": "Below 50",
        "events": [{"type": "health_below_threshold", "threshold": 50}],
        "connections": list(connections),
        **fields,
    }
    reply = api.post("put_alert_rule", given)
    assert reply.status == 200, reply.body
    return reply.data


def fails(sent: Sent) -> Attempt:
    return Attempt(at=sent.at, verdict=RETRY, status=500, response="out of order", duration_ms=7)


def test_a_connection_is_listed_without_its_secret(api: Api) -> None:
    made = put(api, owner="anna@example.com")
    assert made["shown"] == "https://hooks.slack.com/services/•••"
    assert listed(api)["Success"] == made
    assert (made["enabled"], made["version"], made["used_by"]) == (True, 1, [])
    assert made["health"] == {
        "failing_since": None,
        "resting_until": None,
        "failures": 0,
        "disabled_reason": None,
    }


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.com", "https://example.com/"),
        ("https://example.com/onlyone", "https://example.com/•••"),
        ("https://example.com/a1b2c3d4e5/in", "https://example.com/•••"),
        ("https://example.com:8443/?sig=x", "https://example.com:8443/•••"),
        ("https://hooks.zapier.com/hooks/standard/1/x/", "https://hooks.zapier.com/hooks/•••"),
    ],
)
def test_of_a_url_the_host_is_shown_and_a_first_word(api: Api, url: str, shown: str) -> None:
    assert put(api, kind="webhook", url=url)["shown"] == shown


def test_no_secret_is_in_an_answer_an_audit_a_log_or_the_table(
    api: Api, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, outside: Outside
) -> None:
    # What seals here only encodes: the table is looked at without what it sealed.
    monkeypatch.setattr(outside, "seal", lambda *_: "sealed")
    given = {"name": "In", "kind": "webhook", "url": HOOK}
    secret = api.post("put_connection", given, idempotency_key="k").data["secret"]
    replay = api.post("put_connection", given, idempotency_key="k")
    assert (replay.data["name"], "secret" in replay.data) == ("In", False)
    assert replay.warned == {("secret_shown_once", "data")}
    shown = json.dumps([api.get(each).body for each in ("list_connections", "list_audit")])
    logged = "".join(str(vars(record)) for record in caplog.records)
    stored = "".join(str(item.to_simple_dict()) for item in api.table.item.scan())
    for each in (secret, "s3cr3t", "token=abc"):
        assert each not in shown + logged + stored


def test_only_what_was_sent_changes(api: Api, outside: Outside) -> None:
    made = put(api, owner="anna@example.com", description="the team")
    changed = api.post("put_connection", {"id": made["id"], "name": "Team"}).data
    moved = ("name", "updated_at", "version")
    assert {k: v for k, v in changed.items() if k not in moved} == {
        k: v for k, v in made.items() if k not in moved
    }
    api.post("test_connection", {"id": made["id"]})
    assert outside.sent[-1].secrets.url == URL
    cleared = api.post("put_connection", {"id": made["id"], "owner": None, "enabled": None}).data
    assert (cleared["owner"], cleared["enabled"], cleared["version"]) == (None, True, 3)


def test_a_new_url_keeps_the_secret_and_forgets_the_failures(api: Api, outside: Outside) -> None:
    made = put(api, kind="webhook", url=HOOK)
    wiring().outbound.rulebooks.set_health(api.tenant.id, made["id"], FAILING)
    assert listed(api)["Success"]["health"]["failures"] == 3
    new = {"id": made["id"], "url": "https://example.org/in/x"}
    changed = api.post("put_connection", new).data
    assert (changed["shown"], changed["health"]["failures"]) == ("https://example.org/in/•••", 0)
    assert listed(api)["Success"] == changed
    api.post("test_connection", {"id": made["id"]})
    sent = outside.sent[-1].secrets
    assert (sent.url, sent.secret) == ("https://example.org/in/x", made["secret"])


def test_what_is_stored_already_is_unchanged(api: Api) -> None:
    made = put(api)
    stored = api.stored()
    api.later(hours=1)
    given = {"id": made["id"], "name": "Success", "kind": "slack", "url": URL, "enabled": True}
    reply = api.post("put_connection", given)
    assert (reply.body["unchanged"], reply.body["created"], reply.data) == (True, False, made)
    assert api.stored() == stored


def test_a_dry_run_stores_nothing_and_shows_no_secret(api: Api) -> None:
    made = put(api)
    wiring().outbound.rulebooks.set_health(api.tenant.id, made["id"], FAILING)
    stored = api.stored()
    new = {"name": "In", "kind": "webhook", "url": HOOK, "dry_run": True}
    reply = api.post("put_connection", new)
    assert (reply.body["created"], "secret" in reply.data) == (True, False)
    for action, given in (
        ("put_connection", {"url": HOOK}),
        ("toggle_connection", {"enabled": False}),
        ("toggle_connection", {"enabled": True}),
        ("delete_connection", {}),
        ("test_connection", {}),
    ):
        reply = api.post(action, {"id": made["id"], "dry_run": True, **given})
        assert reply.body["dry_run"] is True
    assert api.stored() == stored


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({}, {"name": "required", "kind": "required"}),
        ({"name": "x", "kind": "slack"}, {"url": "required"}),
        ({"name": "x", "kind": "email"}, {"emails": "required"}),
        ({"name": "x", "kind": "email", "emails": "a@b"}, {"emails": "must_be_email"}),
        ({"name": "x", "kind": "email", "emails": "a@b.c\nX: d@e.f"}, {"emails": "must_be_email"}),
        ({"name": "x", "kind": "slack", "url": "http://example.com/x"}, {"url": "refused_address"}),
        ({"name": "x", "kind": "slack", "url": "https://10.0.0.1/x"}, {"url": "refused_address"}),
        ({"name": "x", "kind": "slack", "url": "https://[::1]/x"}, {"url": "refused_address"}),
        ({"name": "x", "kind": "teams", "url": "https://localhost/x"}, {"url": "refused_address"}),
        ({"name": "x", "kind": "slack", "url": "https://e.org/" + "é" * 500}, {"url": "too_long"}),
        ({"name": "x", "kind": "fax", "url": URL}, {"kind": "unknown_value"}),
        ({"name": "x", "kind": "slack", "url": URL, "emails": "a@b.org"},
         {"emails": "conflicting_fields"}),
        ({"name": "x", "kind": "email", "url": URL, "emails": "a@b.org"},
         {"url": "conflicting_fields"}),
        ({"name": "x", "kind": "email", "emails": [f"a{n}@b.org" for n in range(51)]},
         {"emails": "out_of_range"}),
    ],
)  # fmt: skip
def test_what_cannot_be_sent_to_is_refused(api: Api, fields: Any, refused: Any) -> None:
    stored = api.stored()
    assert api.post("put_connection", fields).refused == refused
    assert api.stored() == stored


def test_a_kind_is_for_good(api: Api) -> None:
    made = put(api)
    reply = api.post("put_connection", {"id": made["id"], "kind": "teams"})
    assert reply.refused == {"kind": "conflicting_fields"}


def test_locally_a_url_may_be_http_and_this_machine(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VITALS_LOCAL", "true")
    settings.cache_clear()
    assert put(api, url="http://127.0.0.1:8080/in/x")["shown"] == "http://127.0.0.1:8080/in/•••"


def test_a_retired_connector_is_warned_of(api: Api) -> None:
    url = "https://contoso.webhook.office.com/webhookb2/x"
    reply = api.post("put_connection", {"name": "T", "kind": "teams", "url": url})
    assert reply.warned == {("retired_connector", "url")}


def test_a_name_is_given_once(api: Api) -> None:
    made = put(api, "Success Team")
    given = {"name": " success  TEAM", "kind": "slack", "url": URL}
    reply = api.post("put_connection", given)
    assert (reply.status, reply.code, reply.body["id"]) == (409, "connection_exists", made["id"])
    other = put(api, "Other")
    reply = api.post("put_connection", {"id": other["id"], "name": "Success team"})
    assert reply.code == "connection_exists"
    assert api.post("put_connection", {"id": made["id"], "name": "SUCCESS TEAM"}).status == 200
    api.post("put_connection", {"id": made["id"], "name": "Moved"})
    assert put(api, "Success Team")["id"] != made["id"]
    api.post("delete_connection", {"id": made["id"]})
    put(api, "Moved")
    for each in listed(api).values():
        api.post("delete_connection", {"id": each["id"]})
    assert [place for place in api.stored() if place[0].endswith("#RULES")] == []


def test_of_writers_at_once_one_gets_the_name(
    api: Api, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"name": "Success", "kind": "slack", "url": URL}
    seal = outside.seal
    first: list[int | None] = []

    def between(*asked: Any) -> str:
        # Whatever was read, another connection takes the name before the write.
        if not first:
            first.append(None)
            first.append(api.post("put_connection", given).status)
        return seal(*asked)

    monkeypatch.setattr(outside, "seal", between)
    reply = api.post("put_connection", given)
    assert (reply.code, first[1]) == ("connection_exists", 200)
    assert api.get("list_connections").body["count"] == 1


def test_of_two_changes_at_once_neither_is_lost(
    api: Api, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = put(api)
    seal = outside.seal
    first: list[int | None] = []

    def between(*asked: Any) -> str:
        if not first:
            first.append(api.post("put_connection", {"id": made["id"], "name": "Renamed"}).status)
        return seal(*asked)

    monkeypatch.setattr(outside, "seal", between)
    changed = api.post("put_connection", {"id": made["id"], "url": f"{URL}x"}).data
    assert (changed["name"], changed["version"]) == ("Renamed", 3)


def test_a_write_that_knew_an_older_version_is_refused(api: Api) -> None:
    made = put(api)
    given = {"id": made["id"], "name": "A", "if_version": 1}
    assert api.post("put_connection", given).status == 200
    assert api.post("put_connection", given | {"name": "B"}).code == "version_conflict"


def test_there_are_at_most_200_connections(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vitals.usecases.connection_book.MAX_CONNECTIONS", 1)
    made = put(api)
    reply = api.post("put_connection", {"name": "x", "kind": "slack", "url": URL})
    assert (reply.status, reply.code) == (409, "too_many")
    assert api.post("put_connection", {"id": made["id"], "name": "x"}).status == 200


def test_a_connection_that_is_switched_on_is_well(api: Api) -> None:
    made = put(api)
    off = api.post("toggle_connection", {"id": made["id"], "enabled": False})
    assert (off.data["enabled"], off.body["unchanged"]) == (False, False)
    assert api.post("toggle_connection", {"id": made["id"], "enabled": False}).body["unchanged"]
    wiring().outbound.rulebooks.set_health(api.tenant.id, made["id"], FAILING)
    on = api.post("toggle_connection", {"id": made["id"], "enabled": True}).data
    assert (on["enabled"], on["health"]["failing_since"]) == (True, None)
    assert listed(api)["Success"] == on
    wiring().outbound.rulebooks.set_health(api.tenant.id, made["id"], FAILING)
    again = api.post("toggle_connection", {"id": made["id"], "enabled": True})
    assert again.body["unchanged"] is True
    assert listed(api)["Success"] == on


def test_an_endpoint_that_was_given_up_says_why_until_it_is_switched_on(
    reacting: Reacting, outside: Outside
) -> None:
    api = reacting.api
    made = put(api, kind="webhook", url=HOOK)
    rule(api, made["id"])
    outside.verdict = lambda sent: Attempt(at=sent.at, verdict=GONE, status=410)
    api.upsert(score=40)
    reacting.settle()
    gone = listed(api)["Success"]
    assert (gone["enabled"], gone["health"]["disabled_reason"]) == (False, "it answered 410 Gone")
    on = api.post("toggle_connection", {"id": made["id"], "enabled": True}).data
    assert (on["enabled"], on["health"]["disabled_reason"]) == (True, None)


def test_a_connection_in_use_goes_by_force_and_out_of_what_used_it(api: Api) -> None:
    made, other = put(api), put(api, "Other")
    rule(api, made["id"], other["id"], to_manager=True)
    escalation = {"after_minutes": 60, "connections": [made["id"]]}
    rule(api, other["id"], name="Up", escalation=escalation)
    api.post("put_manager", {"name": "Anna", "connections": [made["id"]]})
    used = listed(api)["Success"]
    assert (sorted(used["used_by"]), used["managers"]) == (["Below 50", "Up"], ["Anna"])
    reply = api.post("delete_connection", {"id": made["id"]})
    assert (reply.status, reply.code) == (409, "connection_in_use")
    assert (sorted(reply.body["rules"]), reply.body["managers"]) == (["Below 50", "Up"], ["Anna"])
    assert "'Below 50'" in reply.body["detail"]
    assert api.post("delete_connection", {"id": made["id"], "force": True}).status == 200
    rules = {each["name"]: each for each in api.get("list_alert_rules").data}
    assert rules["Below 50"]["connections"] == [other["id"]]
    assert "escalation" not in rules["Up"]
    assert api.get("list_managers").data == []
    assert list(listed(api)) == ["Other"]


def test_what_is_not_there_is_not_found(api: Api) -> None:
    for action, fields in (
        ("put_connection", {"name": "x"}),
        ("toggle_connection", {"enabled": True}),
        ("delete_connection", {}),
        ("test_connection", {}),
        ("rotate_webhook_secret", {}),
    ):
        reply = api.post(action, {"id": "01NOBODY", **fields})
        assert (reply.status, reply.code) == (404, "connection_not_found")
    theirs = put(api.another_tenant())
    assert api.post("delete_connection", {"id": theirs["id"]}).status == 404


def test_a_test_answers_what_the_receiver_said(api: Api, outside: Outside) -> None:
    made = put(api)
    outside.verdict = fails
    said = api.post("test_connection", {"id": made["id"]}).data
    assert (said["verdict"], said["status"], said["response"]) == ("retry", 500, "out of order")
    assert (said["error"], said["duration_ms"]) == (None, 7)
    [sent] = outside.sent
    assert (sent.payload["type"], sent.secrets.url) == ("connection.test", URL)
    assert sent.payload["data"]["connection"]["name"] == "Success"


def test_a_test_that_arrives_ends_a_rest(api: Api) -> None:
    made = put(api)
    wiring().outbound.rulebooks.set_health(api.tenant.id, made["id"], FAILING)
    assert api.post("test_connection", {"id": made["id"]}).data["verdict"] == OK
    assert listed(api)["Success"]["health"]["resting_until"] is None


def test_a_test_is_sent_once_under_a_key(api: Api, outside: Outside) -> None:
    made = put(api)
    first = api.post("test_connection", {"id": made["id"]}, idempotency_key="t")
    outside.verdict = fails
    again = api.post("test_connection", {"id": made["id"]}, idempotency_key="t")
    assert (again.body, len(outside.sent)) == (first.body, 1)
    assert again.headers["idempotency-replayed"] == "true"
    other = api.post("test_connection", {"id": "other"}, idempotency_key="t")
    assert other.code == "idempotency_key_reused"
    api.post("delete_connection", {"id": made["id"]})
    assert api.post("test_connection", {"id": made["id"]}, idempotency_key="t").body == first.body


def test_a_test_under_way_is_not_sent_beside_itself(api: Api, outside: Outside) -> None:
    made = put(api)
    inner: list[Reply] = []

    def meanwhile(sent: Sent) -> Attempt:
        if not inner:
            inner.append(api.post("test_connection", {"id": made["id"]}, idempotency_key="t"))
        return Attempt(at=sent.at, verdict=OK)

    outside.verdict = meanwhile
    assert api.post("test_connection", {"id": made["id"]}, idempotency_key="t").status == 200
    assert (inner[0].code, len(outside.sent)) == ("in_progress", 1)
    assert "idempotency-replayed" not in inner[0].headers


def test_a_refused_test_gives_its_key_back(api: Api, outside: Outside) -> None:
    assert api.post("test_connection", {"id": "x"}, idempotency_key="t").status == 404
    assert api.post("test_connection", {"id": "x"}, idempotency_key="t").status == 404
    assert outside.sent == []


def test_while_a_secret_rotates_both_sign(api: Api, outside: Outside) -> None:
    made = put(api, kind="webhook", url=HOOK)
    rotated = api.post("rotate_webhook_secret", {"id": made["id"]})
    assert rotated.body["previous_until"] == "2026-03-03T12:00:00.000Z"
    fresh = rotated.data["secret"]
    assert fresh.startswith("whsec_")
    api.post("test_connection", {"id": made["id"]})
    sent = outside.sent[-1].secrets
    assert sent.url == HOOK
    assert sent.signing(NOW) == (fresh, made["secret"])
    assert sent.signing(NOW + timedelta(hours=24)) == (fresh,)
    given = {"id": made["id"], "overlap_hours": 0}
    last = api.post("rotate_webhook_secret", given).data["secret"]
    api.post("test_connection", {"id": made["id"]})
    assert outside.sent[-1].secrets.signing(NOW) == (last,)


def test_only_a_webhook_has_a_secret(api: Api) -> None:
    made = put(api)
    assert "secret" not in made
    reply = api.post("rotate_webhook_secret", {"id": made["id"]})
    assert reply.refused == {"id": "out_of_range"}


def test_mail_goes_to_every_address_once(api: Api, outside: Outside) -> None:
    emails = ["a@b.org", "A@B.org", "c@d.org", "e@f.org", "g@h.org"]
    made = put(api, kind="email", url=None, emails=emails)
    assert made["emails"] == ["A@B.org", "c@d.org", "e@f.org", "g@h.org"]
    assert made["shown"] == "A@B.org, c@d.org, e@f.org and 1 more"
    api.post("test_connection", {"id": made["id"]})
    assert outside.sent[-1].connection.emails == tuple(made["emails"])
    events = api.get("list_audit", done="put_connection").data
    assert "@" not in json.dumps(events)


def test_an_act_is_in_the_audit(api: Api) -> None:
    made = put(api)
    api.post("delete_connection", {"id": made["id"]})
    entries = api.get("list_audit", subject=made["id"]).data
    assert [each["action"] for each in entries] == ["delete_connection", "put_connection"]


def test_a_manager_is_told_over_their_connections(reacting: Reacting, outside: Outside) -> None:
    api = reacting.api
    made = put(api)
    rule(api, to_manager=True)
    given = {"name": "Anna Berg", "connections": [made["id"]]}
    assert api.post("put_manager", given).body["created"] is True
    assert api.post("put_manager", given).body["unchanged"] is True
    api.upsert("Theirs", manager="Someone", score=40)
    api.upsert("Hers", manager="anna berg", score=40)
    reacting.settle()
    assert [each["data"]["customer"]["name"] for each in outside.told("alert.fired")] == ["Hers"]


def test_managers_are_kept_by_name(api: Api) -> None:
    made, other = put(api), put(api, "Other")
    api.post("put_manager", {"name": "Anna", "connections": [made["id"], other["id"]]})
    changed = api.post("put_manager", {"name": "ANNA", "connections": other["id"]})
    assert (changed.body["created"], changed.data["version"]) == (False, 2)
    [manager] = api.get("list_managers").data
    assert (manager["name"], manager["connections"]) == ("ANNA", [other["id"]])
    assert manager["missing"] == []
    assert api.post("delete_manager", {"name": "anna"}).status == 200
    reply = api.post("delete_manager", {"name": "anna"})
    assert (reply.status, reply.code) == (404, "manager_not_found")


def test_a_manager_has_connections_that_there_are(api: Api) -> None:
    reply = api.post("put_manager", {"name": "Anna", "connections": "x"})
    assert reply.refused == {"connections": "unknown_connection"}
    reply = api.post("put_manager", {"name": "Anna", "connections": []})
    assert reply.refused == {"connections": "out_of_range"}


def test_only_an_administrator_sees_or_changes_connections(api: Api) -> None:
    key = api.another_key("health:read", "health:write", "customers:read")
    assert key.get("list_connections").code == "forbidden"
    assert key.post("put_connection", {"name": "x"}).code == "forbidden"
