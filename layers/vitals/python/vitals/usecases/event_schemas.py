"""The shapes that events are told in, as JSON Schema (2020-12), put together from few parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vitals.domain.connection import KINDS
from vitals.domain.model import LIFECYCLES, STATUSES, TIERS
from vitals.domain.rule import CATEGORIES, SEVERITIES

Schema = dict[str, Any]
Fields = Mapping[str, tuple[str, str]]
"""By name: the kind, and what the field says. `kind?` may be null, `[kind]` is a list, `name=` may
be left out; a kind that is one of SHAPES is that shape."""

DIALECT = "https://json-schema.org/draft/2020-12/schema"
REASONS = ("daily", "weekly", "import", "rescore", "model", "existing")
"""Why alerts come as one summary."""

_KINDS: Mapping[str, Schema] = {
    **{kind: {"type": kind} for kind in ("string", "integer", "number", "boolean", "object")},
    "any": {},
    "score": {"type": "integer", "minimum": 0, "maximum": 100},
    "decimal": {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"},
    "day": {"type": "string", "format": "date"},
    "instant": {"type": "string", "format": "date-time"},
    "value": {"type": ["number", "string"]},
    "status": {"enum": list(STATUSES)},
    "tier": {"enum": list(TIERS)},
    "lifecycle": {"enum": list(LIFECYCLES)},
    "severity": {"enum": list(SEVERITIES)},
    "category": {"enum": list(CATEGORIES)},
    "connection_kind": {"enum": list(KINDS)},
    "reason": {"enum": list(REASONS)},
}

_CUSTOMER: Fields = {
    "id": ("string", "ours, for good"),
    "tenant_id": ("string", "your tenant"),
    "external_id": ("string?", "yours"),
    "email_domain": ("string?", "of its people's e-mail addresses"),
    "name": ("string", "as last given"),
    "score": ("score?", "the health score; null while unscored"),
    "status": ("status", "the score's band"),
    "score_exact": ("number?", "the score before it is rounded"),
    "computed_score": ("score?", "what the signals give, whatever is set by hand"),
    "computed_score_exact": ("number?", "that before it is rounded"),
    "computed_status": ("status", "its band"),
    "override": ("object?", "the score set by hand: value, reason, set_by, set_at, expires_at"),
    "coverage": ("number", "share of the weight that has a value, 0 to 1"),
    "low_confidence": ("boolean", "less of the weight is known than the model asks for"),
    "model_version": ("integer", "the model that scored it"),
    "logins=": ("value?", "a signal; so are the next six, and your own by their names"),
    "adoption=": ("value?", "percent of features in use"),
    "tickets=": ("value?", "open tickets"),
    "nps=": ("value?", "Net Promoter Score"),
    "csat=": ("value?", "satisfaction"),
    "days=": ("value?", "days since the last contact"),
    "growth=": ("value?", "how the account grows"),
    "last_contact_on": ("day?", "when somebody last talked to the customer"),
    "mrr": ("number?", "monthly revenue"),
    "arr": ("number?", "yearly revenue"),
    "revenue_basis": ("string?", "which of the two was given"),
    "tier": ("tier?", "how large the account is"),
    "lifecycle": ("lifecycle", "the stage"),
    "lifecycle_auto": ("boolean", "the stage was not set by hand"),
    "churned_on": ("day?", "when the stage became churned"),
    "manager": ("string?", "who looks after it"),
    "tags": ("[string]", "in the order given"),
    "renewal_date": ("day?", "when the contract renews"),
    "next_touch": ("day?", "when the next contact is planned"),
    "since": ("day?", "customer since"),
    "sentiment": ("string?", "positive, neutral or negative"),
    "scoring_profile": ("string?", "the profile that was given"),
    "effective_profile": ("string?", "the profile that weighs"),
    "contributions": ("[object]", "per signal: value, points, weight, contribution"),
    "adjustments": ("[object]", "what an override adds to them"),
    "missing": ("[object]", "signals without a value, and what stands for them"),
    "next_band_change_at": ("instant?", "when time alone changes the band"),
    "next_band_change_to": ("status?", "to which"),
    "expansion_estimate": ("number?", "monthly revenue that may be added"),
    "priority_score": ("number?", "risk × share of revenue × nearness of renewal"),
    "priority": ("object?", "its factors"),
    "momentum": ("integer?", "points that the score moved within the model's days"),
    "momentum_direction": ("string", "rising, falling, steady or unknown"),
    "cadence_status": ("string", "on_track, due_soon or overdue"),
    "days_until_renewal": ("integer?", "negative once it has passed"),
    "renewal_overdue": ("boolean", "the renewal has passed"),
    "created_at": ("instant", "when it was first heard of"),
    "updated_at": ("instant", "when its newest visible version was made"),
    "score_changed_at": ("instant?", "when score or band last moved"),
    "evaluated_at": ("instant", "the instant of which all this is true"),
    "version": ("integer", "grows with every change: what has less is older"),
    "dedupe_id": ("string", "id and version"),
    "deleted_at": ("instant?", "when it went to the trash"),
    "purge_at": ("instant?", "when it is erased from there"),
    "model_current=": ("boolean", "the model is the newest"),
    "custom_fields=": ("object", "your own"),
    "note=": ("string?", "free text"),
    "signals_received=": ("object", "per signal: when it last arrived, and from whom"),
    "path_to_next_band=": ("object?", "what would lift it to the next band"),
}
_BRIEF = (
    "id", "name", "external_id", "score", "status", "tier", "lifecycle", "manager", "mrr",
    "renewal_date", "days_until_renewal", "last_contact_on",
)  # fmt: skip
_ALERT: Fields = {
    "id": ("string", "the same for the same occurrence"),
    "event": ("string", "what the rule looked for"),
    "severity": ("severity", "how urgent it is"),
    "category": ("category", "what it is about"),
    "message": ("string", "it in one sentence"),
    "before": ("any", "the event's own value before; null without one"),
    "after": ("any", "and after"),
    "initial": ("boolean", "there was no score before"),
    "at": ("instant", "when it fired"),
}
SHAPES: Mapping[str, Fields] = {
    "customer": _CUSTOMER,
    "change": {
        "id": ("string", "as in `list_changes`"),
        "version": ("integer", "the customer's version that it made"),
        "action": ("string", "what was called"),
        "cause": ("string", "why: api, contact, decay, rescore, import, delete, restore …"),
        "by": ("string", "the key that did it"),
        "at": ("instant", "when"),
        "model_version": ("integer", "the model that scored it"),
        "changed": (
            "object",
            "by field: `before` and `after`; null is absent; of a contact its id",
        ),
        "contact": ("contact?", "the contact that it reports"),
    },
    "contact": {
        "at": ("instant", "when they talked"),
        "channel": ("string?", "how"),
        "who": ("string?", "who of yours"),
        "note": ("string?", "what came of it"),
    },
    "score_change": {
        "before": ("score?", "the score that stood until then; null while unscored"),
        "after": ("score?", "the score since"),
        "status_before": ("status?", "its band; null for a new customer"),
        "status_after": ("status", "its band since"),
        "moved": ("[moved]", "what moved it, the greatest first"),
    },
    "moved": {
        "signal": ("string", "the signal"),
        "before": ("decimal?", "its part of the score before; null without one"),
        "after": ("decimal?", "its part since"),
        "delta": ("decimal", "the difference; together, the move of the computed score"),
    },
    "alert": _ALERT,
    "alert_customer": {name: _CUSTOMER[name] for name in _BRIEF},
    "digest_alert": {**_ALERT, "customer": ("digest_customer", "whom it is about")},
    "digest_customer": {
        name: _CUSTOMER[name] for name in ("id", "name", "score", "status", "manager", "mrr")
    },
    "rule": {"id": ("string", "the rule's id"), "name": ("string", "its name")},
    "model": {
        "version": ("integer", "the new version"),
        "action": ("string", "what was called"),
        "by": ("string", "the key that did it"),
        "at": ("instant", "when"),
        "note": ("string?", "why, if somebody said so"),
    },
    "report": {
        "name": ("string", "which report"),
        "title": ("string", "what it is called"),
        "subject": ("string", "whom it is about"),
        "format": ("string", "json, csv, html or pdf"),
    },
    "report_schedule": {
        "id": ("string", "the schedule's id"),
        "name": ("string", "its name"),
    },
    "report_period": {
        "from": ("day", "the first day"),
        "to": ("day", "the last"),
    },
    "report_figure": {
        "label": ("string", "what it is"),
        "value": ("string", "what it stands at, in the tenant's language of numbers"),
        "change": ("string?", "what it was before, or by how much it moved"),
    },
    "connection": {
        "id": ("string", "the connection's id"),
        "name": ("string", "its name"),
        "kind": ("connection_kind", "what it is"),
        "shown": ("string", "its address, without what is secret in it"),
    },
}


def payload_schema(kind: str, purpose: str, data: Fields) -> Schema:
    """Return the schema of the whole payload of events of type *kind*, whose data are *data*.

    Fields may be added to any object: a receiver ignores those that it does not know.
    """
    used = dict.fromkeys(_used(data))
    return {
        "$schema": DIALECT,
        "title": kind,
        "description": purpose,
        "type": "object",
        "properties": {
            "id": {
                "type": "string",
                "pattern": r"^msg_[^.]+$",
                "description": "the same each time this event is sent, as `webhook-id`",
            },
            "type": {"const": kind},
            "timestamp": _KINDS["instant"] | {"description": "when it happened"},
            "tenant_id": {"type": "string", "description": "your tenant"},
            "data": object_schema(data),
        },
        "required": ["id", "type", "timestamp", "tenant_id", "data"],
        "$defs": {name: object_schema(SHAPES[name]) for name in sorted(used)},
    }


def object_schema(fields: Fields) -> Schema:
    """Return the schema of an object with *fields*."""
    return {
        "type": "object",
        "properties": {
            name.removesuffix("="): _property(kind) | {"description": meaning}
            for name, (kind, meaning) in fields.items()
        },
        "required": [name for name in fields if not name.endswith("=")],
    }


def _property(kind: str) -> Schema:
    if kind.startswith("["):
        return {"type": "array", "items": _property(kind[1:-1])}
    if kind.endswith("?"):
        return _nullable(_property(kind[:-1]))
    return dict(_KINDS[kind]) if kind in _KINDS else {"$ref": f"#/$defs/{kind}"}


def _nullable(schema: Schema) -> Schema:
    if "enum" in schema:
        return {"enum": [*schema["enum"], None]}
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return schema | {"type": [*kinds, "null"]}


def _used(fields: Fields) -> Iterator[str]:
    """Yield the shapes that *fields* are made of, and those that these are made of."""
    for kind, _ in fields.values():
        name = kind.strip("[]?")
        if name in SHAPES:
            yield name
            yield from _used(SHAPES[name])
