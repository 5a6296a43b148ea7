"""The job of a new rule: whoever matches it already is told of once, in one list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from vitals.domain.alert import alert_of
from vitals.domain.edges import Fired
from vitals.domain.job import Job
from vitals.domain.notice import alert_digest, digest_line
from vitals.domain.rule import Rule
from vitals.domain.standing import Standing
from vitals.usecases.context import Context
from vitals.usecases.rulebook import Rulebook, rulebook
from vitals.usecases.runner import Run
from vitals.usecases.telling import deliveries_of

REASON = "existing"
STRIDE = 100
"""The clock is looked at once for so many customers."""
Line = Mapping[str, Any]


def run(context: Context, run: Run, job: Job) -> dict[str, Any]:
    """Tell the rule's receivers of everybody of whom it holds; no alert is raised.

    Each gets one list, who pays most first; a manager's own connections that of its customers.
    Cut short, it begins anew; run twice, it tells nobody twice.
    """
    book = rulebook(context)
    rule = book.rule(job.params["rule_id"])
    if rule is None or not rule.enabled:
        return {"customers": 0, "matches": 0, "told": 0}
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
        event = alert_digest(rule, REASON, own, job.created_at)
        context.outbound.deliveries.add(deliveries_of(context, event, [connection]))
        told += 1
    return {"customers": matching, "matches": len(lines), "told": told}


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
