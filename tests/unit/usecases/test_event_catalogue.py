"""The catalogue: its schemas describe what is sent, all of it, and its examples are sent so."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from tests.builders import NOW, TENANT_ID, TODAY, a_context, a_customer, a_model
from tests.unit.histories import MODELS, Written, histories

from vitals.domain import events, notice
from vitals.domain.alert import Alert, customer_brief
from vitals.domain.customer import Customer
from vitals.domain.errors import ValidationError
from vitals.domain.events import Event, change_events, moved
from vitals.domain.instants import iso
from vitals.domain.rule import HEALTH_BELOW, Rule, Trigger
from vitals.domain.standing import Standing
from vitals.domain.view import customer_view
from vitals.storage.codec import encode
from vitals.usecases.event_catalogue import EVENT_TYPES, list_event_types, sample_events
from vitals.usecases.event_schemas import SHAPES, object_schema

FORMATS = FormatChecker(["date"])
KINDS = sorted(EVENT_TYPES)
Json = dict[str, Any]


@FORMATS.checks("date-time", raises=ValueError)
def _is_instant(value: object) -> bool:
    """Tell whether *value* is an instant as this product writes them, the only form there is."""
    return not isinstance(value, str) or iso(datetime.fromisoformat(value)) == value


VALIDATORS = {
    kind: Draft202012Validator(each.schema, format_checker=FORMATS)
    for kind, each in EVENT_TYPES.items()
}


def sent(event: Event) -> Json:
    """Return what a receiver reads."""
    body: Json = json.loads(encode(event.payload()))
    return body


def faults(payload: Mapping[str, Any]) -> list[str]:
    return [fault.message for fault in VALIDATORS[payload["type"]].iter_errors(payload)]


def view(customer: Customer, at: datetime, *, whole: bool = False) -> Json:
    model = MODELS[customer.model_version - 1]
    return customer_view(customer, model, at, UTC, 10_000, whole=whole)


@pytest.mark.parametrize("kind", KINDS)
def test_an_example_is_what_its_schema_says(kind: str) -> None:
    described = EVENT_TYPES[kind]
    Draft202012Validator.check_schema(described.schema)
    example = json.loads(encode(described.example))
    assert example["type"] == described.schema["title"] == kind
    assert faults(example) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_payload_without_a_field_is_no_such_event(kind: str) -> None:
    example = json.loads(encode(EVENT_TYPES[kind].example))
    for place in ([], ["data"], *(["data", name] for name in example["data"])):
        for broken in without_one(example, place):
            assert faults(broken)


def without_one(payload: Json, place: list[str]) -> Iterator[Json]:
    """Yield *payload* without each field in turn that every object at *place* has."""
    found: Any = payload
    for name in place:
        found = found[name]
    if not isinstance(found, dict) or place == ["data", "filters"]:
        return
    # By name anything may stand in it; of filters, those that were asked for.
    optional = {"logins", "adoption", "tickets", "nps", "csat", "days", "growth"}
    for name in found.keys() - optional - {"type"}:
        broken = json.loads(json.dumps(payload))
        inside = broken
        for step in place:
            inside = inside[step]
        del inside[name]
        yield broken


def test_a_schema_leaves_room_for_fields_to_come() -> None:
    for each in EVENT_TYPES.values():
        assert faults({**each.example, "later": 1, "data": {**each.example["data"], "x": 1}}) == []


def test_a_wrong_type_is_refused_however_deep() -> None:
    example = json.loads(encode(EVENT_TYPES["health.dropped"].example))
    for path, wrong in {
        ("id",): "msg_1.2",
        ("timestamp",): "2026-03-02",
        ("type",): "health.changed",
        ("data", "score", "before"): 101,
        ("data", "score", "status_after"): "fine",
        ("data", "score", "moved", 0, "delta"): "1E+2",
        ("data", "customer", "tier"): "huge",
        ("data", "customer", "renewal_date"): "soon",
        ("data", "change", "contact"): {"at": "2026-03-02T12:00:00.000Z"},
    }.items():
        broken = json.loads(json.dumps(example))
        inside = broken
        for step in path[:-1]:
            inside = inside[step]
        inside[path[-1]] = wrong
        assert not VALIDATORS["health.dropped"].is_valid(broken), path


def test_every_event_that_is_made_is_in_the_catalogue_and_no_other() -> None:
    named = {
        value
        for module in (events, notice)
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, str) and "." in value
    }
    assert named == set(EVENT_TYPES)


def test_the_shape_of_a_customer_names_every_field_that_answers_show() -> None:
    described = object_schema(SHAPES["customer"])
    shown = a_context().view(a_customer())
    assert shown.keys() == set(described["properties"])
    whole_only = shown.keys() - view(a_customer(), NOW).keys()
    signals = {signal.name for signal in a_model().signals}
    assert set(described["properties"]) - set(described["required"]) == whole_only | signals


@given(histories(), st.booleans())
def test_what_follows_from_any_change_is_what_the_catalogue_says(
    history: list[Written], whole: bool
) -> None:
    for before, after, change in history:
        shown = view(after, change.at, whole=whole)
        for event in change_events(TENANT_ID, before, after, change, shown):
            assert faults(sent(event)) == []


@given(histories())
def test_what_time_alone_tells_is_what_the_catalogue_says(history: list[Written]) -> None:
    _, after, change = history[-1]
    shown, at = view(after, change.at), change.at
    renewal = events.renewal_approaching(
        TENANT_ID, after.id, shown, window_days=30, renewal_date=TODAY, at=at
    )
    overdue = events.contact_overdue(TENANT_ID, after.id, shown, TODAY, at)
    assert faults(sent(renewal)) == faults(sent(overdue)) == []


@given(histories())
def test_what_alerts_tell_of_any_customer_is_what_the_catalogue_says(
    history: list[Written],
) -> None:
    before, after, change = history[-1]
    rule = Rule(
        id="R", tenant_id=TENANT_ID, name="R", triggers=(Trigger(HEALTH_BELOW, 50),), enabled_at=NOW
    )
    alert = Alert(
        id="A",
        tenant_id=TENANT_ID,
        customer_id=after.id,
        customer=customer_brief(Standing(after, MODELS[after.model_version - 1], change.at)),
        rule_id=rule.id,
        rule_name=rule.name,
        event=HEALTH_BELOW,
        trigger=HEALTH_BELOW,
        severity="critical",
        category="health",
        message="Score fell",
        before=before.score if before else None,
        after=after.score,
        initial=before is None,
        at=change.at,
        moved=tuple(moved(change)),
    )
    for event in (
        notice.alert_fired([alert]),
        notice.alert_escalated(alert, change.at + timedelta(hours=1)),
        notice.alert_digest(rule, "weekly", [notice.digest_line(alert)], change.at, ""),
        notice.alert_digest(rule, "existing", [], change.at, ""),
    ):
        assert faults(sent(event)) == []


def test_the_types_are_listed_with_all_that_a_receiver_needs() -> None:
    answer = list_event_types(a_context(), {})
    assert [each["type"] for each in answer["data"]] == list(EVENT_TYPES)
    for each in answer["data"]:
        assert each.keys() == {"type", "purpose", "when", "schema", "example"}
        assert each["purpose"]
        assert each["when"].endswith(".")


@pytest.mark.parametrize("kind", KINDS)
def test_samples_are_a_bare_array_in_the_shape_that_is_sent(kind: str) -> None:
    nothing_sent = Mock(outbound=Mock(**{"deliveries.all.return_value": iter(())}))
    nothing_sent.tenant.id = TENANT_ID
    answer = sample_events(nothing_sent, {"type": kind, "limit": "1"})
    assert answer["shape"] == "array"
    [sample] = answer["data"]
    assert sample["type"] == kind
    assert sample["tenant_id"] == TENANT_ID
    assert sample["data"].get("customer", {}).get("tenant_id", TENANT_ID) == TENANT_ID
    assert faults(json.loads(encode(sample))) == []


@pytest.mark.parametrize("given", [{}, {"type": "health.exploded"}, {"type": "", "limit": 1}])
def test_samples_of_no_known_type_are_refused(given: Json) -> None:
    with pytest.raises(ValidationError) as refused:
        sample_events(a_context(), given)
    assert [error.field for error in refused.value.errors] == ["type"]
