"""What follows from a write, by itself: what the stream, the queue and the schedule each cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.costs import Cost, Costs, done
from bench.metering import Call, Meter
from bench.reacting import Reacting
from bench.report_scenarios import SCHEDULED
from bench.scenarios import HEARS, HOOK, SETTLED, TEN, Asked, made

_NAME = "Acme Corp"
_THERE = made(_NAME)
_WATCHED = {"name": "Four tickets", "when": "tickets >= 4"}
_WATCH: Asked = ("put_custom_rule", _WATCHED, {"connections": "data.id"})
_DAILY: Asked = ("put_custom_rule", {**_WATCHED, "schedule": "daily"}, {"connections": "data.id"})
_HEARS_UPDATES: Asked = ("put_webhook_subscription", {**HEARS[1], "events": "customer.updated"})
_HEARS_MODELS: Asked = ("put_webhook_subscription", {**HEARS[1], "events": "model.changed"})
_HOUR, _DAY = 3_600, 86_400
_RETRIED = 360
"""Seconds after which a second attempt that failed is made again, whatever its jitter."""
_LOOKED_AT = 900
"""Seconds after which it is looked at what became of a report that was due."""


def _write(**fields: object) -> Asked:
    return "upsert_account", {"name": _NAME, **fields}


@dataclass(frozen=True)
class Reaction:
    """What is written, described, on what stands and has had its consequences; *again* if twice."""

    what: str
    before: Sequence[Asked]
    write: Asked
    again: bool = False


REACTIONS = (
    Reaction("nothing follows", [_THERE], _write(logins=20)),
    Reaction("an alert of a built-in rule", [_THERE], _write(tickets=5)),
    Reaction("an alert, told to one webhook", [HOOK, _WATCH, _THERE], _write(tickets=4)),
    Reaction("that alert once more", [HOOK, _WATCH, _THERE], _write(tickets=4), again=True),
    Reaction("an alert that waits for a summary", [HOOK, _DAILY, _THERE], _write(tickets=4)),
    Reaction("an alert is over", [_THERE, _write(tickets=5)], _write(tickets=1)),
    Reaction("a change, told to one subscription", [_HEARS_UPDATES, _THERE], _write(logins=20)),
    Reaction("that change once more", [_HEARS_UPDATES, _THERE], _write(logins=20), again=True),
    Reaction("a model, told to one subscription", [_HEARS_MODELS],
             ("update_config", {"quiet_after": 10, "rescore": False})),
)  # fmt: skip
"""Each is one record of the table's stream."""


def reactions_measured(desk: Reacting) -> Costs:
    """Return what each reaction costs a tenant of its own, with its model in memory."""
    costs: Costs = {}
    for number, reaction in enumerate(REACTIONS):
        own, cost = _reaction(desk.another_tenant(f"Reacting {number}"), reaction)
        costs |= {("reactions", "each batch, for each tenant in it"): own}
        costs |= {("reactions", reaction.what): cost}
    return costs | _delivered(desk.another_tenant("Delivered")) | _due(desk)


def _reaction(desk: Reacting, reaction: Reaction) -> tuple[Cost, Cost]:
    """Return what a batch of one record costs for being a batch, and what beside that."""
    done(desk, [*reaction.before, SETTLED, reaction.write, ("whoami", {})])
    records = desk.records()
    if len(records) != 1:
        raise AssertionError(f"{reaction} is {len(records)} records")
    if reaction.again:
        desk.react(records)
    calls = _metered(desk, lambda: desk.react(records)).calls
    desk.settle()
    own, rest = calls[:2], calls[2:]
    if [_partition(call) for call in own] != [f"T#{desk.tenant_id}", f"T#{desk.tenant_id}#RULES"]:
        raise AssertionError(f"{reaction} read something else than its tenant and its rulebook")
    return Cost(own), Cost(rest)


def _partition(call: Call) -> str:
    found: str = call.asked["ExpressionAttributeValues"][":0"]["S"]
    return found


def _delivered(desk: Reacting) -> Costs:
    """Return what attempts at a delivery cost; the last one is left to the schedule."""
    done(desk, [HEARS])

    def queued(name: str) -> Cost:
        done(desk, [made(name)])
        desk.react(desk.records())
        return _metered(desk, lambda: desk.react(desk.records()))

    def attempted(failures: int) -> Cost:
        desk.outside.failures = failures
        return _metered(desk, desk.deliver)

    costs = {("reactions", "a delivery goes into the queue"): queued("A")}
    messages = list(desk.outside.queue)
    costs |= {("deliver", "taken at once"): attempted(0)}
    desk.outside.queue += messages
    costs |= {("deliver", "a message once more"): attempted(0)}
    queued("B")
    costs |= {("deliver", "refused, and taken seconds later"): attempted(1)}
    queued("C")
    return costs | {("deliver", "refused twice, left to the schedule"): attempted(2)}


def _due(desk: Reacting) -> Costs:
    """Return what the schedule costs each time, by what is due."""

    def later(seconds: float) -> Cost:
        desk.hands.sleep(seconds)
        cost = _metered(desk, desk.tick)
        desk.settle()
        return cost

    costs = {
        ("alerts", "nothing is due"): later(0),
        ("alerts", "a delivery is due again"): later(_RETRIED),
    }
    escalating = desk.another_tenant("Escalating")
    hook = done(escalating, [HOOK])["data"]["id"]
    rule = {
        **_WATCHED,
        "severity": "critical",
        "escalation": {"after_minutes": 60, "connections": [hook]},
    }
    done(escalating, [("put_custom_rule", rule), _THERE, _write(tickets=4), SETTLED])
    costs |= {("alerts", "an alert goes up"): later(_HOUR)}
    later(_DAY)  # what else waits for tomorrow
    done(desk.another_tenant("Daily"), [HOOK, _DAILY, TEN, SETTLED])
    costs |= {("alerts", "a summary of ten, to one webhook"): later(_DAY)}
    return costs | _reported(desk)


def _reported(desk: Reacting) -> Costs:
    """Return what the schedule of reports costs each time, and what follows from one it starts."""

    def started() -> Cost:
        return _metered(desk, desk.start_reports)

    costs = {("reports", "nothing is due"): started()}
    reporting = desk.another_tenant("Reporting")
    done(reporting, [SCHEDULED, SETTLED])
    desk.hands.sleep(_DAY)
    costs |= {("reports", "a report is due"): started()}
    queued = _metered(desk, lambda: reporting.react(reporting.records()))
    costs |= {("reactions", "a report goes into the queue"): queued}
    made = _metered(desk, desk.make_reports)
    desk.hands.sleep(_LOOKED_AT)
    return costs | {
        ("reports", "a report is made, and sent to two addresses"): made,
        ("reports", "what became of it is looked at"): started(),
    }


def _metered(desk: Reacting, work: Callable[[], object]) -> Cost:
    with Meter(desk.client).running() as calls:
        work()
    return Cost(calls)
