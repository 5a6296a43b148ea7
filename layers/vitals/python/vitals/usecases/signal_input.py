"""The values of a model's signals as callers send them, beside the other fields or together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import PydanticCustomError

from vitals.domain.curves import Value
from vitals.domain.errors import FieldError
from vitals.domain.instants import is_unrendered
from vitals.domain.model import ScoringModel, Signal
from vitals.usecases.fields import bounded, squeezed, word
from vitals.usecases.inputs import Warning_, unknown_field, unrendered


def joined(
    raw: dict[str, Any], nested: Mapping[str, Any], model: ScoringModel, errors: list[FieldError]
) -> tuple[dict[str, Any], list[Warning_]]:
    """Return the signals given beside and under `signals` together, and warnings."""
    warnings = []
    for name, value in nested.items():
        if name not in model.names:
            warnings.append(unknown_field(name, model.names) | {"field": f"signals.{name}"})
        elif isinstance(value, str) and is_unrendered(value):
            warnings.append(unrendered(f"signals.{name}"))
        elif name in raw and raw[name] != value:
            errors.append(FieldError(f"signals.{name}", "conflicting_fields", "was given twice"))
        else:
            raw = {**raw, name: value}
    return raw, warnings


def read_signals(
    raw: Mapping[str, Any],
    model: ScoringModel,
    errors: list[FieldError],
    warnings: list[Warning_],
) -> dict[str, Value | None]:
    """Return the value of each signal given, by its own name; None clears it (AMB-21)."""
    values: dict[str, Value | None] = {}
    spelled: dict[str, str] = {}
    for field, given in raw.items():
        signal = model.by_name[model.names[field]]
        if isinstance(given, str) and not given.strip():
            continue
        try:
            value = signal_value(signal, given)
        except PydanticCustomError as refused:
            errors.append(FieldError(field, refused.type, refused.message()))
            continue
        if values.get(signal.name, value) != value:
            message = f"says other than {spelled[signal.name]} does"
            errors.append(FieldError(field, "conflicting_fields", message))
        values[signal.name] = value
        spelled.setdefault(signal.name, field)
        if _looks_like_fraction(signal, value):
            warnings.append(
                {
                    "code": "possible_fraction",
                    "field": field,
                    "message": f"{value} was stored as given, in percent: did you mean a share?",
                }
            )
    return values


def signal_value(signal: Signal, given: Any) -> Value | None:
    """Return *given* as a value of *signal*, None if it clears it; refused values raise."""
    if given is None or (isinstance(given, str) and squeezed(given) == "na"):
        return None
    if signal.options is not None:
        return word(given, signal.options)
    return bounded(given, signal.minimum, signal.maximum)


def _looks_like_fraction(signal: Signal, value: Value | None) -> bool:
    percent = (signal.minimum, signal.maximum) == (0, 100)
    return percent and not isinstance(value, str | None) and 0 < value <= 1
