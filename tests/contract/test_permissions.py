"""What the functions may do is what they do: the embedded table lets anybody do anything."""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.dynamodb_stub import Exchange
from local import dynamodb, intrinsics, streams
from tests.builders import TENANT_ID
from tests.contract.stack import reacted_to

from vitals.storage.ports import Wake
from vitals.storage.reaction_ports import DIGEST
from vitals.storage.table import Item
from vitals.storage.wakes import wake_item

if TYPE_CHECKING:
    from tests.contract.conftest import Invoke

ROOT = Path(__file__).parents[2]
RESOURCES: dict[str, Any] = intrinsics.load(ROOT / "template.yaml")["Resources"]
TABLE = json.dumps({"Fn::GetAtt": ["Table", "Arn"]})
LONG_AGO = '"created_at":"2026-01-01T00:00:00.000Z"'
INDEX = json.dumps({"Fn::Sub": "${Table.Arn}/index/by_time"})


def granted(function: str) -> set[tuple[str, str]]:
    """Return which operations the template allows a function on the table and its index.

    What reads the stream is not the function's code, but the mapping that invokes it.
    """
    [role, _] = RESOURCES[function]["Properties"]["Role"]["Fn::GetAtt"]
    found = set()
    for policy in RESOURCES[role]["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            actions = statement["Action"]
            for action in [actions] if isinstance(actions, str) else actions:
                found.add((action, json.dumps(statement["Resource"])))
    return {(action, place) for action, place in found if place in (TABLE, INDEX)}


def needed(calls: Sequence[Exchange]) -> set[tuple[str, str]]:
    """Return which operations AWS would have demanded of the caller, on which resource."""
    return {
        (f"dynamodb:{operation}", INDEX if "IndexName" in request else TABLE)
        for call in calls
        for request in [json.loads(call.request)]
        for operation in operations(call.operation, request)
    }


def operations(operation: str, request: dict[str, Any]) -> Iterator[str]:
    """Yield the permissions of a call: a transaction needs those of its items."""
    if operation == "TransactWriteItems":
        for item in request["TransactItems"]:
            [kind] = item
            yield "ConditionCheckItem" if kind == "ConditionCheck" else f"{kind}Item"
    else:
        yield "GetItem" if operation == "TransactGetItems" else operation


def test_the_admin_function_may_do_what_it_does_and_nothing_else(
    invoke: "Invoke", calls: dict[str, list[Exchange]]
) -> None:
    event = json.loads((ROOT / "events/admin/bootstrap.json").read_text(encoding="utf-8"))

    invoke("AdminFunction", event)
    assert "error" in invoke("AdminFunction", event), "there is a tenant by now"
    assert "api_key" in invoke("AdminFunction", event | {"force": True})

    assert needed(calls["AdminFunction"]) == granted("AdminFunction")


def test_the_actions_function_may_do_what_it_does_and_nothing_else(
    invoke: "Invoke", api_key: str, calls: dict[str, list[Exchange]]
) -> None:
    event = json.loads((ROOT / "events/actions/upsert_account.json").read_text(encoding="utf-8"))
    event["headers"]["x-api-key"] = api_key
    sent = json.loads((ROOT / "events/rest/create_customer.json").read_text(encoding="utf-8"))
    sent["headers"]["authorization"] = f"Bearer {api_key}"
    del sent["headers"]["idempotency-key"]

    def call(action: str, **data: Any) -> None:
        event["body"] = json.dumps({"action": action, "data": data})
        answer = invoke("ActionsFunction", event)
        assert answer["statusCode"] == 200, answer

    call("batch_upsert", customers=[{"name": "Acme"}, {"name": "Bolt", "external_id": "b-1"}])
    call("update_health", name="Acme", field="logins", value=28)
    call("log_contact", name="Acme", type="call")
    call("get_customer", external_id="b-1")
    call("list_customers", limit=10)
    call("list_changes")
    call("get_history", name="Acme")
    sent["requestContext"]["http"] |= {"method": "POST", "path": "/v1/events"}
    rows = [{"customer_external_id": "b-1", "event_name": "login", "user_id": "u"}]
    sent |= {"rawPath": "/v1/events", "body": json.dumps({"events": rows})}
    assert json.loads(invoke("RestFunction", sent)["body"])["accepted"] == 1
    call("delete_customer", name="Bolt")
    # Whoever is restored is scored by its events as of now: none may come meanwhile.
    call("restore_customer", name="Bolt")
    call("delete_customer", name="Acme", hard=True)

    assert needed(calls["ActionsFunction"]) == granted("ActionsFunction")


def test_the_rest_function_may_do_what_it_does_and_nothing_else(
    invoke: "Invoke", api_key: str, calls: dict[str, list[Exchange]]
) -> None:
    event = json.loads((ROOT / "events/rest/create_customer.json").read_text(encoding="utf-8"))
    event["headers"]["authorization"] = f"Bearer {api_key}"
    del event["headers"]["idempotency-key"]

    def call(method: str, path: str, **body: Any) -> Any:
        event["requestContext"]["http"] |= {"method": method, "path": path}
        event.update(rawPath=path, body=json.dumps(body) if body else "")
        answer = invoke("RestFunction", event)
        assert answer["statusCode"] < 300, answer
        return json.loads(answer["body"] or "null")

    made = call("POST", "/v1/customers", name="Rest Corp", external_id="rest-1")["id"]
    other = call("POST", "/v1/customers", name="Rest Ltd")["id"]
    rows = [{"customer_external_id": "rest-1", "event_name": "login", "user_id": "u"}]
    assert call("POST", "/v1/events", events=rows)["accepted"] == 1
    # Counted, and nothing of the customer moves.
    assert call("POST", "/v1/events", events=rows)["accepted"] == 1
    call("POST", f"/v1/customers/{made}/contacts", name="Jane")
    call("PATCH", f"/v1/customers/{made}", arr=100)
    call("GET", "/v1/customers")
    call("GET", "/v1/events")
    call("GET", f"/v1/signals/{made}")
    call("GET", f"/v1/customers/{made}/health/history")
    call("POST", f"/v1/customers/{made}/health/recalculate")
    call("POST", "/v1/customers/bulk-import", customers=[{"name": "Rest Corp 2"}])
    call("DELETE", f"/v1/customers/{other}")
    call("DELETE", f"/v1/trash/{other}")

    assert needed(calls["RestFunction"]) == granted("RestFunction")


def test_the_decay_function_may_do_what_it_does_and_nothing_else(
    invoke: "Invoke",
    api_key: str,  # noqa: ARG001 - of a tenant, whose day turns
    calls: dict[str, list[Exchange]],
) -> None:
    in_two_days = datetime.now(UTC) + timedelta(days=2)
    event = {"time": f"{in_two_days:%Y-%m-%dT%H:%M:%SZ}"}

    assert invoke("DecayFunction", event)["started"] > 0
    assert invoke("DecayFunction", event) == {"started": 0}

    assert needed(calls["DecayFunction"]) == granted("DecayFunction")


def test_the_jobs_function_may_do_what_it_does_and_nothing_else(
    invoke: "Invoke", api_key: str, aws: dict[str, str], calls: dict[str, list[Exchange]]
) -> None:
    event = json.loads((ROOT / "events/actions/upsert_account.json").read_text(encoding="utf-8"))
    event["headers"]["x-api-key"] = api_key
    sent = json.loads((ROOT / "events/rest/create_customer.json").read_text(encoding="utf-8"))
    sent["headers"]["authorization"] = f"Bearer {api_key}"
    del sent["headers"]["idempotency-key"]
    table = dynamodb.client_of(aws)

    def call(action: str, **data: Any) -> Any:
        event["body"] = json.dumps({"action": action, "data": data})
        answer = invoke("ActionsFunction", event)
        assert answer["statusCode"] == 200, answer
        return json.loads(answer["body"])

    def run(started: Any, tenant_id: str) -> None:
        key = {"PK": {"S": f"T#{tenant_id}#JOBS"}, "SK": {"S": started["job_id"]}}
        job = table.get_item(TableName="customer-vitals", Key=key)["Item"]
        # Begun long ago: what would write with what it remembers has ended.
        job["row"]["S"] = re.sub('"created_at":"[^"]*"', LONG_AGO, job["row"]["S"])
        table.put_item(TableName="customer-vitals", Item=job)
        message = {"messageId": "m", "body": json.dumps({"dynamodb": {"Keys": key}})}
        assert invoke("JobsFunction", {"Records": [message]}) == {"batchItemFailures": []}
        assert call("get_job", id=started["job_id"])["data"]["state"] == "done"

    mine = call("whoami")["data"]["tenant_id"]
    call("upsert_account", name="Acme", logins=3, mrr=10)
    counted = call("upsert_account", name="Counted", external_id="counted")["data"]["id"]
    sent["requestContext"]["http"] |= {"method": "POST", "path": "/v1/events"}
    rows = [{"customer_id": counted, "event_name": "login", "user_id": "u"}]
    sent |= {"rawPath": "/v1/events", "body": json.dumps({"events": rows})}
    # What is computed of events at night, or for a new model, checks that none came meanwhile.
    assert json.loads(invoke("RestFunction", sent)["body"])["accepted"] == 1
    run(call("update_config", quiet_after=10, dry_run=True), mine)
    run(call("update_config", weights={"logins": 45, "adoption": 5}), mine)
    # A row that renames a customer and gives it revenue lets go of its old name.
    imported = {"customers": [{"external_id": "counted", "name": "Renamed", "mrr": 10}]}
    sent |= {"rawPath": "/v1/customers/bulk-import", "body": json.dumps(imported)}
    sent["requestContext"]["http"] |= {"path": "/v1/customers/bulk-import"}
    run(json.loads(invoke("RestFunction", sent)["body"]), mine)
    other = call("create_tenant", name="Other")["data"]
    run(call("delete_tenant", tenant_id=other["id"], confirm="Other"), mine)

    assert needed(calls["JobsFunction"]) == granted("JobsFunction")


def tenant_of(api_key: str, invoke: "Invoke") -> str:
    """Return the id of the tenant that a key belongs to."""
    event = json.loads((ROOT / "events/actions/get_customer.json").read_text(encoding="utf-8"))
    event["headers"]["x-api-key"] = api_key
    event["rawQueryString"] = "action=whoami"
    return str(json.loads(invoke("ActionsFunction", event)["body"])["data"]["tenant_id"])


def test_the_reactions_function_may_do_what_it_does(
    invoke: "Invoke", api_key: str, aws: dict[str, str], calls: dict[str, list[Exchange]]
) -> None:
    event = json.loads((ROOT / "events/actions/upsert_account.json").read_text(encoding="utf-8"))
    event["headers"]["x-api-key"] = api_key

    def call(action: str, **data: Any) -> None:
        event["body"] = json.dumps({"action": action, "data": data})
        assert invoke("ActionsFunction", event)["statusCode"] == 200

    call("upsert_account", name="Reacted To", logins=28)
    call("upsert_account", name="Reacted To", logins=3)
    call("upsert_account", name="Erased", logins=28)
    call("delete_customer", name="Erased", hard=True)
    client, arn = dynamodb.stream("customer-vitals", aws)
    stream, written = streams.Stream(client, arn, lambda _: None), []
    while page := [record for _, records in stream.poll() for record in records]:
        written += [
            json.loads(streams.as_json(record, arn.partition("/stream/")[0], "local"))
            for record in page
        ]
    records = [record for record in written if reacted_to(record)][-100:]

    assert "Reacted To" in json.dumps(records)
    assert invoke("ReactionsFunction", {"Records": records}) == {"batchItemFailures": []}

    assert set() < needed(calls["ReactionsFunction"]) <= granted("ReactionsFunction")


def test_the_deliver_function_may_do_what_it_does_and_nothing_else(
    invoke: "Invoke", api_key: str, aws: dict[str, str], calls: dict[str, list[Exchange]]
) -> None:
    mine = tenant_of(api_key, invoke)

    def of_mine(name: str) -> Any:
        text = (ROOT / "events" / name).read_text(encoding="utf-8")
        return json.loads(text.replace(TENANT_ID, mine))

    [pending] = of_mine("reactions/delivery_pending.json")["Records"]
    item, table = pending["dynamodb"]["NewImage"], dynamodb.client_of(aws)
    later = str(int((datetime.now(UTC) + timedelta(days=30)).timestamp()))
    table.put_item(TableName="customer-vitals", Item=item | {"expires_at": {"N": later}})
    answer = invoke("DeliverFunction", of_mine("deliver/first_attempt.json"))

    # The connection is gone: that is the end of the delivery, and no attempt of it.
    assert answer == {"batchItemFailures": []}
    after = table.get_item(TableName="customer-vitals", Key=pending["dynamodb"]["Keys"])["Item"]
    assert after["state"]["S"] == "cancelled"
    assert needed(calls["DeliverFunction"]) == granted("DeliverFunction")


def test_the_alerts_function_may_do_what_it_does(
    invoke: "Invoke", api_key: str, aws: dict[str, str], calls: dict[str, list[Exchange]]
) -> None:
    now = datetime.now(UTC)
    summary = Wake(tenant_of(api_key, invoke), DIGEST, "gone#1", now - timedelta(minutes=1))
    item, table = wake_item(Item, summary).serialize(), dynamodb.client_of(aws)
    table.put_item(TableName="customer-vitals", Item=item)

    invoke("AlertsFunction", {"time": f"{now:%Y-%m-%dT%H:%M:%SZ}"})

    key = {name: item[name] for name in ("PK", "SK")}
    assert "Item" not in table.get_item(TableName="customer-vitals", Key=key)
    assert set() < needed(calls["AlertsFunction"]) <= granted("AlertsFunction")


def test_the_reports_function_may_do_what_it_does(
    invoke: "Invoke", api_key: str, aws: dict[str, str], calls: dict[str, list[Exchange]]
) -> None:
    event = json.loads((ROOT / "events/actions/upsert_account.json").read_text(encoding="utf-8"))
    event["headers"]["x-api-key"] = api_key
    mine, table = tenant_of(api_key, invoke), dynamodb.client_of(aws)
    due = json.loads((ROOT / "events/reports/due.json").read_text(encoding="utf-8"))
    message = (ROOT / "events/reports/queued.json").read_text(encoding="utf-8")

    def call(action: str, **data: Any) -> Any:
        event["body"] = json.dumps({"action": action, "data": data})
        answer = invoke("ActionsFunction", event)
        assert answer["statusCode"] == 200, answer
        return json.loads(answer["body"])

    call("upsert_account", name="Reported", logins=3, mrr=10)
    call(
        "put_report_schedule",
        name="Every day",
        report="weekly_digest",
        format="pdf",
        schedule={"type": "daily", "at": "08:00"},
        recipients=["cs@example.com"],
    )
    tomorrow = datetime.now(UTC) + timedelta(days=1, minutes=1)
    assert invoke("ReportsFunction", due | {"time": f"{tomorrow:%Y-%m-%dT%H:%M:%SZ}"}) == {
        "started": 1
    }
    jobs = table.query(
        TableName="customer-vitals",
        KeyConditionExpression="PK = :jobs",
        FilterExpression="queue = :reports",
        ExpressionAttributeValues={
            ":jobs": {"S": f"T#{mine}#JOBS"}, ":reports": {"S": "reports"},
        },
    )["Items"]  # fmt: skip
    [job] = [item["SK"]["S"] for item in jobs]
    [record] = json.loads(message)["Records"]
    record["body"] = json.dumps({"tenant_id": mine, "job_id": job})

    for _ in range(2):  # SQS may send it twice
        assert invoke("ReportsFunction", {"Records": [record]}) == {"batchItemFailures": []}

    done = call("get_job", id=job)["data"]
    assert (done["state"], done["result"]["deliveries"]) == ("done", 1)
    assert set() < needed(calls["ReportsFunction"]) <= granted("ReportsFunction")
