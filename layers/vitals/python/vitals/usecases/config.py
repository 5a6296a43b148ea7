"""get_config, update_config: how a tenant scores, and everything else that it may set (IQ-079)."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, ClassVar

from pydantic import PlainValidator

from vitals.domain.access import PLATFORM, Tenant
from vitals.domain.errors import FieldError, ForbiddenError
from vitals.domain.patch import merge_patch
from vitals.domain.presets import PRESETS, with_preset
from vitals.usecases.change_model import (
    ChangeInput,
    Document,
    Wanted,
    change_model,
    config_view,
    current,
    document_of,
)
from vitals.usecases.context import Answer, Context
from vitals.usecases.fields import Flag, one_of, refuse
from vitals.usecases.inputs import Input, read
from vitals.usecases.model_rules import normalised

DEEPEST = 8
MOST_VALUES = 5000
LOWEST_LIMIT, HIGHEST_LIMIT = 10, 10**7
"""With fewer a minute, an administrator could not undo what a limit does."""
LIMITS = ("reads", "writes", "records", "events", "batches", "imports")

_WHOLE = ("curve", "missing_policy", "computed")
"""Parts that are replaced, not merged: half of one curve is no half of another."""


def _tree(raw: object) -> Any:
    """Return *raw*, an object or a list within bounds, or a plain value."""
    if _count(raw, 1) > MOST_VALUES:
        refuse("too_large", f"must hold at most {MOST_VALUES} values")
    return raw


def _count(value: object, depth: int) -> int:
    if not isinstance(value, dict | list):
        return 1
    if depth > DEEPEST:
        refuse("too_deep", f"must be nested at most {DEEPEST} deep")
    inner = value.values() if isinstance(value, dict) else value
    return 1 + sum(_count(each, depth + 1) for each in inner)


def _mapping(raw: object) -> dict[str, Any]:
    if not isinstance(raw, dict):
        refuse("must_be_object", "must be an object")
    found: dict[str, Any] = _tree(raw)
    return found


Tree = Annotated[Any, PlainValidator(_tree, json_schema_input_type=dict[str, Any])]
Objects = Annotated[dict[str, Any], PlainValidator(_mapping, json_schema_input_type=dict[str, Any])]


class ConfigInput(ChangeInput):
    """Any settings, merged into those that are (RFC 7396); *weights* are the signals' own.

    *preset* sets the weights of all signals first; whatever else is sent is merged over them.
    *normalize* scales all weights so that they total 100.
    """

    aliases: ClassVar[Mapping[str, str]] = {"thresholds": "bands", "normalise": "normalize"}

    preset: Annotated[str, one_of(*PRESETS)] | None = None
    weights: Objects | None = None
    signals: Objects | None = None
    bands: Objects | None = None
    missing_policy: Tree = None
    min_coverage: Tree = None
    low_confidence_below: Tree = None
    auto_lifecycle: Tree = None
    cadence: Objects | None = None
    renewal_windows: Objects | None = None
    renewal_factors: Objects | None = None
    quiet_after: Tree = None
    momentum: Objects | None = None
    expansion: Objects | None = None
    time_zone: Tree = None
    event_days: Tree = None
    profiles: Objects | None = None
    profile_rules: Tree = None
    limits: Objects | None = None
    normalize: Flag = False


_BESIDE = frozenset({*ChangeInput.model_fields, "preset", "weights", "limits", "normalize"})


def get_config(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return the configuration in force: the newest model, and the tenant's limits."""
    _, warnings, _ = read(Input, given)
    tenant = current(context)
    view = config_view(context, tenant, document_of(context, tenant.model_version))
    return {"action": "get_config", "data": view, "warnings": warnings}


def update_config(context: Context, given: Mapping[str, Any]) -> Answer:
    """Merge *given* into the configuration: a new model version, and a job that rescores.

    A signal that is null goes; a curve or a missing policy is replaced whole. Limits take effect
    within half a minute. Raises what `change_model` does.
    """
    parsed, warnings, _ = read(ConfigInput, given)
    names = parsed.model_fields_set - _BESIDE
    patch = {name: getattr(parsed, name) for name in sorted(names)}

    def change(context: Context, document: Document, tenant: Tenant) -> Wanted:
        errors: list[FieldError] = []
        base = with_preset(document, parsed.preset) if parsed.preset else document
        after = _merged(base, patch, parsed.weights or {}, errors)
        if parsed.normalize:
            _normalise(after)
        settings = limited(context, tenant, parsed.limits or {}, errors)
        return Wanted(after, settings, errors=errors)

    return change_model(context, "update_config", parsed, warnings, change)


def _merged(
    document: Document,
    patch: Mapping[str, Any],
    weights: Mapping[str, Any],
    errors: list[FieldError],
) -> Document:
    base: Document = copy.deepcopy(document)
    for name, given in (patch.get("signals") or {}).items():
        for part in _WHOLE:
            if isinstance(given, dict) and part in given:
                base["signals"].get(name, {}).pop(part, None)
    if "missing_policy" in patch:
        base.pop("missing_policy", None)
    merged = merge_patch(base, patch)
    signals = merged.get("signals") or {}
    for name, weight in weights.items():
        signal = signals.get(name)
        if not isinstance(signal, dict):
            message = f"is no signal of the model: {', '.join(signals)}"
            errors.append(FieldError(f"weights.{name}", "unknown_value", message))
            continue
        signals[name] = {**signal, "weight": weight}
    return merged


def _normalise(document: Document) -> None:
    """Scale the signals' weights, and each profile's, to total 100."""
    signals = document.get("signals")
    if isinstance(signals, dict) and all(isinstance(each, dict) for each in signals.values()):
        scaled = normalised({name: given.get("weight") for name, given in signals.items()})
        for name, weight in scaled.items():
            signals[name] = {**signals[name], "weight": weight}
    profiles = document.get("profiles")
    if isinstance(profiles, dict):
        for name, weights in profiles.items():
            profiles[name] = normalised(weights) if isinstance(weights, dict) else weights


def limited(
    context: Context, tenant: Tenant, limits: Mapping[str, Any], errors: list[FieldError]
) -> Tenant:
    """Return *tenant* with its limits; only the platform gives more than the deployment does."""
    changed: dict[str, Any] = {}
    for name, given in limits.items():
        field = f"limits.{name}"
        if name not in context.limits:
            known = ", ".join(context.limits)
            errors.append(FieldError(field, "unknown_field", f"must be one of: {known}"))
            continue
        most = HIGHEST_LIMIT if PLATFORM in context.key.scopes else context.limits[name]
        whole = isinstance(given, int) and not isinstance(given, bool)
        if given is not None and not (whole and LOWEST_LIMIT <= given <= HIGHEST_LIMIT):
            bounds = f"from {LOWEST_LIMIT} to {HIGHEST_LIMIT}"
            message = f"must be a whole number {bounds}, or null for the default"
            errors.append(FieldError(field, "out_of_range", message))
        elif given is not None and given > most:
            raise ForbiddenError(
                f"{field} above the deployment's {most} needs the scope {PLATFORM}",
                extra={"scope": PLATFORM},
            )
        changed[f"limit_{name}"] = given
    return replace(tenant, **changed)
