"""How a request comes in and a refusal goes out (IQ-001 to 008, AMB-14, LU-078)."""

import json
from typing import Any

import pytest
from tests.integration.actions.api import PATH, Api, Reply

from action_table import ACTIONS
from vitals.domain.errors import VitalsError
from vitals.runtime.problems import STATUS

READS = ("list_customers", "get_customer", "list_changes", "get_history", "list_actions", "whoami")
WRITES = (
    "upsert_account", "update_health", "delete_customer", "score_customer", "restore_customer",
    "batch_upsert", "log_contact",
)  # fmt: skip


def is_a_problem(reply: Reply, status: int, code: str) -> bool:
    """Whether *reply* is the problem document of *code*, whole."""
    assert (reply.status, reply.code) == (status, code), reply.body
    body = reply.body
    assert set(body) >= {
        "type", "title", "status", "detail", "instance", "code", "trace_id", "errors",
    }  # fmt: skip
    assert (body["status"], body["trace_id"]) == (status, "trace-1")
    assert body["type"] == f"urn:vitals:error:{code}"
    assert reply.headers["x-trace-id"] == "trace-1"
    return True


def test_every_action_is_described(api: Api) -> None:
    """IQ-010."""
    described = {each["action"]: each for each in api.get("list_actions").data}
    assert set(described) == set(ACTIONS) >= {*READS, *WRITES}
    assert all(described[name]["methods"] == ["GET", "POST"] for name in READS)
    assert all(described[name]["methods"] == ["POST"] for name in WRITES)
    for each in described.values():
        assert each["purpose"]
        assert each["parameters"]["type"] == "object"


def test_a_description_names_the_parameters_and_signals(api: Api) -> None:
    reply = api.get("list_actions")
    described = {each["action"]: each for each in reply.data}
    taken = described["upsert_account"]["parameters"]["properties"]
    assert {"name", "mrr", "tier", "tags", "dry_run", "if_version", "score"} <= set(taken)
    signals = {signal["name"]: signal for signal in reply.body["signals"]}
    assert set(signals) == {"logins", "adoption", "tickets", "nps", "csat", "days", "growth"}
    assert (signals["nps"]["minimum"], signals["nps"]["maximum"]) == (0, 10)
    assert signals["growth"]["options"] == ["none", "mild", "strong"]


@pytest.mark.parametrize("action", [name for name, each in ACTIONS.items() if each.writes])
def test_a_write_by_get_is_refused(api: Api, action: str) -> None:
    reply = api.get(action, name="Acme")
    assert is_a_problem(reply, 405, "method_not_allowed")
    assert reply.headers["allow"] == "POST"
    assert api.get("list_customers").data == []


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
def test_another_method_is_refused(api: Api, method: str) -> None:
    reply = api.send(method, body={"action": "whoami"})
    assert is_a_problem(reply, 405, "method_not_allowed")
    assert reply.headers["allow"] == "GET, POST"


@pytest.mark.parametrize("path", ["/", "/functions/v1", "/functions/v1/api-inbound/x", "/v1/x"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_an_unknown_route_is_not_found(api: Api, method: str, path: str) -> None:
    reply = api.send(method, path=path)
    assert is_a_problem(reply, 404, "not_found")
    assert reply.body["instance"] == path


def test_a_slash_at_the_end_does_not_matter(api: Api) -> None:
    assert api.send("GET", path=PATH + "/", query={"action": "whoami"}).status == 200


@pytest.mark.parametrize("action", ["", "nothing", "Upsert_Account", "__init__"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_action_is_refused_with_the_known(api: Api, method: str, action: str) -> None:
    reply = api.post(action) if method == "POST" else api.get(action)
    assert is_a_problem(reply, 400, "unknown_action")
    assert reply.body["actions"] == list(ACTIONS)


@pytest.mark.parametrize(
    "body", ["{", "[1]", '"x"', "null", '{"action": NaN}', '{"action": "\\ud800"}', "[" * 99_999]
)
def test_a_body_that_is_no_object_is_refused(api: Api, body: str) -> None:
    assert is_a_problem(api.send("POST", body=body), 400, "invalid_body")


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ({"action": ["whoami"]}, "action"),
        ({"action": {"a": 1}}, "action"),
        ({"action": 3}, "action"),
        ({"action": "whoami", "data": []}, "data"),
        ({"action": "whoami", "data": "x"}, "data"),
        ({"action": "whoami", "data": None}, "data"),
        ({"action": "get_customer", "id": "a", "data": {"id": "b"}}, "id"),
    ],
)
def test_a_body_of_another_shape_is_refused(api: Api, body: dict[str, Any], refused: str) -> None:
    reply = api.send("POST", body=body)
    assert is_a_problem(reply, 400, "validation_error")
    assert list(reply.refused) == [refused]


def test_parameters_may_stand_beside_data(api: Api) -> None:
    made = api.upsert("Acme")
    assert api.send("POST", body={"action": "get_customer", "id": made["id"]}).data == made
    body = {"action": "get_customer", "id": made["id"], "data": {"id": made["id"]}}
    assert api.send("POST", body=body).data == made


def test_parameters_may_stand_in_the_query_of_a_post(api: Api) -> None:
    made = api.upsert("Acme")
    query = {"action": "get_customer", "id": made["id"]}
    assert api.send("POST", query=query, body="").data == made
    reply = api.send("POST", query={"action": "whoami"}, body={"action": "list_actions"})
    assert reply.refused == {"action": "conflicting_fields"}
    reply = api.send(
        "POST", query={"id": "x"}, body={"action": "get_customer", "data": {"id": "y"}}
    )
    assert reply.refused == {"id": "conflicting_fields"}


@pytest.mark.parametrize(
    "content_type", ["", "application/json; charset=utf-8", "APPLICATION/JSON", "text/json",
                     "application/vnd.api+json"]
)  # fmt: skip
def test_json_is_taken_under_any_of_its_names(api: Api, content_type: str) -> None:
    """Section 7: a custom request of Zapier's may have no Content-Type."""
    reply = api.post("upsert_account", {"name": "Acme"}, content_type=content_type)
    assert reply.status == 200


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_a_body_of_another_type_is_refused(api: Api, content_type: str) -> None:
    reply = api.post("upsert_account", {"name": "Acme"}, content_type=content_type)
    assert is_a_problem(reply, 415, "unsupported_media_type")


def test_a_body_of_a_mebibyte_is_taken_and_no_larger(api: Api) -> None:
    frame = json.dumps({"action": "upsert_account", "data": {"name": "Acme"}, "x": ""})
    room = 1024 * 1024 - len(frame)
    fits = frame.replace('"x": ""', f'"x": "{"y" * room}"')
    assert api.send("POST", body=fits).status == 200
    reply = api.send("POST", body=fits + " ")
    assert is_a_problem(reply, 413, "payload_too_large")


def test_a_body_in_base64_is_read(api: Api) -> None:
    assert api.encoded({"action": "whoami"}).status == 200


def test_a_query_that_says_a_thing_twice_says_a_list(api: Api) -> None:
    """As API Gateway joins them."""
    api.upsert("Acme", logins=22)
    api.upsert("Bolt", logins=3)
    query = "action=list_customers&status=critical&status=healthy&sort=name&order=asc"
    assert [each["name"] for each in api.send("GET", query=query).data] == ["Acme", "Bolt"]


def test_what_nobody_foresaw_shows_nothing_but_its_trace(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the secret")

    monkeypatch.setattr("vitals.storage.customers.CustomerTable.get", fail)
    reply = api.get("get_customer", id="x")
    assert is_a_problem(reply, 500, "internal_error")
    assert "secret" not in json.dumps(reply.body)
    assert reply.headers["x-ratelimit-limit"] == "1000"


def test_every_error_has_a_status() -> None:
    def below(kind: type[VitalsError]) -> set[type[VitalsError]]:
        return {kind}.union(*(below(each) for each in kind.__subclasses__()))

    assert set(STATUS) == below(VitalsError)


def test_no_answer_is_kept_by_a_cache(api: Api) -> None:
    for reply in (api.get("whoami"), api.get("nothing")):
        assert reply.headers["cache-control"] == "no-store"
