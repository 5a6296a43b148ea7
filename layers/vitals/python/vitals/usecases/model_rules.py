"""What must hold across a model's document, whatever its shape allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

from vitals.domain.computed import EVENTS, LAST, OF_PROPERTY
from vitals.domain.errors import FieldError, ValidationError, WeightsTotalError
from vitals.domain.model import BANDS, CONTACT, TIERS, WEIGHT_UNIT
from vitals.domain.model_document import weight_units
from vitals.domain.numbers import apportion, published
from vitals.storage.codec import encode
from vitals.usecases.fields import squeezed
from vitals.usecases.model_input import shaped

FULL = 100 * WEIGHT_UNIT
TOLERANCE = WEIGHT_UNIT // 100
"""Weights total 100 ± 0.01 (AMB-28)."""
_THE_MACHINES = {"localtime", "posixrules", "Factory"}
"""Files beside the time zones, which say where a machine is."""
LARGEST_DOCUMENT = 64 * 1024


def checked(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return *document* in its one form, fit to be saved and scored with.

    Raises ValidationError naming every field at fault, WeightsTotalError.
    """
    found = shaped(document)
    errors = [
        *_names(found),
        *_curves(found),
        *_bands(found),
        *_spans(found),
        *_profiles(found),
        *_zone(found),
        *_computed(found),
    ]
    size = len(encode(found).encode())
    if size > LARGEST_DOCUMENT:
        message = f"would take {size} bytes; a model has at most {LARGEST_DOCUMENT}"
        errors.append(FieldError("signals", "too_large", message))
    weights = {name: given["weight"] for name, given in found["signals"].items()}
    totals = [*_total("weights", weights)]
    for name, own in found["profiles"].items():
        totals += _total(f"profiles.{name}", own)
    if errors:
        raise ValidationError([*errors, *(error.errors[0] for error in totals)])
    if totals:
        raise totals[0]
    return found


def normalised(weights: Mapping[str, Any]) -> dict[str, Any]:
    """Return *weights* scaled to total exactly 100, four decimals each (AMB-28).

    What is no weight is returned as it is: `checked` refuses it. Raises ValidationError if nothing
    has a weight.
    """
    try:
        units = {name: weight_units(weight) for name, weight in weights.items()}
    except (ArithmeticError, ValueError):
        return dict(weights)
    if min(units.values(), default=0) < 0:
        return dict(weights)
    total = sum(units.values())
    if not total:
        message = "must weigh something: a total of 0 cannot be scaled to 100"
        raise ValidationError([FieldError("weights", "out_of_range", message)])
    shares = apportion([each * 100 for each in units.values()], total)
    return {name: published(share) for name, share in zip(units, shares, strict=True)}


def _total(field: str, weights: Mapping[str, Any]) -> Iterator[WeightsTotalError]:
    total = sum(weight_units(weight) for weight in weights.values())
    if abs(total - FULL) > TOLERANCE:
        shown = published(total * 10_000 // WEIGHT_UNIT)
        message = f"total {shown}, must total 100: change one, or send normalize: true"
        yield WeightsTotalError(
            f"{field} {message}",
            errors=[FieldError(field, "weights_total", message)],
            extra={"total": shown},
        )


def _names(found: Mapping[str, Any]) -> Iterator[FieldError]:
    """Yield what is wrong with the signals' names: each spelling means one thing."""
    if CONTACT not in found["signals"]:
        message = "holds the days since contact: give it a weight of 0 rather than remove it"
        yield FieldError(f"signals.{CONTACT}", "required", message)
    taken = dict.fromkeys(reserved(), "a field of customers or requests")
    for name, given in found["signals"].items():
        for spelling in (name, *given.get("aliases", ())):
            if spelling in taken:
                message = f"{spelling} is taken: it is {taken[spelling]}"
                yield FieldError(f"signals.{name}", "name_taken", message)
            taken[spelling] = f"the signal {name}"


@lru_cache(maxsize=1)
def reserved() -> frozenset[str]:
    """Return the names that no signal may have: what requests and answers say beside signals."""
    # Asked of the code itself, once in a while, so that the list is never behind it.
    from datetime import UTC, datetime  # noqa: PLC0415 - see above

    from vitals.domain.customer import Customer  # noqa: PLC0415 - as above
    from vitals.domain.model_document import (  # noqa: PLC0415 - as above
        DEFAULT_MODEL,
        model_from_document,
    )
    from vitals.domain.view import customer_view  # noqa: PLC0415 - as above
    from vitals.usecases.update_health import UpdateHealthInput  # noqa: PLC0415 - as above
    from vitals.usecases.upsert_account import UpsertInput  # noqa: PLC0415 - as above

    bare = model_from_document(1, {**DEFAULT_MODEL, "signals": {}})
    at = datetime(2000, 1, 1, tzinfo=UTC)
    nobody = Customer(id="", tenant_id="", name="", created_at=at, updated_at=at)
    shown = customer_view(nobody, bare, at, UTC, 0)
    inputs = (UpsertInput, UpdateHealthInput)
    asked = {name for kind in inputs for name in (*kind.model_fields, *kind.aliases)}
    return frozenset(shown) | asked | {"action", "data", "model_current", "customers", "signal"}


def _curves(found: Mapping[str, Any]) -> Iterator[FieldError]:
    for name, given in found["signals"].items():
        curve, at = given["curve"], f"signals.{name}.curve"
        match curve["type"]:
            case "linear" if curve["zero"] == curve["full"]:
                yield FieldError(f"{at}.full", "out_of_range", "must be another value than zero")
            case "step":
                yield from _steps(curve["steps"], f"{at}.steps")
            case "choice":
                yield from _words(curve["options"], f"{at}.options")
        if name == CONTACT and not _falls(curve):
            message = "must give no more points the longer nobody called"
            yield FieldError(at, "must_fall", message)
        bounds = [given[end] for end in ("minimum", "maximum") if end in given]
        if bounds != sorted(bounds):
            yield FieldError(f"signals.{name}.maximum", "out_of_range", "must not be under minimum")


def _steps(steps: Sequence[Sequence[Any]], at: str) -> Iterator[FieldError]:
    bounds, points = [step[0] for step in steps], [step[1] for step in steps]
    if any(low >= high for low, high in pairwise(bounds)):
        yield FieldError(at, "must_ascend", "must have bounds that ascend")
    if points not in (sorted(points), sorted(points, reverse=True)):
        yield FieldError(at, "must_be_monotone", "must have points that only rise, or only fall")


def _words(options: Mapping[str, Any], at: str) -> Iterator[FieldError]:
    for option in options:
        if squeezed(option) == "na":
            message = "means that a signal has no value: take another word"
            yield FieldError(f"{at}.{option}", "name_taken", message)


def _falls(curve: Mapping[str, Any]) -> bool:
    match curve["type"]:
        case "linear":
            return bool(curve["zero"] > curve["full"])
        case "step":
            points = [step[1] for step in curve["steps"]]
            return points == sorted(points, reverse=True)
        case kind:
            return kind in ("half_life", "power")


def _computed(found: Mapping[str, Any]) -> Iterator[FieldError]:
    """Yield what is wrong with definitions, and with who owns a signal (AMB-60)."""
    for name, given in found["signals"].items():
        definition, owner = given.get("computed"), given.get("owner")
        at = f"signals.{name}"
        if name == CONTACT and (definition or owner):
            message = "follows from the last contact, whoever reports it"
            yield FieldError(f"{at}.{'computed' if definition else 'owner'}", "read_only", message)
            continue
        if owner == EVENTS and not definition:
            message = "is events, but nothing says how events give a value: give computed"
            yield FieldError(f"{at}.owner", "needs_computed", message)
        if not definition:
            continue
        if owner not in (None, EVENTS):
            message = "must be events, or none, for a signal that is computed"
            yield FieldError(f"{at}.owner", "conflicting_fields", message)
        of_property = definition["aggregate"] in OF_PROPERTY
        if of_property and "property" not in definition:
            yield FieldError(f"{at}.computed.property", "required", "say which property")
        if not of_property and "property" in definition:
            message = f"goes with {' and '.join(OF_PROPERTY)} alone"
            yield FieldError(f"{at}.computed.property", "conflicting_fields", message)
        if given["curve"]["type"] == "choice" and definition["aggregate"] != LAST:
            message = "must be last for a signal that takes words"
            yield FieldError(f"{at}.computed.aggregate", "conflicting_fields", message)


def _bands(found: Mapping[str, Any]) -> Iterator[FieldError]:
    for lower, upper in pairwise(BANDS):
        if found["bands"][upper] <= found["bands"][lower]:
            message = f"must be above {lower}'s: each is its band's lowest score"
            yield FieldError(f"bands.{upper}", "must_ascend", message)


def _spans(found: Mapping[str, Any]) -> Iterator[FieldError]:
    for tier in TIERS:
        cadence = found["cadence"][tier]
        if cadence["due"] > cadence["overdue"]:
            yield FieldError(f"cadence.{tier}.overdue", "must_ascend", "must not be under due")
    windows = found["renewal_windows"]
    for near, far in (("critical", "warning"), ("warning", "upcoming")):
        if windows[near] > windows[far]:
            yield FieldError(f"renewal_windows.{far}", "must_ascend", f"must not be under {near}")


def _profiles(found: Mapping[str, Any]) -> Iterator[FieldError]:
    for name, weights in found["profiles"].items():
        for signal in weights.keys() - found["signals"].keys():
            message = "is no signal of the model"
            yield FieldError(f"profiles.{name}.{signal}", "unknown_value", message)
    for index, rule in enumerate(found["profile_rules"]):
        if rule["profile"] not in found["profiles"]:
            message = f"must be a profile: {', '.join(found['profiles']) or 'none is defined'}"
            yield FieldError(f"profile_rules.{index}.profile", "unknown_value", message)


def _zone(found: Mapping[str, Any]) -> Iterator[FieldError]:
    from zoneinfo import available_timezones  # noqa: PLC0415 - few calls need it

    if found["time_zone"] not in available_timezones() - _THE_MACHINES:
        message = "must be an IANA time zone, like Europe/Stockholm"
        yield FieldError("time_zone", "unknown_value", message)
