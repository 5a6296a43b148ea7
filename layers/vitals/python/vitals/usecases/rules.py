"""Alert rules and custom rules: listed, put, switched and deleted (IQ-112 to 132)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vitals.domain.builtin_rules import BUILT_IN
from vitals.domain.condition import ConditionError, condition_from_json, signal_fields
from vitals.domain.condition_text import parse
from vitals.domain.errors import (
    FieldError,
    RuleNotFoundError,
    TooManyError,
    ValidationError,
    VersionConflictError,
)
from vitals.domain.instants import iso
from vitals.domain.job import Job
from vitals.storage.ports import Entry, EntryChange
from vitals.storage.reaction_ports import CONNECTION, RULE, SWITCHED
from vitals.usecases.administer import Plan, administer
from vitals.usecases.context import Answer, Context
from vitals.usecases.inputs import Input, Warning_, read
from vitals.usecases.jobs import MATCH_RULE, new_job
from vitals.usecases.rule_input import (
    AlertRuleInput,
    CustomRuleInput,
    RuleInput,
    RuleReference,
    ToggleInput,
)

MAX_RULES = 200
_SCOPE = ("events", "when", "managers")
"""What makes a changed rule a new one: what happened before is not told by it."""
_GIVEN = (
    "name", "enabled", "managers", "connections", "to_manager", "schedule", "cooldown_hours",
    "severity", "escalation",
)  # fmt: skip


def list_alert_rules(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return every alert rule, the built-in ones among them, in the order of their names."""
    return _listed(context, "list_alert_rules", given, custom=False)


def list_custom_rules(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return every custom rule, in the order of their names."""
    return _listed(context, "list_custom_rules", given, custom=True)


def put_alert_rule(context: Context, given: Mapping[str, Any]) -> Answer:
    """Create an alert rule, or change the one under `id`; no other rule changes (IQ-121)."""
    parsed, warnings, _ = read(AlertRuleInput, given)
    own = {"events": parsed.events} if parsed.events is not None else {}
    return _put(context, "put_alert_rule", parsed, own, warnings)


def put_custom_rule(context: Context, given: Mapping[str, Any]) -> Answer:
    """Create a custom rule, or change the one under `id` (IQ-129)."""
    parsed, warnings, _ = read(CustomRuleInput, given)
    own: dict[str, Any] = {}
    if parsed.when is not None:
        own["when"] = condition_read(context, parsed.when)
    if "category" in parsed.model_fields_set:
        own["category"] = parsed.category
    return _put(context, "put_custom_rule", parsed, own, warnings)


def toggle_alert_rule(context: Context, given: Mapping[str, Any]) -> Answer:
    """Switch a rule on or off; a built-in one too."""
    return _toggled(context, "toggle_alert_rule", given)


def toggle_custom_rule(context: Context, given: Mapping[str, Any]) -> Answer:
    """Switch a custom rule on or off."""
    return _toggled(context, "toggle_custom_rule", given)


def delete_alert_rule(context: Context, given: Mapping[str, Any]) -> Answer:
    """Delete a rule for good; its open alerts are closed, and no other rule changes."""
    return _deleted(context, "delete_alert_rule", given)


def delete_custom_rule(context: Context, given: Mapping[str, Any]) -> Answer:
    """Delete a custom rule for good."""
    return _deleted(context, "delete_custom_rule", given)


def _listed(context: Context, action: str, given: Mapping[str, Any], *, custom: bool) -> Answer:
    _, warnings, _ = read(Input, given)
    entries = context.outbound.rulebooks.entries(context.tenant.id)
    found = [
        rule_view(entry)
        for entry in entries
        if entry.kind == RULE and ("when" in entry.document) == custom
    ]
    if not custom:
        switched = {entry.id: entry.document for entry in entries if entry.kind == SWITCHED}
        found += [
            {
                "id": rule_id,
                "name": name,
                "built_in": True,
                "enabled": _is_on(switched.get(rule_id)),
            }
            for rule_id, (name, _) in BUILT_IN.items()
        ]
    found.sort(key=lambda rule: (rule["name"].casefold(), rule["id"]))
    return {"action": action, "data": found, "count": len(found), "warnings": warnings}


def rule_view(entry: Entry) -> dict[str, Any]:
    """Return a rule as answers show it."""
    return {"id": entry.id, "built_in": False, **entry.document, "version": entry.version}


def condition_read(context: Context, raw: object) -> str:
    """Return the canonical text of a condition, given as text or JSON. Raises ValidationError."""
    extra = signal_fields(context.model)
    try:
        found = parse(raw, extra) if isinstance(raw, str) else condition_from_json(raw, extra)
    except ConditionError as error:
        where = f"when.{error.at}" if error.at else "when"
        raise ValidationError([FieldError(where, "bad_condition", str(error))]) from error
    return str(found)


def _put(
    context: Context,
    action: str,
    parsed: RuleInput,
    own: Mapping[str, Any],
    warnings: list[Warning_],
) -> Answer:
    custom = action == "put_custom_rule"

    def plan(context: Context) -> Plan:
        entries = context.outbound.rulebooks.entries(context.tenant.id)
        before = _found(entries, parsed.id, custom=custom) if parsed.id else None
        if before is not None:
            _guard(parsed.if_version, before)
        sent = {name: getattr(parsed, name) for name in _GIVEN if name in parsed.model_fields_set}
        document = {**(before.document if before else _new(context)), **sent, **own}
        # Null is what a new rule has.
        unset = {name: value for name, value in _new(context).items() if name in sent}
        document = {
            name: unset.get(name) if value is None else value for name, value in document.items()
        }
        document = {name: value for name, value in document.items() if value is not None}
        _check(entries, document, custom=custom)
        if before is None and sum(entry.kind == RULE for entry in entries) >= MAX_RULES:
            raise TooManyError(f"a tenant has at most {MAX_RULES} rules: delete one first")
        return _planned(context, before, document, warnings, notify=parsed.notify_existing)

    return administer(context, action, plan, dry_run=parsed.dry_run)


def _new(context: Context) -> dict[str, Any]:
    return {
        "enabled": True,
        "managers": [],
        "connections": [],
        "to_manager": False,
        "schedule": {"type": "realtime"},
        "created_at": iso(context.now),
        "created_by": context.key.id,
    }


def _check(entries: list[Entry], document: Mapping[str, Any], *, custom: bool) -> None:
    """Refuse a rule that looks for nothing, or that names a connection that there is not."""
    errors = []
    wanted = "when" if custom else "events"
    if wanted not in document:
        errors.append(FieldError(wanted, "required", "a rule must say what it looks for"))
    if "name" not in document:
        errors.append(FieldError("name", "required", "a rule has a name"))
    there = {entry.id for entry in entries if entry.kind == CONNECTION}
    escalation = document.get("escalation") or {"connections": []}
    for field, named in (
        ("connections", document["connections"]),
        ("escalation.connections", escalation["connections"]),
    ):
        errors += [
            FieldError(
                field,
                "unknown_connection",
                f"no connection has the id {each}: see list_connections",
            )
            for each in named
            if each not in there
        ]
    if errors:
        raise ValidationError(errors)


def _planned(
    context: Context,
    before: Entry | None,
    document: dict[str, Any],
    warnings: list[Warning_],
    *,
    notify: bool,
) -> Plan:
    old = before.document if before else {}
    # What happened before the rule was what it is now is not told by it.
    anew = not old or any(old.get(name) != document.get(name) for name in _SCOPE)
    if anew or (document["enabled"] and not old["enabled"]):
        document["enabled_at"] = iso(context.now)
    document["updated_at"] = old.get("updated_at", iso(context.now))
    unchanged = before is not None and document == {**old}
    if not unchanged:
        document["updated_at"] = iso(context.now)
    version = before.version + 1 if before else 1
    rule_id = before.id if before else context.new_id(context.now)
    after = before if unchanged and before else Entry(RULE, rule_id, version, document)
    tell = notify and document["enabled"]
    settles = not unchanged and before is not None and (anew or not document["enabled"])
    job = _job(context, rule_id, tell=tell) if tell or settles else None
    answer: Answer = {
        "created": before is None,
        "unchanged": unchanged,
        "data": rule_view(after),
        **({"job_id": job.id} if job else {}),
        "warnings": warnings,
    }
    return Plan(
        subject=rule_id,
        answer=answer,
        details={"name": document["name"], "version": after.version},
        entries=[] if unchanged else [EntryChange(before, after)],
        job=job,
    )


def _job(context: Context, rule_id: str, *, tell: bool) -> Job:
    """Return the job that closes what the rule no longer says, and tells who matches already."""
    return new_job(context, MATCH_RULE, {"rule_id": rule_id, "tell": tell})


def _toggled(context: Context, action: str, given: Mapping[str, Any]) -> Answer:
    parsed, warnings, _ = read(ToggleInput, given)

    def plan(context: Context) -> Plan:
        entries = context.outbound.rulebooks.entries(context.tenant.id)
        if parsed.id in BUILT_IN:
            return _switched(context, entries, parsed, warnings)
        before = _found(entries, parsed.id, custom=action == "toggle_custom_rule")
        _guard(parsed.if_version, before)
        document = {**before.document, "enabled": parsed.enabled}
        notify = parsed.notify_existing
        return _planned(context, before, document, warnings, notify=notify)

    return administer(context, action, plan, dry_run=parsed.dry_run)


def _is_on(document: Mapping[str, Any] | None) -> bool:
    return document is None or document["enabled"]


def _switched(
    context: Context, entries: list[Entry], parsed: ToggleInput, warnings: list[Warning_]
) -> Plan:
    """Return how a built-in rule is switched: an entry stands for one that ever was."""
    before = next((each for each in entries if (each.kind, each.id) == (SWITCHED, parsed.id)), None)
    name, _ = BUILT_IN[parsed.id]
    change = []
    if parsed.enabled != _is_on(before.document if before else None):
        document: dict[str, Any] = {"enabled": parsed.enabled}
        if parsed.enabled:
            # What happened while it was off is not told by it.
            document["enabled_at"] = iso(context.now)
        version = before.version + 1 if before else 1
        change = [EntryChange(before, Entry(SWITCHED, parsed.id, version, document))]
    data = {"id": parsed.id, "name": name, "built_in": True, "enabled": parsed.enabled}
    answer = {"created": False, "unchanged": not change, "data": data, "warnings": warnings}
    return Plan(
        subject=parsed.id,
        answer=answer,
        details={"enabled": parsed.enabled},
        entries=change,
        job=_job(context, parsed.id, tell=False) if change and not parsed.enabled else None,
    )


def _deleted(context: Context, action: str, given: Mapping[str, Any]) -> Answer:
    parsed, warnings, _ = read(RuleReference, given)

    def plan(context: Context) -> Plan:
        if parsed.id in BUILT_IN:
            message = "a built-in rule is switched off by toggle_alert_rule, not deleted"
            raise ValidationError([FieldError("id", "built_in", message)])
        entries = context.outbound.rulebooks.entries(context.tenant.id)
        before = _found(entries, parsed.id, custom=action == "delete_custom_rule")
        _guard(parsed.if_version, before)
        return Plan(
            subject=before.id,
            answer={"data": {"id": before.id, "deleted": True}, "warnings": warnings},
            details={"name": before.document["name"]},
            entries=[EntryChange(before, None)],
            job=_job(context, before.id, tell=False),
        )

    return administer(context, action, plan, dry_run=parsed.dry_run)


def _found(entries: list[Entry], rule_id: str, *, custom: bool) -> Entry:
    for entry in entries:
        if entry.kind == RULE and entry.id == rule_id and ("when" in entry.document) == custom:
            return entry
    kind = "custom rule" if custom else "alert rule"
    raise RuleNotFoundError(f"no {kind} has the id {rule_id}")


def _guard(wanted: int | None, entry: Entry) -> None:
    if wanted is not None and wanted != entry.version:
        raise VersionConflictError(
            f"if_version is {wanted}, the rule is at version {entry.version}: "
            "read it again and decide anew",
            extra={"if_version": wanted, "version": entry.version},
        )
