"""What each action costs is what docs/data-model.md says, and what DynamoDB's arithmetic says."""

import math
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from bench import lists, rescore, warm
from bench.actions import all_costs, cost_of, fill, measured, prepared, table_of
from bench.metering import Call, Meter
from bench.scenarios import ADMINISTRATION, CUSTOMERS, PLATFORM, Scenario
from bench.workbench import Workbench, opened
from tests.builders import a_tenant
from tests.integration.actions.api import Api, Clock

from action_table import ACTIONS
from jobs import RUNNERS
from vitals.storage.table import Table

DOCUMENT = Path(__file__).parents[3] / "docs" / "data-model.md"
Item = dict[str, Any]
PROJECTED = ("PK", "SK", "index_pk", "index_sk", "row")


@pytest.fixture
def desk(table: Table) -> Iterator[Workbench]:
    """The functions as the holder of the first key calls them."""
    with opened(table) as desk:
        yield desk


def rows(head: str, text: str) -> list[str]:
    lines = text.splitlines()
    first = lines.index(f"| {head} | DynamoDB calls | Read units | Write units |") + 2
    return list(takewhile(lambda line: line.startswith("|"), lines[first:]))


def test_the_documented_costs_are_the_measured_costs(desk: Workbench) -> None:
    documented = DOCUMENT.read_text()
    costs, jobs = all_costs(desk)
    assert rows("Action", table_of(costs)) == rows("Action", documented)
    head = "Job of 100 customers"
    assert rows(head, table_of(jobs, head)) == rows(head, documented)


@pytest.mark.parametrize(
    "measure",
    [partial(warm.line, 1, 1), partial(lists.line, 120, 1, limit=5), partial(rescore.line, 20, 1)],
    ids=["warm", "lists", "rescore"],
)
def test_the_bench_measures_what_it_says(measure: Callable[[], Any]) -> None:
    measured = measure()
    lines = measured if isinstance(measured, list) else measured[0]
    assert all(line.ratio > 0 and line.calls for line in lines)


def test_every_action_and_every_kind_of_job_has_a_documented_cost() -> None:
    documented = DOCUMENT.read_text()
    for head, names in (("Action", ACTIONS.keys()), ("Job of 100 customers", RUNNERS.keys())):
        found = [re.match(r"\| `(\w+)`", row) for row in rows(head, documented)]
        assert {each[1] for each in found if each} == names


TEN = {"limit": 10, "updated_since": "2020-01-01"}


def test_a_page_by_time_costs_the_same_however_many_customers_there_are(desk: Workbench) -> None:
    """IQ-054: one query on the index, whatever the size of the tenant."""
    pages = []
    for count in (20, 80):
        fill(desk, count)
        [cost] = measured(desk, [Scenario("", "list_customers", TEN)]).values()
        pages.append((cost.operations, cost.reads))
    assert pages == [("Query", 1), ("Query", 1)]


@pytest.mark.parametrize("action", ["list_customers", "list_changes", "get_history"])
def test_the_next_page_costs_what_the_first_did(desk: Workbench, action: str) -> None:
    for number in range(30):
        name = "Acme" if action == "get_history" else f"Customer {number}"
        desk.send("upsert_account", {"name": name, "logins": number})
    asked = {**TEN, "name": "Acme"} if action == "get_history" else dict(TEN)
    first = desk.send(action, asked)
    pages = [Scenario("first", action, asked),
             Scenario("next", action, {**asked, "cursor": first["next_cursor"]})]  # fmt: skip
    costs = list(measured(desk, pages).values())
    assert [cost.operations.count("Query") for cost in costs] == [1, 1]
    assert costs[0].reads == costs[1].reads


def test_each_shard_is_asked_once(desk: Workbench) -> None:
    wide = desk.another_tenant("Wide", shards=4)
    fill(wide, 30)
    for scenario in (
        Scenario("", "list_customers", TEN),
        Scenario("", "list_customers", {"sort": "score"}),
        Scenario("", "list_changes", TEN),
    ):
        [cost] = measured(wide, [scenario]).values()
        assert cost.operations == "4 Query"


def test_a_read_by_id_is_one_strongly_consistent_read(api: Api) -> None:
    made = api.upsert("Acme")
    with Meter(api.table.connection.client).running() as calls:
        api.customer(id=made["id"])
    counter, read, log = calls
    assert (counter.operation, counter.units) == ("UpdateItem", 1)
    assert (read.operation, read.units, read.asked["ConsistentRead"]) == ("GetItem", 1, True)
    assert (log.operation, log.units) == ("PutItem", 1)


def test_every_read_that_a_write_stands_on_is_strongly_consistent(api: Api) -> None:
    api.upsert("Acme")
    with Meter(api.table.connection.client).running() as calls:
        api.post("upsert_account", {"name": "Acme", "mrr": 1}, idempotency_key="k")
        api.post("batch_upsert", {"customers": [{"name": "Acme"}]}, idempotency_key="l")
        api.post("delete_customer", {"name": "Acme", "hard": True})
    for call in calls:
        tables = call.asked.get("RequestItems", {}).values()
        asked = list(tables) if call.operation == "BatchGetItem" else [call.asked]
        if call.reads:
            assert all(each.get("ConsistentRead") for each in asked), call.operation


def test_a_first_request_reads_key_tenant_and_model_too(api: Api) -> None:
    made = api.upsert("Acme")
    api.restart()
    with Meter(api.table.connection.client).running() as calls:
        api.customer(id=made["id"])
    reads = [(call.operation, call.units) for call in calls if call.reads]
    assert reads == [("GetItem", 0.5), ("Query", 1), ("GetItem", 1), ("GetItem", 0.5)]


def test_a_second_request_reads_none_of_them_again(api: Api) -> None:
    for _ in range(2):
        with Meter(api.table.connection.client).running() as calls:
            api.get("list_actions")
    assert [call.operation for call in calls] == ["UpdateItem", "PutItem"]


WRITES = [
    scenario
    for scenario in (*CUSTOMERS, *ADMINISTRATION, *PLATFORM)
    if ACTIONS[scenario.action].writes
    and scenario.what not in ("again", "the same key again")
    and "100 " not in scenario.what
]


@pytest.mark.parametrize("scenario", WRITES, ids=lambda each: f"{each.action} {each.what}")
def test_the_units_of_a_write_are_those_of_the_documented_arithmetic(
    desk: Workbench, scenario: Scenario
) -> None:
    if scenario.action == "restore_customer":
        desk.send("upsert_account", {"name": "C6"})
        desk.send("delete_customer", {"name": "C6"})
    data = prepared(desk, scenario)
    before = stored(desk)
    cost = cost_of(desk, scenario, data)
    after = stored(desk)
    # A purge writes its tombstone twice: the table does not show what stood between.
    for call in cost.calls[: 3 if data.get("hard") else None]:
        if call.operation in ("PutItem", "TransactWriteItems"):
            changed = [(before.get(key), after.get(key)) for key in written(call)]
            base = (2 if call.operation == "TransactWriteItems" else 1) * sum(
                units(max(size(old), size(new))) for old, new in changed
            )
            index = sum(index_units(old, new) for old, new in changed)
            assert (call.units - call.index_units, call.index_units) == (base, index)


def stored(desk: Workbench) -> dict[tuple[str, str], Item]:
    return Api(desk.table, a_tenant(), desk.key, Clock()).stored()


def written(call: Call) -> list[tuple[str, str]]:
    """The keys of what a call writes."""
    asked = call.asked.get("TransactItems", [{"Put": call.asked}])
    keys = [each.get("Item") or each["Key"] for action in asked for each in action.values()]
    return [(key["PK"]["S"], key["SK"]["S"]) for key in keys]


def units(size: int) -> int:
    return max(1, math.ceil(size / 1024))


def size(item: Item | None) -> int:
    """Bytes of an item: names and texts in UTF-8, a number two digits a byte and one more."""
    total = 0
    for name, value in (item or {}).items():
        total += len(name.encode())
        if isinstance(value, str) and not is_instant(value):
            total += len(value.encode())
        else:
            total += 1 + math.ceil(len(str(number(value)).strip("-0")) / 2)
    return total


def is_instant(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def number(value: Any) -> int:
    if isinstance(value, str):
        return int(datetime.fromisoformat(value).replace(tzinfo=UTC).timestamp())
    return int(value)


def index_units(old: Item | None, new: Item | None) -> int:
    """What the index takes: a delete and a put if the place in it moves, else one write."""
    was, becomes = projected(old), projected(new)
    if was == becomes:
        return 0
    if was and becomes and (was["index_pk"], was["index_sk"]) == (
        becomes["index_pk"], becomes["index_sk"],
    ):  # fmt: skip
        return units(max(size(was), size(becomes)))
    return sum(units(size(each)) for each in (was, becomes) if each)


def projected(item: Item | None) -> Item:
    if not item or "index_pk" not in item:
        return {}
    return {name: item[name] for name in PROJECTED if name in item}
