"""The built functions under Lambda's own runtime, without Docker."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.contract.conftest import Invoke

EVENTS = Path(__file__).parents[2] / "events" / "actions"
RESOURCES = EVENTS.parent / "rest"


def request(name: str, api_key: str | None = None) -> dict[str, Any]:
    """Return an event of API Gateway with *api_key* in it, or none."""
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    del event["headers"]["x-api-key"]
    event["headers"] |= {"x-api-key": api_key} if api_key else {}
    return event


def test_a_call_without_a_key_is_answered_with_a_problem(invoke: "Invoke") -> None:
    answer = invoke("ActionsFunction", request("get_customer"))

    assert answer["statusCode"] == 401
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    assert json.loads(answer["body"])["status"] == 401


def test_the_first_key_works_at_once(invoke: "Invoke", api_key: str) -> None:
    answer = invoke("ActionsFunction", request("upsert_account", api_key))

    assert answer["statusCode"] == 200, answer
    assert json.loads(answer["body"])["created"] is True


def test_the_resource_api_takes_a_customer_from_nothing_to_a_score(
    invoke: "Invoke", api_key: str
) -> None:
    customer_id = ""

    def ask(name: str) -> Any:
        text = (RESOURCES / f"{name}.json").read_text(encoding="utf-8")
        event = text.replace("{{api_key}}", api_key).replace("{{customer_id}}", customer_id)
        answer = invoke("RestFunction", json.loads(event))
        assert answer["statusCode"] < 300, answer
        return json.loads(answer["body"])

    customer_id = ask("create_customer")["id"]
    assert ask("ingest_events")["accepted"] == 1
    assert ask("get_health")["score"] is not None
