"""list_models, get_model, restore_model, list_config_history: every version a model ever had."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from vitals.domain.access import Tenant
from vitals.domain.audit import AuditEvent
from vitals.domain.errors import (
    FieldError,
    InvalidCursorError,
    ModelNotFoundError,
    ValidationError,
)
from vitals.domain.instants import iso
from vitals.domain.model_document import DEFAULT_MODEL
from vitals.storage.ports import ModelVersion
from vitals.usecases.change_model import (
    ChangeInput,
    Document,
    Wanted,
    change_model,
    config_view,
    current,
)
from vitals.usecases.context import Answer, Context
from vitals.usecases.cursor import cursor, digest, place_of
from vitals.usecases.fields import Instant, whole
from vitals.usecases.inputs import Input, read
from vitals.usecases.paging import Page, filled, paged, place

_ACTIONS = ("update_config", "restore_model", "put_profile", "delete_profile")
Version = Annotated[int, whole(1, 2**53)]


class ModelInput(Input):
    """Which version."""

    version: Version


class RestoreModelInput(ChangeInput):
    """Which version is to be the newest again."""

    version: Version


class ConfigHistoryInput(Page):
    """Changes of the configuration between two instants."""

    since: Instant | None = None
    until: Instant | None = None


def list_models(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return one page of the model's versions, newest first: who saved each, when, and how."""
    parsed, warnings, _ = read(Page, given)
    query = digest("models")
    before = None
    if parsed.cursor is not None:
        [before] = place_of(parsed.cursor, query, int)
        if not 1 <= before < 2**53:
            raise InvalidCursorError("cursor was not issued here: start without one")
    tenant = current(context)
    rows = context.tenants.models(tenant.id, before=before, page=parsed.limit + 1)
    page = filled(rows, parsed.limit, lambda model: _about(model, tenant))
    return paged("list_models", parsed, warnings, page, lambda last: cursor(query, [last.version]))


def get_model(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return one version of the model, whole. Raises ModelNotFoundError."""
    parsed, warnings, _ = read(ModelInput, given)
    tenant = current(context)
    model = _required(context, parsed.version)
    document = {**DEFAULT_MODEL, **model.document}
    shown = config_view(context, tenant, document)
    shown.pop("limits")
    return {
        "action": "get_model",
        "data": {**shown, **_about(model, tenant)},
        "warnings": warnings,
    }


def restore_model(context: Context, given: Mapping[str, Any]) -> Answer:
    """Make an old version the newest again: saved anew, and every customer rescored."""
    parsed, warnings, _ = read(RestoreModelInput, given)
    model = _required(context, parsed.version)

    def change(context: Context, document: Document, tenant: Tenant) -> Wanted:  # noqa: ARG001 - replaces all
        restored = {**DEFAULT_MODEL, **model.document}
        return Wanted(restored, tenant, {"restored_version": model.version})

    return change_model(context, "restore_model", parsed, warnings, change)


def list_config_history(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return one page of the configuration's changes, newest first, with each path's (IQ-194)."""
    parsed, warnings, _ = read(ConfigHistoryInput, given)
    if parsed.since and parsed.until and parsed.since > parsed.until:
        raise ValidationError([FieldError("until", "out_of_range", "must not be before since")])
    query = digest("config", parsed.since, parsed.until)
    rows = context.administration.events(
        context.tenant.id,
        since=parsed.since,
        until=parsed.until,
        after=place(parsed.cursor, query),
    )
    page = filled(rows, parsed.limit, _change_of, _is_change, context.has_time)
    return paged(
        "list_config_history",
        parsed,
        warnings,
        page,
        lambda last: cursor(query, [iso(last.at), last.id]),
    )


def _is_change(event: AuditEvent) -> bool:
    return event.action in _ACTIONS and "changed" in event.details


def _change_of(event: AuditEvent) -> dict[str, Any]:
    return {
        "id": event.id,
        "at": iso(event.at),
        "action": event.action,
        "by": event.by,
        "source_ip": event.source_ip,
        **event.details,
    }


def _required(context: Context, version: int) -> ModelVersion:
    found = next(context.tenants.models(context.tenant.id, before=version + 1, page=1), None)
    if found is None or found.version != version:
        raise ModelNotFoundError(f"the model has no version {version}: list_models lists them")
    return found


def _about(model: ModelVersion, tenant: Tenant) -> dict[str, Any]:
    return {
        "version": model.version,
        "current": model.version == tenant.model_version,
        "at": iso(model.at) if model.at else None,
        "by": model.by,
        "action": model.action,
        "note": model.note,
    }
