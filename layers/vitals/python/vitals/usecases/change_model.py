"""Changing a tenant's model: a new immutable version, its rescore job, or a preview of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Annotated, Any

from vitals.domain.access import Tenant
from vitals.domain.dimensions import grouped, shares
from vitals.domain.documents import differences
from vitals.domain.errors import (
    FieldError,
    ProfileInUseError,
    TenantNotFoundError,
    ValidationError,
    VersionConflictError,
    WeightsTotalError,
)
from vitals.domain.model import WEIGHT_UNIT
from vitals.domain.model_document import DEFAULT_MODEL, weight_units
from vitals.domain.numbers import published
from vitals.storage.codec import decode, encode
from vitals.storage.ports import ModelVersion, TenantChange
from vitals.usecases.administer import Administering, Plan, administer
from vitals.usecases.context import Answer, Context
from vitals.usecases.fields import Flag, Note, whole
from vitals.usecases.inputs import Warning_
from vitals.usecases.jobs import PREVIEW, RESCORE, new_job
from vitals.usecases.model_rules import checked

Document = dict[str, Any]
_DEFAULT: Document = decode(encode(DEFAULT_MODEL))
"""As a stored document is read."""
LARGEST_TOLD = 64 * 1024
MOST_TOLD = 500
SHOWN = 5
"""So many customers are named that still have a profile."""


class ChangeInput(Administering):
    """What every change of the model takes; *if_version* guards the version that it changes.

    A dry run stores nothing but a job, which tells what the change would move.
    """

    if_version: Annotated[int, whole(1, 2**53)] | None = None
    rescore: Flag = True
    note: Note | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be: the model's document, and the tenant's settings beside it."""

    document: Document
    tenant: Tenant
    extra: Mapping[str, Any] = field(default_factory=dict)
    errors: Sequence[FieldError] = ()


def change_model(
    context: Context,
    action: str,
    parsed: ChangeInput,
    warnings: list[Warning_],
    change: Callable[[Context, Document, Tenant], Wanted],
) -> Answer:
    """Return the answer of saving what *change* makes of the document and the tenant.

    A model that differs is a new version and, unless told otherwise, a job that rescores every
    customer; what differs in nothing is `unchanged`. Raises ValidationError, WeightsTotalError,
    VersionConflictError, ProfileInUseError.
    """

    def plan(context: Context) -> Plan:
        tenant = current(context)
        guard_version(parsed, tenant)
        stored = document_of(context, tenant.model_version)
        wanted = change(context, stored, tenant)
        document = _checked(wanted)
        changed = differences(stored, document)
        settings = _settings_changed(tenant, wanted.tenant)
        if changed:
            _refuse_lost_profiles(context, tenant, stored, document)
        if parsed.dry_run:
            job = new_job(context, PREVIEW, {"document": document, "base": tenant.model_version})
            return _plan(context, tenant, document, {**changed, **settings}, job=job)
        if not changed and not settings:
            return _plan(context, tenant, document, {})
        version = tenant.model_version + 1 if changed else tenant.model_version
        after = replace(wanted.tenant, model_version=version, revision=tenant.revision + 1)
        model = ModelVersion(
            tenant_id=tenant.id,
            version=version,
            document=document,
            at=context.now,
            by=context.key.id,
            action=action,
            note=parsed.note,
        )
        about = {"cause": "model", "action": action}
        return _plan(
            context,
            after,
            document,
            {**changed, **settings},
            before=tenant,
            model=model if changed else None,
            job=new_job(context, RESCORE, about) if changed and parsed.rescore else None,
            note=parsed.note,
            extra=wanted.extra,
        )

    def answered(planned: Plan) -> Plan:
        return replace(planned, answer={**planned.answer, "warnings": warnings})

    answer = administer(context, action, lambda context: answered(plan(context)))
    return answer | {"dry_run": True} if parsed.dry_run else answer


def _plan(
    context: Context,
    tenant: Tenant,
    document: Document,
    changed: Mapping[str, Any],
    *,
    before: Tenant | None = None,
    model: ModelVersion | None = None,
    note: str | None = None,
    job: Any = None,
    extra: Mapping[str, Any] | None = None,
) -> Plan:
    return Plan(
        subject=f"model:{tenant.model_version}",
        answer={
            "unchanged": not changed,
            "model_version": tenant.model_version,
            "job_id": job.id if job else None,
            "changed": changed,
            **(extra or {}),
            "data": config_view(context, tenant, document),
        },
        details={"model_version": tenant.model_version, "changed": _told(changed), "note": note}
        if before
        else {"model_version": tenant.model_version, "preview": job.id if job else None},
        tenants=[TenantChange(before, tenant)] if before else [],
        models=[model] if model else [],
        job=job,
    )


def _checked(wanted: Wanted) -> Document:
    """Return the document, fit to be saved. Raises ValidationError naming every field at fault."""
    try:
        document = checked(wanted.document)
    except ValidationError as refused:
        raise ValidationError([*wanted.errors, *refused.errors]) from None
    except WeightsTotalError:
        if not wanted.errors:
            raise
    if wanted.errors:
        raise ValidationError(wanted.errors)
    return document


def current(context: Context) -> Tenant:
    """Return the caller's tenant as last written: a change builds on nothing older."""
    found = context.tenants.tenant(context.tenant.id, consistent=True)
    if found is None:
        raise TenantNotFoundError("the API key's tenant is no more")
    return found


def guard_version(parsed: ChangeInput, tenant: Tenant) -> None:
    """Raise VersionConflictError unless the newest model is what `if_version` names."""
    if parsed.if_version not in (None, tenant.model_version):
        raise VersionConflictError(
            f"if_version is {parsed.if_version}, the model is at version {tenant.model_version}: "
            "read it again and decide anew",
            extra={"if_version": parsed.if_version, "version": tenant.model_version},
        )


def document_of(context: Context, version: int) -> Document:
    """Return the document of one version, with every setting that is younger than it."""
    found = context.tenants.model_document(context.tenant.id, version, consistent=True)
    if found is None:
        raise LookupError(f"tenant {context.tenant.id} has no model version {version}")
    return {**_DEFAULT, **found}


def config_view(context: Context, tenant: Tenant, document: Document) -> dict[str, Any]:
    """Return the whole configuration as answers show it; what follows from it comes first."""
    weights = {name: given["weight"] for name, given in document["signals"].items()}
    limits = {
        name: getattr(tenant, f"limit_{name}") or most for name, most in context.limits.items()
    }
    return {
        "version": tenant.model_version,
        "weights": weights,
        "total_weight": _sum(weights.values()),
        "dimensions": _dimensions(document),
        **document,
        "limits": limits,
    }


def _dimensions(document: Document) -> dict[str, Any]:
    """Return each dimension with its signals, what they weigh together, and their share of all.

    Shares are to four decimals and sum to exactly 1.
    """
    signals = document["signals"]
    found = grouped((name, given.get("dimension", "other")) for name, given in signals.items())
    totals = [
        sum(weight_units(signals[name]["weight"]) for name in names) for names in found.values()
    ]
    return {
        dimension: {
            "weight": _sum(signals[name]["weight"] for name in names),
            "share": share,
            "signals": names,
        }
        for (dimension, names), share in zip(found.items(), shares(totals), strict=True)
    }


def _told(changed: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return *changed* as the audit keeps it: of what is too much, the paths alone."""
    if len(encode(changed).encode()) <= LARGEST_TOLD:
        return changed
    return dict.fromkeys(list(changed)[:MOST_TOLD], "see the two model versions")


def _sum(weights: Any) -> Any:
    return published(sum(map(weight_units, weights)) * 10_000 // WEIGHT_UNIT)


def _settings_changed(before: Tenant, after: Tenant) -> dict[str, Any]:
    names = [each.name for each in fields(Tenant) if each.name.startswith("limit_")]
    return {
        name.replace("limit_", "limits."): [getattr(before, name), getattr(after, name)]
        for name in names
        if getattr(before, name) != getattr(after, name)
    }


def _refuse_lost_profiles(
    context: Context, tenant: Tenant, before: Document, after: Document
) -> None:
    """Raise ProfileInUseError if a customer has a profile that is to go; 1 read of the roster."""
    lost = before["profiles"].keys() - after["profiles"].keys()
    if not lost:
        return
    holders = [
        customer
        for customer in context.customers.roster(tenant)
        if customer.scoring_profile in lost
    ]
    if holders:
        named = ", ".join(repr(each.name) for each in holders[:SHOWN])
        raise ProfileInUseError(
            f"{len(holders)} customers have the profile {', '.join(sorted(lost))}, among them "
            f"{named}: give them another first",
            extra={"profiles": sorted(lost), "customers": len(holders)},
        )
