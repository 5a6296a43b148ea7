"""The fields of a customer as callers send them, read into a patch (IQ-027 to 048)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any, ClassVar, TypeVar

from vitals.domain.computed import EVENTS
from vitals.domain.curves import Value
from vitals.domain.errors import FieldError, ValidationError
from vitals.domain.instants import months_after
from vitals.domain.model import CONTACT, ScoringModel
from vitals.domain.numbers import Number, cents, ratio, round_half_up
from vitals.domain.patch import OverrideRequest, Patch
from vitals.usecases.address_fields import Domain
from vitals.usecases.context import Context
from vitals.usecases.fields import (
    Amount,
    Custom,
    Day,
    Flag,
    Instant,
    Lifecycle,
    Name,
    Note,
    Percent,
    Sentiment,
    Short,
    Tags,
    Tier,
    whole,
)
from vitals.usecases.inputs import (
    Warning_,
    WriteReference,
    read,
    unknown_errors,
)
from vitals.usecases.signal_input import joined, read_signals

LONGEST_AGO = 36_500
"""No contact is reported from longer ago than a century."""


class CustomerInput(WriteReference):
    """A customer's fields; the model's signals stand beside them, or under `signals`."""

    aliases: ClassVar[Mapping[str, str]] = {
        "customer_since": "since",
        "last_contact_on": "last_contact_date",
    }

    email_domain: Domain | None = None
    mrr: Amount | None = None
    arr: Amount | None = None
    tier: Tier | None = None
    lifecycle: Lifecycle | None = None
    manager: Name | None = None
    tags: Tags | None = None
    add_tags: Tags | None = None
    remove_tags: Tags | None = None
    renewal_date: Day | None = None
    months_to_renewal: Annotated[int, whole(0, 1200)] | None = None
    next_touch: Day | None = None
    since: Day | None = None
    sentiment: Sentiment | None = None
    note: Note | None = None
    scoring_profile: Short | None = None
    last_contact_date: Day | None = None
    custom_fields: Custom | None = None
    signals: Custom | None = None
    score: Percent | None = None
    override_reason: Note | None = None
    override_expires_at: Instant | None = None
    override_sticky: Flag = False


_PLAIN = (
    "mrr", "arr", "tier", "lifecycle", "manager", "tags", "renewal_date", "next_touch", "since",
    "sentiment", "note", "scoring_profile",
)  # fmt: skip
_OVERRIDE_EXTRAS = ("override_reason", "override_expires_at", "override_sticky")

WRITABLE = (
    *_PLAIN, "name", "external_id", "email_domain", "add_tags", "remove_tags",
    "last_contact_date", "custom_fields", "score",
)  # fmt: skip
"""The fields that update_health sets, beside the model's signals."""


AnyCustomer = TypeVar("AnyCustomer", bound=CustomerInput)


def read_customer(
    context: Context, given: Mapping[str, Any], kind: type[AnyCustomer]
) -> tuple[AnyCustomer, Patch, list[Warning_]]:
    """Return *given* as parsed options, the patch it asks for, and warnings.

    The patch leaves the name, external_id and email_domain to whoever knows who has them.
    Raises ValidationError naming every field that was refused.
    """
    model = context.model
    errors: list[FieldError] = []
    parsed, warnings, raw = _read_good(kind, given, model, errors)
    if parsed.signals is not None:
        raw, more = joined(raw, parsed.signals, model, errors)
        warnings += more
        if parsed.strict:
            errors += unknown_errors(more)
    signals = read_signals(raw, model, errors, warnings)
    errors += _not_owned(context, model, signals)
    fields = _fields(context, parsed, signals, errors, warnings)
    override = _override(context, parsed, errors, warnings)
    if errors:
        raise ValidationError(errors)
    sent = parsed.model_fields_set
    contact = {CONTACT} if "last_contact_on" in fields else set()
    signals.pop(CONTACT, None)
    patch = Patch(
        fields=fields,
        signals=signals,
        given=frozenset(signals.keys() | contact),
        add_tags=parsed.add_tags or (),
        remove_tags=parsed.remove_tags or (),
        custom_fields=parsed.custom_fields,
        override=override,
        clear_override="score" in sent and parsed.score is None,
    )
    return parsed, patch, warnings


def _not_owned(
    context: Context, model: ScoringModel, signals: Mapping[str, Value | None]
) -> list[FieldError]:
    """Return an error for each of *signals* that another owns (AMB-60)."""
    owners = ((name, model.by_name[name].owner) for name in signals)
    return [
        FieldError(name, "not_owner", f"is computed from {EVENTS} alone: it is not pushed")
        if owner == EVENTS
        else FieldError(name, "not_owner", f"is owned by the key {owner!r}: no other may push it")
        for name, owner in owners
        if owner is not None and (owner == EVENTS or owner != context.key.name)
    ]


def _read_good(
    kind: type[AnyCustomer],
    given: Mapping[str, Any],
    model: ScoringModel,
    errors: list[FieldError],
) -> tuple[AnyCustomer, list[Warning_], dict[str, Any]]:
    """Return what `read` makes of the good fields of *given*; *errors* gather the others."""
    try:
        return read(kind, given, also=model.names)
    except ValidationError as refused:
        errors += refused.errors
        bad = {error.field for error in refused.errors}
        good = {f: v for f, v in given.items() if bad.isdisjoint((f, kind.aliases.get(f, f)))}
        if len(good) == len(given):
            raise
        return _read_good(kind, good, model, errors)


def _fields(
    context: Context,
    parsed: CustomerInput,
    signals: Mapping[str, Value | None],
    errors: list[FieldError],
    warnings: list[Warning_],
) -> dict[str, Any]:
    """Return the plain attributes that were sent, by the customer's own names."""
    sent = parsed.model_fields_set
    fields: dict[str, Any] = {name: getattr(parsed, name) for name in _PLAIN if name in sent}
    for name in ("mrr", "arr"):
        if fields.get(name) is not None:
            exact = fields[name]
            fields[name] = cents(exact)
            if fields[name] != exact:
                warnings.append(_rounded(name, exact, fields[name], "whole cents are kept"))
    if fields.get("mrr") is not None and fields.get("arr") is not None:
        warnings += _revenue_mismatch(fields["mrr"], fields["arr"])
    if parsed.months_to_renewal is not None and "renewal_date" not in sent:
        fields["renewal_date"] = months_after(context.moment.today, parsed.months_to_renewal)
    if fields.get("tags", ()) is None:
        fields["tags"] = ()
    profile = fields.get("scoring_profile")
    if profile is not None and profile not in context.model.profiles:
        known = ", ".join(context.model.profiles) or "none is defined"
        errors.append(
            FieldError(
                "scoring_profile", "unknown_value", f"must be a profile of the model: {known}"
            )
        )
    return fields | _contact(context, parsed, signals, errors, warnings)


def _contact(
    context: Context,
    parsed: CustomerInput,
    signals: Mapping[str, Value | None],
    errors: list[FieldError],
    warnings: list[Warning_],
) -> dict[str, date | None]:
    """Return the day of the last contact, of `last_contact_date` or else `days` (AMB-03, 38)."""
    today = context.moment.today
    reported: date | None = None
    days = signals.get(CONTACT)
    if CONTACT in signals and isinstance(days, int | Decimal):
        if days > LONGEST_AGO:
            errors.append(FieldError(CONTACT, "out_of_range", f"must be at most {LONGEST_AGO}"))
            return {}
        if int(days) != days:
            warnings.append(_rounded(CONTACT, days, int(days), "whole days are kept"))
        reported = today - timedelta(days=int(days))
    if "last_contact_date" not in parsed.model_fields_set:
        return {"last_contact_on": reported} if CONTACT in signals else {}
    day = parsed.last_contact_date
    if day is not None and day > today + timedelta(days=1):
        errors.append(FieldError("last_contact_date", "in_the_future", "must not be in the future"))
    if reported is not None and day != reported:
        warnings.append(
            {
                "code": "conflicting_fields",
                "field": CONTACT,
                "message": "says another day than last_contact_date, which was taken",
            }
        )
    return {"last_contact_on": day}


def _override(
    context: Context,
    parsed: CustomerInput,
    errors: list[FieldError],
    warnings: list[Warning_],
) -> OverrideRequest | None:
    """Return the score to set by hand, if one was sent (IQ-021, 044)."""
    expires_at = parsed.override_expires_at
    if parsed.score is None:
        refused = any(error.field == "score" for error in errors)
        errors += [
            FieldError(name, "needs_score", "goes with a score; give score beside it")
            for name in _OVERRIDE_EXTRAS
            if name in parsed.model_fields_set and not refused
        ]
        return None
    if expires_at is not None and expires_at <= context.now:
        errors.append(FieldError("override_expires_at", "in_the_past", "must be in the future"))
    value = round_half_up(*ratio(parsed.score))
    if value != parsed.score:
        warnings.append(_rounded("score", parsed.score, value, "a set score is a whole number"))
    return OverrideRequest(value, parsed.override_reason, expires_at, parsed.override_sticky)


def _revenue_mismatch(mrr: Number, arr: Number) -> list[Warning_]:
    if abs(Decimal(mrr) * 12 - Decimal(arr)) * 100 <= Decimal(arr):
        return []
    return [
        {
            "code": "revenue_mismatch",
            "field": "arr",
            "message": f"{arr} is not 12 × {mrr}, by more than 1 %; both were stored as given",
        }
    ]


def _rounded(field: str, given: Number, kept: Number, why: str) -> Warning_:
    return {"code": "rounded", "field": field, "message": f"{given} was rounded to {kept}: {why}"}
