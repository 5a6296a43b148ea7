"""list_profiles, put_profile, delete_profile: named weights for kinds of customers (IQ-086)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from vitals.domain.access import Tenant
from vitals.domain.errors import ProfileInUseError, ProfileNotFoundError
from vitals.usecases.change_model import (
    ChangeInput,
    Document,
    Wanted,
    change_model,
    current,
    document_of,
)
from vitals.usecases.config import Objects
from vitals.usecases.context import Answer, Context
from vitals.usecases.fields import Flag, Short
from vitals.usecases.inputs import Input, read
from vitals.usecases.model_rules import normalised


class ProfilesInput(Input):
    """*count* counts the customers that each profile weighs, which reads them all."""

    count: Flag = False


class PutProfileInput(ChangeInput):
    """A profile's name and weights, by signal; *normalize* scales them to total 100."""

    name: Short
    weights: Objects
    normalize: Flag = False


class ProfileInput(ChangeInput):
    """Which profile."""

    name: Short


def list_profiles(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return every profile with its weights, and the rules that assign them, in their order."""
    parsed, warnings, _ = read(ProfilesInput, given)
    tenant = current(context)
    document = document_of(context, tenant.model_version)
    model = context.model_of(tenant.model_version)
    counts: Counter[str | None] = Counter()
    if parsed.count:
        counts.update(
            customer.profile(model)
            for customer in context.customers.roster(tenant)
            if customer.deleted_at is None
        )
    return {
        "action": "list_profiles",
        "data": [
            {"name": name, "weights": weights}
            | ({"customers": counts[name]} if parsed.count else {})
            for name, weights in document["profiles"].items()
        ],
        "rules": document["profile_rules"],
        **({"without_profile": counts[None]} if parsed.count else {}),
        "warnings": warnings,
    }


def put_profile(context: Context, given: Mapping[str, Any]) -> Answer:
    """Create or replace a profile: a new model version, and its customers rescored."""
    parsed, warnings, _ = read(PutProfileInput, given)

    def change(context: Context, document: Document, tenant: Tenant) -> Wanted:  # noqa: ARG001 - as asked
        weights = normalised(parsed.weights) if parsed.normalize else parsed.weights
        profiles = {**document["profiles"], parsed.name: weights}
        return Wanted({**document, "profiles": profiles}, tenant)

    return change_model(context, "put_profile", parsed, warnings, change)


def delete_profile(context: Context, given: Mapping[str, Any]) -> Answer:
    """Remove a profile that no customer and no rule names.

    Raises ProfileNotFoundError, ProfileInUseError.
    """
    parsed, warnings, _ = read(ProfileInput, given)

    def change(context: Context, document: Document, tenant: Tenant) -> Wanted:  # noqa: ARG001 - as asked
        profiles = dict(document["profiles"])
        if profiles.pop(parsed.name, None) is None:
            raise ProfileNotFoundError(f"no profile is called {parsed.name!r}")
        rules = [i for i, r in enumerate(document["profile_rules"]) if r["profile"] == parsed.name]
        if rules:
            raise ProfileInUseError(
                f"profile_rules.{rules[0]} assigns the profile {parsed.name!r}: "
                "take it out of the rules first",
                extra={"profiles": [parsed.name], "rules": rules},
            )
        return Wanted({**document, "profiles": profiles}, tenant)

    return change_model(context, "delete_profile", parsed, warnings, change)
