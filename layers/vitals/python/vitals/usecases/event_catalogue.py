"""list_event_types, sample_events: every event that is told, its shape, an example."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any, Final

from vitals.domain import events, notice
from vitals.usecases.context import Answer, Context
from vitals.usecases.event_schemas import Fields, Schema, payload_schema
from vitals.usecases.fields import one_of, whole
from vitals.usecases.inputs import Input, read

_OF_CHANGE: Fields = {
    "customer": ("customer", "the customer since"),
    "change": ("change", "what changed, by whom and why"),
    "score": ("score_change", "what it did to the score, and by which signals"),
}
_OF_ALERTS: Fields = {
    "rule": ("rule", "whose alerts these are"),
    "customer": ("alert_customer", "the customer when they fired"),
    "alerts": ("[alert]", "what fired for this customer at once"),
    "moved": ("[moved]", "what moved the score, the greatest first"),
    "mrr_exposed": ("number?", "the customer's monthly revenue"),
    "at": ("instant", "when they fired; of an escalation, when that was"),
}


@dataclass(frozen=True, slots=True)
class EventType:
    """One type of event: its *purpose*, *when* it is sent, and the fields of its *data*."""

    type: str
    purpose: str
    when: str
    data: Fields

    @property
    def schema(self) -> Schema:
        """Return the JSON Schema of the whole payload."""
        return payload_schema(self.type, self.purpose, self.data)

    @property
    def example(self) -> dict[str, Any]:
        """Return a payload as the real builders make it."""
        return sample(self.type)


def sample(kind: str, tenant_id: str | None = None) -> dict[str, Any]:
    """Return the example of type *kind*, as if it had happened in *tenant_id*."""
    # Who saves a subscription looks up the types alone.
    from vitals.usecases.event_examples import TENANT, examples  # noqa: PLC0415 - see above

    return examples(tenant_id or TENANT)[kind].payload()


_ALL: Final = (
    EventType(
        events.CREATED,
        "A customer is new",
        "The first write of a customer, by whichever way it came.",
        _OF_CHANGE,
    ),
    EventType(
        events.UPDATED,
        "Facts of a customer changed",
        "Any field or signal changed, by itself or by a write. A score that moves alone is "
        "`health.changed`; a write of what is stored already is nothing.",
        _OF_CHANGE,
    ),
    EventType(
        events.DELETED,
        "A customer went to the trash",
        "Once, when it is deleted; it can be restored for 30 days. One that is erased at once "
        "leaves nothing to tell of.",
        _OF_CHANGE,
    ),
    EventType(
        events.RESTORED,
        "A customer came back from the trash",
        "By `restore_customer`, or by a write with `on_deleted: restore`.",
        _OF_CHANGE,
    ),
    EventType(
        events.CONTACT_LOGGED,
        "Somebody talked to a customer",
        "`log_contact`, also for a contact older than the last one. `change.contact` has who, how "
        "and what.",
        _OF_CHANGE,
    ),
    EventType(
        events.HEALTH_CHANGED,
        "The published score or its band moved",
        "By a write, by time (`change.cause` is `decay`) or by a new model (`rescore`); also the "
        "first score.",
        _OF_CHANGE,
    ),
    EventType(
        events.HEALTH_DROPPED,
        "A customer fell to a worse band",
        "With `health.changed`, if both bands are known. From or to `unscored` is no fall.",
        _OF_CHANGE,
    ),
    EventType(
        events.HEALTH_IMPROVED,
        "A customer rose to a better band",
        "With `health.changed`, if both bands are known. From or to `unscored` is no rise.",
        _OF_CHANGE,
    ),
    EventType(
        events.LIFECYCLE_CHANGED,
        "A customer's stage changed",
        "By hand, or by itself when the band fell to at risk or recovered "
        "(`customer.lifecycle_auto`).",
        _OF_CHANGE,
    ),
    EventType(
        events.RENEWAL_APPROACHING,
        "A renewal came within a window",
        "Once for each window and renewal date, on the day that it is entered; the windows are "
        "your model's `renewal_windows`.",
        {
            "customer": ("customer", "the customer then"),
            "renewal_date": ("day", "when the contract renews"),
            "window_days": ("integer", "the window that was entered, in days"),
        },
    ),
    EventType(
        events.CONTACT_OVERDUE,
        "Nobody talked to a customer for too long",
        "Once for each day of last contact, when its tier's `cadence` says overdue.",
        {
            "customer": ("customer", "the customer then"),
            "since": ("day", "the last contact; of a customer never contacted, its creation"),
        },
    ),
    EventType(
        events.MODEL_CHANGED,
        "The scoring model has a new version",
        "`update_config`, `put_profile`, `delete_profile` or `restore_model`, before customers "
        "are scored anew.",
        {
            "model": ("model", "the new version, who made it and why"),
            "changed": ("[string]", "the paths that differ from the version before"),
        },
    ),
    EventType(
        notice.FIRED,
        "A rule fired for a customer",
        "At once, if the rule says so: everything that fired for one customer together.",
        _OF_ALERTS,
    ),
    EventType(
        notice.ESCALATED,
        "Nobody acknowledged a critical alert",
        "Once, after the time that the rule gives.",
        _OF_ALERTS,
    ),
    EventType(
        notice.DIGEST,
        "A rule's alerts in one summary",
        "Daily or weekly, if the rule says so; or at once in place of a flood, by an import, a "
        "model or a rule that tells of what holds already.",
        {
            "rule": ("rule", "whose alerts these are"),
            "reason": ("reason", "why they come together"),
            "from": ("instant?", "when the first of them fired; null without any"),
            "to": ("instant", "as of when"),
            "count": ("integer", "how many there are"),
            "mrr_exposed": ("number?", "the monthly revenue of their customers"),
            "alerts": ("[digest_alert]", f"the first {notice.MOST_LISTED} of them"),
        },
    ),
    EventType(
        notice.REPORT_READY,
        "A report was made",
        "A report schedule is due, or `send_report`; to the connections that it names, and to "
        "subscriptions without a filter.",
        {
            "report": ("report", "which, of whom, in which form"),
            "schedule": ("report_schedule?", "the schedule that it follows; null for none"),
            "test": ("boolean", "it was sent to try it"),
            "as_of": ("instant", "the instant that it is true of"),
            "time_zone": ("string", "the zone of its days"),
            "period": ("report_period?", "what it looks back on"),
            "filters": ("object", "whom it is about, by manager, tier, lifecycle and tag"),
            "headlines": ("[string]", "what matters in it"),
            "figures": ("[report_figure]", "its key figures"),
            "link": ("string?", "where its file is; whoever has the link may read it"),
            "link_until": ("instant", "when the file goes"),
        },
    ),
    EventType(
        notice.DISABLED,
        "A connection was closed",
        "It answered 410, or failed for days; nothing is sent there until you enable it.",
        {
            "connection": ("connection", "which"),
            "reason": ("string", "why"),
            "at": ("instant", "when"),
        },
    ),
    EventType(
        notice.TEST,
        "A connection is tried",
        "`test_connection`, whatever the subscription asks for.",
        {
            "connection": ("connection", "which"),
            "message": ("string", "for people"),
        },
    ),
)
EVENT_TYPES: Final[Mapping[str, EventType]] = {each.type: each for each in _ALL}
"""Every type of event by its name."""


class SampleInput(Input):
    """Which type of event, and how many of them at most."""

    type: Annotated[str, one_of(*EVENT_TYPES)]
    limit: Annotated[int, whole(1, 100)] = 3


def list_event_types(context: Context, given: Mapping[str, Any]) -> Answer:  # noqa: ARG001 - as all
    """Return every type of event with its purpose, JSON Schema and an example."""
    _, warnings, _ = read(Input, given)
    return {
        "action": "list_event_types",
        "data": [
            {
                "type": each.type,
                "purpose": each.purpose,
                "when": each.when,
                "schema": each.schema,
                "example": each.example,
            }
            for each in _ALL
        ],
        "warnings": warnings,
    }


_LOOKED_AT = 100


def sample_events(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return the bare array of the newest events of one type that were sent, else an example.

    Of the last deliveries alone: whoever sets up a Zap wants to see what comes.
    """
    parsed, warnings, _ = read(SampleInput, given)
    deliveries, tenant_id = context.outbound.deliveries, context.tenant.id
    newest: dict[str, str] = {}
    # What a report says is for its receivers: theirs are the links in it.
    sent = () if parsed.type == notice.REPORT_READY else deliveries.all(tenant_id, page=_LOOKED_AT)
    for each in islice(sent, _LOOKED_AT):
        if each.event_type == parsed.type:
            newest.setdefault(each.event_id, each.id)
    real = (deliveries.get(tenant_id, each) for each in islice(newest.values(), parsed.limit))
    found = [dict(each.payload) for each in real if each is not None]
    found = found or [sample(parsed.type, tenant_id)]
    return {
        "action": "sample_events",
        "data": found,
        "warnings": warnings,
        "shape": "array",
    }
