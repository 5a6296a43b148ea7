"""preview_alert_rule: what a rule would have fired, from the change records (PLUS-10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Annotated, Any

from vitals.domain.builtin_rules import BUILT_IN, built_in
from vitals.domain.condition import ConditionError, signal_fields
from vitals.domain.customer import Customer
from vitals.domain.edges import timed
from vitals.domain.errors import FieldError, RuleNotFoundError, ValidationError
from vitals.domain.firing import Tally, holds, would_fire
from vitals.domain.instants import iso
from vitals.domain.job import Job
from vitals.domain.replay import versions
from vitals.domain.rule import Rule
from vitals.domain.rule_document import rule_of
from vitals.domain.standing import Standing
from vitals.storage.reaction_ports import RULE
from vitals.usecases.administer import Plan, administer
from vitals.usecases.context import Answer, Context
from vitals.usecases.fields import whole
from vitals.usecases.inputs import read
from vitals.usecases.jobs import PREVIEW_RULE, job_view, new_job
from vitals.usecases.rule_input import AlertRuleInput, CustomRuleInput
from vitals.usecases.rules import condition_read
from vitals.usecases.runner import OutOfTimeError, Run, place_of

AT_ONCE = 200
"""So many customers are looked at while the caller waits; for more it takes a job."""
_DEFINING = ("name", "managers", "severity", "cooldown_hours", "events", "when", "category")
"""What of a rule decides what it fires, and what its alerts say."""
UNSAVED = "preview"


class PreviewRuleInput(CustomRuleInput, AlertRuleInput):
    """A rule as it is put, or the *id* of one, with changes to it; over how many *days*."""

    days: Annotated[int, whole(1, 366)] = 90


def preview_alert_rule(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return what a rule would have fired in the last days, had it been there all along.

    Of a small portfolio at once, of a larger one as the result of the job that `job_id` names.
    Nothing is stored but that job. Raises RuleNotFoundError, ValidationError.
    """
    parsed, warnings, _ = read(PreviewRuleInput, given)

    def plan(context: Context) -> Plan:
        asked = _asked(context, parsed)
        rule = _rule(context, asked)
        found = _at_once(context, rule, asked)
        if found is not None:
            answer: Answer = {"job_id": None, "data": found, "warnings": warnings}
            return Plan(subject=rule.id, answer=answer)
        job = new_job(context, PREVIEW_RULE, asked)
        answer = {"job_id": job.id, "data": job_view(job), "warnings": warnings}
        return Plan(subject=job.id, answer=answer, details={"rule": rule.name}, job=job)

    return administer(context, "preview_alert_rule", plan, dry_run=parsed.dry_run)


def run(context: Context, run: Run, job: Job) -> dict[str, Any]:
    """Return what the rule of *job* would have fired; cut short, it goes on with what it has."""
    asked = job.params
    rule = _rule(context, asked)
    tally = Tally.gathered(context.where, job.result) if job.result else Tally(context.where)
    seen: set[str] = set()
    count = run.job.progress.get("done", 0)
    for customer in context.customers.roster(context.tenant, descending=False, after=run.job.place):
        if customer.id in seen:
            continue  # whoever is written on the way is met again at the roster's end
        seen.add(customer.id)
        _add(context, tally, rule, customer, asked)
        count += 1
        try:
            run.progress({"done": count}, place_of(customer))
        except OutOfTimeError:
            run.job = replace(run.job, result=tally.result())
            raise
    return _result(tally, asked)


def _at_once(context: Context, rule: Rule, asked: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the result if there is time for it now."""
    page = AT_ONCE + 1
    customers = list(islice(context.customers.roster(context.tenant, page=page), page))
    if len(customers) == page:
        return None
    tally = Tally(context.where)
    for customer in customers:
        if not context.has_time():
            return None
        _add(context, tally, rule, customer, asked)
    return _result(tally, asked)


def _add(
    context: Context, tally: Tally, rule: Rule, customer: Customer, asked: Mapping[str, Any]
) -> None:
    """Count what *rule* would have fired of *customer*: 1 query, unless nothing can have been."""
    since, until = (datetime.fromisoformat(asked[end]) for end in ("since", "until"))
    alerts = []
    if customer.updated_at >= since or timed([replace(rule, enabled=True)]):
        changes = list(context.customers.history(context.tenant, customer.id))[::-1]
        if not changes or changes[0].version != 1:
            return  # erased meanwhile
        lived = versions(context.tenant.id, changes, context.model_of)
        alerts = would_fire(rule, lived, since, until, context.model_of)
    standing = Standing(customer, context.model_of(customer.model_version), until)
    tally.add(alerts, holding=customer.deleted_at is None and holds(rule, standing))


def _result(tally: Tally, asked: Mapping[str, Any]) -> dict[str, Any]:
    return {"since": asked["since"], "until": asked["until"], **tally.result()}


def _asked(context: Context, parsed: PreviewRuleInput) -> dict[str, Any]:
    """Return which rule, as a document unless it is built in, and over what time."""
    since = context.now - timedelta(days=parsed.days)
    span = {"since": iso(since), "until": iso(context.now)}
    sent = {
        name: getattr(parsed, name)
        for name in _DEFINING
        if name in parsed.model_fields_set and getattr(parsed, name) is not None
    }
    if parsed.id in BUILT_IN:
        if sent:
            message = "a built-in rule is previewed as it is: leave out what it looks for"
            raise ValidationError([FieldError("id", "built_in", message)])
        return {"rule_id": parsed.id, **span}
    stored = _stored(context, parsed.id) if parsed.id else {}
    if "when" in sent:
        sent["when"] = condition_read(context, sent["when"])
    document = {
        "name": "Preview",
        "enabled_at": iso(context.now),
        **stored,
        **sent,
        "enabled": True,
    }
    if ("when" in document) == ("events" in document):
        message = "say what the rule looks for: events or when, one of them"
        raise ValidationError([FieldError("events", "required", message)])
    return {"rule_id": parsed.id or UNSAVED, "document": document, **span}


def _stored(context: Context, rule_id: str) -> Mapping[str, Any]:
    entry = context.outbound.rulebooks.entry(context.tenant.id, RULE, rule_id)
    if entry is None:
        raise RuleNotFoundError(f"no rule has the id {rule_id}")
    return entry.document


def _rule(context: Context, asked: Mapping[str, Any]) -> Rule:
    """Return the rule that is *asked* about. Raises ValidationError if the model cannot read it."""
    tenant_id, rule_id = context.tenant.id, asked["rule_id"]
    if "document" not in asked:
        rules = built_in(tenant_id, context.tenant.created_at)
        return next(rule for rule in rules if rule.id == rule_id)
    try:
        return rule_of(tenant_id, rule_id, 1, asked["document"], signal_fields(context.model))
    except ConditionError as error:
        raise ValidationError([FieldError("when", "bad_condition", str(error))]) from error
