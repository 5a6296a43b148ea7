"""Tenants, by whoever runs the platform: created with a sandbox, listed, suspended, deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any

from vitals.domain.access import SCOPES, ApiKey, Tenant
from vitals.domain.errors import FieldError, TenantNotFoundError, ValidationError
from vitals.domain.instants import iso
from vitals.domain.job import Job
from vitals.domain.model_document import DEFAULT_MODEL
from vitals.storage.ports import KeyChange, ModelVersion, TenantChange
from vitals.usecases.administer import Administering, Plan, administer
from vitals.usecases.api_keys import PREFIX, key_view
from vitals.usecases.config import LIMITS, Objects, limited
from vitals.usecases.context import Answer, Context
from vitals.usecases.cursor import cursor, digest
from vitals.usecases.decay import first_due
from vitals.usecases.fields import Flag, Name, Short, whole
from vitals.usecases.inputs import Warning_, read
from vitals.usecases.jobs import DELETE_TENANT, new_job
from vitals.usecases.paging import Page, filled, paged, place
from vitals.usecases.runner import OutOfTimeError, Run

SETTLED = timedelta(seconds=330)
"""Whoever was let in may write for a minute, and a job that runs goes on for five."""
SANDBOX_READS, SANDBOX_WRITES, SANDBOX_RECORDS = 200, 60, 1000
SANDBOX_EVENTS, SANDBOX_BATCHES, SANDBOX_IMPORTS = 6000, 60, 10
"""What a sandbox may do in a minute: it is for trying things out (LU-012)."""


class CreateTenantInput(Administering):
    """A tenant and its first key; *shards* is fixed for good (1, or 16 for the largest)."""

    name: Name
    key_name: Name = "first key"
    shards: Annotated[int, whole(1, 64)] = 1


class TenantInput(Administering):
    """Which tenant."""

    tenant_id: Short


class UpdateTenantInput(TenantInput):
    """A tenant's name and limits; a limit of null is the deployment's."""

    name: Name | None = None
    limits: Objects | None = None


class SuspendInput(TenantInput):
    """*suspended* false resumes it."""

    suspended: Flag = True


class DeleteTenantInput(TenantInput):
    """*confirm* is the tenant's name: what is deleted is gone for good."""

    confirm: Name


def new_tenant(
    name: str, shards: int, now: datetime, live_id: str, sandbox_id: str
) -> tuple[list[TenantChange], list[ModelVersion]]:
    """Return a tenant and its sandbox, each with version 1 of its model, as an act makes them."""
    live = Tenant(live_id, name, now, shards=shards, sandbox_id=sandbox_id)
    sandbox = Tenant(
        sandbox_id,
        f"{name} (sandbox)",
        now,
        limit_reads=SANDBOX_READS,
        limit_writes=SANDBOX_WRITES,
        limit_records=SANDBOX_RECORDS,
        limit_events=SANDBOX_EVENTS,
        limit_batches=SANDBOX_BATCHES,
        limit_imports=SANDBOX_IMPORTS,
        sandbox_of=live_id,
    )
    both = (live, sandbox)
    models = [
        ModelVersion(tenant_id=each.id, version=1, document=DEFAULT_MODEL, at=now) for each in both
    ]
    return [TenantChange(None, each, first_due(now)) for each in both], models


def create_tenant(context: Context, given: Mapping[str, Any]) -> Answer:
    """Create a tenant with its sandbox and a first key, shown this once, of a tenant's scopes."""
    parsed, warnings, _ = read(CreateTenantInput, given)

    def plan(context: Context) -> Plan:
        now = context.now
        tenants, models = new_tenant(
            parsed.name, parsed.shards, now, context.new_id(now), context.new_id(now)
        )
        live = tenants[0].after
        secret, hashed = context.new_key(True)
        key = ApiKey(
            context.new_id(now), live.id, parsed.key_name, SCOPES, now, prefix=secret[:PREFIX]
        )
        return Plan(
            subject=live.id,
            answer={"data": {**tenant_view(live), "key": key_view(key)}, "warnings": warnings},
            details={"name": live.name, "sandbox_id": live.sandbox_id, "key_id": key.id},
            keys=[KeyChange(None, key, hashed)],
            tenants=tenants,
            models=models,
            secret={"api_key": secret},
        )

    return administer(context, "create_tenant", plan, dry_run=parsed.dry_run)


def list_tenants(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return one page of the tenants, newest first."""
    parsed, warnings, _ = read(Page, given)
    query = digest("tenants")
    rows = context.tenants.all_tenants(after=place(parsed.cursor, query), page=parsed.limit + 1)
    page = filled(rows, parsed.limit, tenant_view)
    return paged(
        "list_tenants",
        parsed,
        warnings,
        page,
        lambda last: cursor(query, [iso(last.created_at), last.id]),
    )


def update_tenant(context: Context, given: Mapping[str, Any]) -> Answer:
    """Name a tenant anew, or set what it may do in a minute, above the default too (LU-075)."""
    parsed, warnings, _ = read(UpdateTenantInput, given)

    def plan(context: Context) -> Plan:
        [tenant, *_] = _both(context, parsed.tenant_id, sandbox=True)
        errors: list[FieldError] = []
        after = limited(context, tenant, parsed.limits or {}, errors)
        if errors:
            raise ValidationError(errors)
        after = replace(after, name=parsed.name or tenant.name)
        if after == tenant:
            return _plan(tenant, [], warnings, {})
        change = TenantChange(tenant, replace(after, revision=tenant.revision + 1))
        details = {"name": after.name, "limits": parsed.limits}
        return _plan(change.after, [change], warnings, details)

    return administer(context, "update_tenant", plan, dry_run=parsed.dry_run)


def suspend_tenant(context: Context, given: Mapping[str, Any]) -> Answer:
    """Close a tenant and its sandbox to every request, within half a minute, or open them again."""
    parsed, warnings, _ = read(SuspendInput, given)

    def plan(context: Context) -> Plan:
        at = context.now if parsed.suspended else None
        _refuse_own(context, parsed.tenant_id)
        both = _both(context, parsed.tenant_id)
        changes = [
            TenantChange(each, replace(each, suspended_at=at, revision=each.revision + 1))
            for each in both
            if bool(each.suspended_at) != parsed.suspended
        ]
        shown = next((c.after for c in changes if c.after.id == both[0].id), both[0])
        return _plan(shown, changes, warnings, {"suspended": parsed.suspended})

    return administer(context, "suspend_tenant", plan, dry_run=parsed.dry_run)


def delete_tenant(context: Context, given: Mapping[str, Any]) -> Answer:
    """Close a tenant and its sandbox for good, and start the job that erases everything of them.

    One whose job failed may be deleted again.
    """
    parsed, warnings, _ = read(DeleteTenantInput, given)

    def plan(context: Context) -> Plan:
        both = _both(context, parsed.tenant_id, deleted=True)
        if parsed.confirm != both[0].name:
            message = f"must be the tenant's name, {both[0].name!r}"
            raise ValidationError([FieldError("confirm", "conflicting_fields", message)])
        _refuse_own(context, parsed.tenant_id)
        changes = [
            TenantChange(each, replace(each, deleted_at=context.now, revision=each.revision + 1))
            for each in both
            if each.deleted_at is None
        ]
        # The sandbox first: as long as the tenant is there, it can be asked for again.
        gone = [{"id": each.id, "shards": each.shards} for each in reversed(both)]
        job = new_job(context, DELETE_TENANT, {"tenants": gone})
        closed = changes[0].after if changes else both[0]
        planned = _plan(closed, changes, warnings, {"name": both[0].name})
        return replace(planned, job=job, answer={"job_id": job.id, **planned.answer})

    return administer(context, "delete_tenant", plan, dry_run=parsed.dry_run)


def run_delete(context: Context, run: Run, job: Job) -> dict[str, Any]:
    """Erase what is the tenants' once nothing more can come (AMB-13).

    A batch or a job that was under way when its tenant was closed may write for a while; what it
    wrote between two reads of the erasure would be found by nothing.
    """
    left = min(SETTLED, job.created_at + SETTLED - context.clock())
    run.wait(left)
    for given in job.params["tenants"]:
        tenant = Tenant(given["id"], "", job.created_at, shards=given["shards"])
        erased = context.tenants.erase(tenant, context.has_time)
        if erased is None:
            raise OutOfTimeError
        run.progress({"erased": run.job.progress.get("erased", 0) + erased})
    return {**run.job.progress}


def tenant_view(tenant: Tenant) -> dict[str, Any]:
    """Return *tenant* as answers show it."""
    instants = ("created_at", "suspended_at", "deleted_at")
    shown = {name: getattr(tenant, name) for name in instants}
    return {
        "id": tenant.id,
        "name": tenant.name,
        "shards": tenant.shards,
        "sandbox_id": tenant.sandbox_id,
        "sandbox_of": tenant.sandbox_of,
        "limits": {name: getattr(tenant, f"limit_{name}") for name in LIMITS},
        **{name: iso(at) if at else None for name, at in shown.items()},
    }


def _plan(
    tenant: Tenant,
    changes: list[TenantChange],
    warnings: list[Warning_],
    details: Mapping[str, Any],
) -> Plan:
    return Plan(
        subject=tenant.id,
        answer={"unchanged": not changes, "data": tenant_view(tenant), "warnings": warnings},
        details=details,
        tenants=changes,
    )


def _refuse_own(context: Context, tenant_id: str) -> None:
    """Refuse to close the tenant that the key is of: nobody could open it again."""
    if tenant_id in {context.tenant.id, context.tenant.sandbox_of}:
        message = "must be another tenant than the key's own"
        raise ValidationError([FieldError("tenant_id", "out_of_range", message)])


def _both(
    context: Context, tenant_id: str, *, deleted: bool = False, sandbox: bool = False
) -> list[Tenant]:
    """Return a tenant, and its sandbox if it has one, or a *sandbox* alone if that may be meant.

    Raises TenantNotFoundError, ValidationError.
    """
    found = context.tenants.tenant(tenant_id, consistent=True)
    if found is None or (found.deleted_at is not None and not deleted):
        raise TenantNotFoundError(f"no tenant has id {tenant_id!r}: list_tenants lists them")
    if found.sandbox_of is not None and not sandbox:
        message = f"is a sandbox: name the tenant that it belongs to, {found.sandbox_of}"
        raise ValidationError([FieldError("tenant_id", "out_of_range", message)])
    other = found.sandbox_id and context.tenants.tenant(found.sandbox_id, consistent=True)
    return [found, other] if other else [found]
