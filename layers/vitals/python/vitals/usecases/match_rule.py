"""The job of a rule that was saved or switched: alerts that it no longer says are closed.

And, if it was asked for, whoever matches it already is told of once, in one list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from vitals.domain.alert import Alert, alert_of, trigger_key
from vitals.domain.edges import Fired
from vitals.domain.job import Job
from vitals.domain.notice import alert_digest, digest_line
from vitals.domain.rule import Rule
from vitals.domain.standing import Standing
from vitals.usecases.context import Context
from vitals.usecases.react import close
from vitals.usecases.rulebook import Rulebook, rulebook
from vitals.usecases.runner import Run
from vitals.usecases.telling import deliveries_of, named_in

REASON = "existing"
STRIDE = 100
"""The clock is looked at once for so many customers."""
Line = Mapping[str, Any]


def run(context: Context, run: Run, job: Job) -> dict[str, Any]:
    """Close what the rule no longer says; `tell`: tell its receivers of everybody of whom it holds.

    Of whom it holds no alert is raised. Each receiver gets one list, who pays most first; a
    manager's own connections that of its customers. Cut short, it begins anew; run twice, it tells
    nobody twice.
    """
    book = rulebook(context)
    closed = _settle(context, run, book, job.params["rule_id"])
    rule = book.rule(job.params["rule_id"])
    if rule is None or not rule.enabled or not job.params["tell"]:
        return {"closed": closed, "customers": 0, "matches": 0, "told": 0}
    lines: list[Line] = []
    matching = 0
    for count, customer in enumerate(context.customers.roster(context.tenant), start=1):
        if customer.deleted_at is None and rule.is_for(customer.manager):
            model = context.model_of(customer.model_version)
            found = _lines(rule, Standing(customer, model, context.now), job.id)
            lines += found
            matching += bool(found)
        if count % STRIDE == 0:
            run.progress({"done": count})
    lines.sort(key=_by_mrr)
    told = 0
    for connection, own in _lists(book, rule, lines):
        # As of the job: the same list has the same id whenever it is made.
        event = alert_digest(rule, REASON, own, job.created_at, f"{job.id}:{connection}")
        context.outbound.deliveries.add(deliveries_of(context, event, [connection]), named_in(own))
        told += 1
    return {"closed": closed, "customers": matching, "matches": len(lines), "told": told}


def _settle(context: Context, run: Run, book: Rulebook, rule_id: str) -> int:
    """Close the rule's open alerts of what it does not look for any more, or no more holds."""
    closed = 0
    for count, alert in enumerate(
        context.outbound.alerts.feed(context.tenant.id, is_open=True), start=1
    ):
        if alert.rule_id == rule_id and not holds(context, book, alert):
            close(context, [alert])
            closed += 1
        if count % STRIDE == 0:
            run.progress({"looked_at": count})
    return closed


def holds(context: Context, book: Rulebook, alert: Alert) -> bool:
    """Tell whether what *alert* says holds now, by the rule as it is now."""
    rule = book.rule(alert.rule_id)
    if rule is None or not rule.enabled:
        return False
    trigger = next((each for each in rule.triggers if trigger_key(each) == alert.trigger), None)
    customer = context.customers.get(context.tenant, alert.customer_id)
    if trigger is None or customer is None or customer.deleted_at is not None:
        return False
    standing = Standing(customer, context.model_of(customer.model_version), context.now)
    return rule.is_for(customer.manager) and trigger.level(standing) is not None


def _lines(rule: Rule, standing: Standing, key: str) -> list[Line]:
    """Return a line for each trigger of *rule* that holds of *standing*."""
    return [
        digest_line(alert_of(Fired(rule, trigger, key, None, standing), (), None))
        for trigger in rule.triggers
        if trigger.level(standing) is not None
    ]


def _by_mrr(line: Line) -> tuple[Any, str]:
    customer = line["customer"]
    return -(customer["mrr"] or 0), customer["name"]


def _lists(book: Rulebook, rule: Rule, lines: list[Line]) -> Iterable[tuple[str, list[Line]]]:
    """Yield each connection that is told, with its lines."""
    everything = book.reachable(rule.connections)
    if lines:
        yield from ((connection, lines) for connection in everything)
    if not rule.to_manager:
        return
    own: dict[str, list[Line]] = {}
    for line in lines:
        manager = (line["customer"]["manager"] or "").casefold()
        for connection in book.reachable(book.managers.get(manager, ())):
            if connection not in everything:
                own.setdefault(connection, []).append(line)
    yield from own.items()
