"""What every action costs in DynamoDB calls and units: `python -m bench.actions` prints it."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench.metering import Call, Meter
from local import dynamodb
from local.template import read

from vitals.storage.table import Table

Send = Callable[[str, Mapping[str, Any], str], Mapping[str, Any]]
"""Post an action with its data and Idempotency-Key, and return the answer."""

ACME = {
    "name": "Acme Corp",
    "mrr": 5000,
    "logins": 22,
    "adoption": 75,
    "tickets": 1,
    "tier": "mid",
    "manager": "Sarah",
}
"""The documented example."""

PORTFOLIO = 1000
SINCE = {"updated_since": "2020-01-01"}


@dataclass(frozen=True)
class Scenario:
    """One request, described, and the requests that make the table ready for it."""

    what: str
    action: str
    data: Mapping[str, Any] = field(default_factory=dict)
    before: Sequence[tuple[str, Mapping[str, Any]]] = ()
    key: str = ""


@dataclass(frozen=True)
class Cost:
    """The calls of one request, but for its counter; Query is counted by page."""

    calls: Sequence[Call]

    @property
    def operations(self) -> str:
        """Return how often each operation was called."""
        counted = Counter(call.operation for call in self.calls)
        return ", ".join(f"{n} {name}" if n > 1 else name for name, n in counted.items()) or "–"

    @property
    def reads(self) -> float:
        """Return the read units."""
        return sum(call.reads for call in self.calls)

    @property
    def writes(self) -> float:
        """Return the write units."""
        return sum(call.writes for call in self.calls)


def named(name: str, **fields: object) -> dict[str, Any]:
    """Return the documented example under *name*, with *fields* changed."""
    return {**ACME, "name": name, **fields}


def _made(name: str, **fields: object) -> tuple[str, Mapping[str, Any]]:
    return "upsert_account", named(name, **fields)


def _batch(first: int, **fields: object) -> dict[str, Any]:
    return {"customers": [named(f"Customer {n:04}", **fields) for n in range(first, first + 100)]}


LISTS = (
    Scenario("100 of 1,000 by `updated_at`", "list_customers", {"limit": 100, **SINCE}),
    Scenario("100 of 1,000 by `score`", "list_customers", {"limit": 100, "sort": "score"}),
    Scenario("the newest 100", "list_changes", {"limit": 100}),
    Scenario("of one customer", "list_changes", {"customer": "Customer 0007"}),
)
"""What is asked of a tenant with a portfolio; the rest needs no more than one customer."""

SCENARIOS = (
    Scenario("", "whoami"),
    Scenario("", "list_actions"),
    Scenario("by id", "get_customer", {"id": "A1"}, [_made("A1")]),
    Scenario("by name or external_id", "get_customer", {"name": "A2"}, [_made("A2")]),
    Scenario("one change", "get_history", {"id": "A3"}, [_made("A3")]),
    Scenario("creates", "upsert_account", named("B1")),
    Scenario("creates, with external_id", "upsert_account", named("B2", external_id="b2")),
    Scenario("a signal, by id", "upsert_account", {"id": "B3", "logins": 28}, [_made("B3")]),
    Scenario("a signal, by name", "upsert_account", {"name": "B4", "logins": 28}, [_made("B4")]),
    Scenario("revenue, by id", "upsert_account", {"id": "B5", "mrr": 6000}, [_made("B5")]),
    Scenario("renames", "upsert_account", {"id": "B6", "name": "B6 Ltd"}, [_made("B6")]),
    Scenario("unchanged, by name", "upsert_account", named("B7"), [_made("B7")]),
    Scenario("unchanged, no signal", "upsert_account", {"id": "B8", "mrr": 5000}, [_made("B8")]),
    Scenario("dry run", "upsert_account", {"id": "B9", "mrr": 1, "dry_run": True}, [_made("B9")]),
    Scenario("under an Idempotency-Key", "upsert_account", {"id": "C1", "logins": 1},
             [_made("C1")], "c1"),
    Scenario("the same key again", "upsert_account", {"id": "C1", "logins": 1}, [], "c1"),
    Scenario("by name", "update_health", {"name": "C2", "field": "logins", "value": 28},
             [_made("C2")]),
    Scenario("by id", "log_contact", {"id": "C3", "channel": "call"}, [_made("C3")]),
    Scenario("override cleared, by id", "score_customer", {"id": "C4"}, [_made("C4", score=40)]),
    Scenario("nothing to clear, by id", "score_customer", {"id": "C5"}, [_made("C5")]),
    Scenario("by id", "delete_customer", {"id": "C6"}, [_made("C6")]),
    Scenario("again", "delete_customer", {"id": "C6"}),
    Scenario("by id", "restore_customer", {"id": "C6"}),
    Scenario("for good, 2 versions", "delete_customer", {"id": "C7", "hard": True},
             [_made("C7"), _made("C7", logins=1)]),
    Scenario("100 new", "batch_upsert", _batch(5000)),
    Scenario("100 changed", "batch_upsert", _batch(5000, logins=1)),
    Scenario("100 unchanged", "batch_upsert", _batch(5000, logins=1)),
)  # fmt: skip


def measured(
    send: Send, client: Any, scenarios: Sequence[Scenario] = SCENARIOS
) -> dict[tuple[str, str], Cost]:
    """Return what each of *scenarios* costs a function that has its key and model in memory.

    An `id` in a scenario names the customer by its name: ids are made anew in every run.
    """
    meter, costs = Meter(client), {}
    for scenario in scenarios:
        for action, data in scenario.before:
            send(action, data, "")
        data = dict(scenario.data)
        if "id" in data:
            found = send("get_customer", {"name": data["id"], "include_deleted": True}, "")
            data["id"] = found["data"]["id"]
        with meter.running() as calls:
            send(scenario.action, data, scenario.key)
        counted = [call for call in calls if not is_bookkeeping(call)]
        if len(calls) - len(counted) != 2:
            raise AssertionError(f"{scenario} was not counted and logged, once each")
        costs[scenario.action, scenario.what] = Cost(counted)
    return costs


def fill(send: Send, count: int = PORTFOLIO) -> None:
    """Give the tenant *count* customers like the documented example."""
    records = [named(f"Customer {number:04}") for number in range(count)]
    send("batch_upsert", {"customers": records}, "")


def table_of(costs: Mapping[tuple[str, str], Cost]) -> str:
    """Return *costs* as the table that docs/data-model.md holds."""
    rows = [
        f"| `{action}`{' ' if what else ''}{what} | {cost.operations} "
        f"| {cost.reads:g} | {cost.writes:g} |"
        for (action, what), cost in costs.items()
    ]
    head = ["| Action | DynamoDB calls | Read units | Write units |", "|---|---|--:|--:|"]
    return "\n".join([*head, *rows])


def is_bookkeeping(call: Call) -> bool:
    """Tell whether *call* counts the request against its limit, or puts it into the log."""
    key = (call.asked.get("Key") or call.asked.get("Item") or {}).get("PK", {}).get("S", "")
    return str(key).endswith(("#R", "#LOG"))


class _Context:
    """What Lambda hands a function beside the event."""

    aws_request_id = "bench"

    def get_remaining_time_in_millis(self) -> int:
        return 29_000


def _sender(key: str) -> Send:
    """Return a Send over the actions function in this process."""
    import actions  # noqa: PLC0415 - its wiring wants the environment

    def send(action: str, data: Mapping[str, Any], idempotency_key: str) -> Mapping[str, Any]:
        event = {
            "rawPath": actions.PATH,
            "headers": {"x-api-key": key, "idempotency-key": idempotency_key},
            "requestContext": {"http": {"method": "POST", "path": actions.PATH}},
            "body": json.dumps({"action": action, "data": data}),
        }
        answer = actions.handler(event, _Context())
        body: Mapping[str, Any] = json.loads(answer["body"])
        if answer["statusCode"] != 200:
            raise AssertionError(body)
        return body

    return send


def main() -> None:
    """Measure every action on an embedded table of its own, and print the table."""
    with (
        tempfile.TemporaryDirectory() as folder,
        dynamodb.embedded(Path(folder) / "log") as endpoint,
    ):
        aws = dynamodb.credentials(endpoint, {})
        os.environ.update(aws, LOG_LEVEL="ERROR")
        [template] = read(dynamodb.ROOT / "template.yaml", {}).tables
        dynamodb.ensure(template, aws)
        table = Table(template.name)
        with patch("vitals.runtime.wiring.Table", return_value=table):
            import admin  # noqa: PLC0415 - as above

            answer = admin.handler({"command": "bootstrap"}, _Context())
        send = _sender(answer["api_key"])
        client = table.connection.client
        fill(send)
        print(table_of(measured(send, client, LISTS) | measured(send, client)))


if __name__ == "__main__":
    main()
