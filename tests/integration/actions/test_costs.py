"""What each action costs is what docs/data-model.md says, and what DynamoDB's arithmetic says."""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from bench import lists, rescore, warm
from bench.actions import all_costs, cost_of, fill, measured, outbound_measured, prepared
from bench.costs import Costs, table_of
from bench.metering import Call, Meter
from bench.reacting import Reacting, reacting
from bench.reactions import reactions_measured
from bench.report_scenarios import REPORTS
from bench.scenarios import ADMINISTRATION, CUSTOMERS, OUTBOUND, PLATFORM, Scenario
from bench.workbench import Workbench, opened, streamless
from tests.builders import a_tenant
from tests.integration.actions.api import Api, Clock
from tests.integration.tables import created

from action_table import ACTIONS
from jobs import RUNNERS
from reports import RUNNERS as REPORT_RUNNERS
from vitals.storage.table import Table

DOCUMENT = Path(__file__).parents[3] / "docs" / "data-model.md"
Item = dict[str, Any]
Key = tuple[str, str]
Images = tuple[Item | None, Item | None]
PROJECTED = ("PK", "SK", "index_pk", "index_sk", "row")
JOBS, REACTIONS = "Job of 100 customers", "Reaction"


@pytest.fixture
def desk(table: Table) -> Iterator[Workbench]:
    """The functions as the holder of the first key calls them."""
    with opened(table) as desk:
        yield desk


@pytest.fixture
def streamless_desk(actions_table: Table) -> Iterator[Workbench]:
    """The same over a table without a stream, which slows the embedded engine down."""
    with created(actions_table, streamless()), opened(actions_table) as desk:
        yield desk


@pytest.fixture
def reacting_desk(table: Table, streaming: Mapping[str, str]) -> Iterator[Reacting]:
    """The same, with what follows from writes."""
    with reacting(table, streaming) as desk:
        yield desk


def rows(head: str, text: str) -> list[str]:
    lines = text.splitlines()
    first = lines.index(f"| {head} | DynamoDB calls | Read units | Write units |") + 2
    return list(takewhile(lambda line: line.startswith("|"), lines[first:]))


def documented(head: str) -> list[str]:
    return rows(head, DOCUMENT.read_text())


def rows_of(costs: Costs) -> list[str]:
    return rows("", table_of(costs, ""))


def test_the_documented_costs_are_the_measured_costs(streamless_desk: Workbench) -> None:
    costs, jobs = all_costs(streamless_desk)
    assert rows_of(costs) == documented("Action")[: -len(OUTBOUND)]
    assert rows_of(jobs) == documented(JOBS)


def test_the_documented_costs_of_acts_on_alerts_are_the_measured_and_the_computed(
    reacting_desk: Reacting,
) -> None:
    costs: Costs = {}
    for desk, scenario, cost in outbound_measured(reacting_desk):
        costs[scenario.action, scenario.what] = cost
        assert_arithmetic(cost.calls, latest_images(desk, cost.calls))
    assert rows_of(costs) == documented("Action")[-len(OUTBOUND) :]


def test_the_documented_costs_of_reactions_are_the_measured_costs(reacting_desk: Reacting) -> None:
    assert rows_of(reactions_measured(reacting_desk)) == documented(REACTIONS)


@pytest.mark.parametrize(
    "measure",
    [
        partial(warm.line, warm.ACTIONS, 1, 1),
        partial(warm.line, warm.REST, 1, 1),
        partial(lists.line, 120, 1, limit=5),
        partial(rescore.line, 20, 1),
    ],
    ids=["warm", "rest", "lists", "rescore"],
)
def test_the_bench_measures_what_it_says(measure: Callable[[], Any]) -> None:
    measured = measure()
    lines = measured if isinstance(measured, list) else measured[0]
    assert all(line.ratio > 0 and line.calls for line in lines)


def test_every_action_and_every_kind_of_job_has_a_documented_cost() -> None:
    functions = {"reactions", "deliver", "alerts", "reports"}
    jobs = {**RUNNERS, **REPORT_RUNNERS}
    for head, names in (
        ("Action", ACTIONS.keys()), (JOBS, jobs.keys()), (REACTIONS, functions),
    ):  # fmt: skip
        found = [re.match(r"\| `(\w+)`", row) for row in documented(head)]
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
    for scenario in (*CUSTOMERS, *ADMINISTRATION, *PLATFORM, *REPORTS)
    if ACTIONS[scenario.action].writes
    and scenario.what not in ("again", "the same key again")
    and "100 " not in scenario.what
    and "1,000" not in scenario.what
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
    calls = cost.calls[: 3 if data.get("hard") else None]
    images = {key: [(before.get(key), after.get(key))] for call in calls for key in written(call)}
    assert_arithmetic(calls, images)


def assert_arithmetic(calls: Sequence[Call], images: Mapping[Key, list[Images]]) -> None:
    """Every write took what its items before and after it say, by *images* in their order."""
    left = {key: list(changes) for key, changes in images.items()}
    for call in calls:
        if call.operation in ("PutItem", "TransactWriteItems"):
            changed = [left[key].pop(0) for key in written(call)]
            base = (2 if call.operation == "TransactWriteItems" else 1) * sum(
                units(max(size(old), size(new))) for old, new in changed
            )
            index = sum(index_units(old, new) for old, new in changed)
            assert (call.units - call.index_units, call.index_units) == (base, index)


def latest_images(desk: Reacting, calls: Sequence[Call]) -> dict[Key, list[Images]]:
    """The items before and after each of the last writes, which are *calls*, by the stream."""
    found: dict[Key, list[Images]] = defaultdict(list)
    for record in desk.everything():
        change = record["dynamodb"]
        key = (change["Keys"]["PK"]["S"], change["Keys"]["SK"]["S"])
        found[key].append((plain(change.get("OldImage")), plain(change.get("NewImage"))))
    times = Counter(key for call in calls for key in written(call))
    # What was not there and is deleted leaves no record.
    return {key: found[key][-count:] or [(None, None)] for key, count in times.items()}


def plain(image: Mapping[str, Mapping[str, str]] | None) -> Item | None:
    if image is None:
        return None
    return {name: int(value["N"]) if "N" in value else value["S"] for name, value in image.items()}


def stored(desk: Workbench) -> dict[Key, Item]:
    return Api(desk.table, a_tenant(), desk.key, Clock()).stored()


def written(call: Call) -> list[Key]:
    """The keys of what a call writes, but for what it deletes as one of many."""
    if call.operation not in ("PutItem", "TransactWriteItems"):
        return []
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
        if isinstance(value, str) and name != "expires_at":
            total += len(value.encode())
        else:
            total += 1 + math.ceil(len(str(number(value)).strip("-0")) / 2)
    return total


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
