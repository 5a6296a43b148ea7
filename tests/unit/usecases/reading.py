"""What becomes of a customer's fields, in the form that tests compare."""

from collections.abc import Mapping
from typing import Any

import pytest
from tests.builders import a_context

from vitals.domain.errors import ValidationError
from vitals.domain.model import ScoringModel
from vitals.domain.patch import Patch
from vitals.usecases.customer_input import read_customer
from vitals.usecases.upsert_account import UpsertInput


def patch_of(
    given_: Mapping[str, Any], model: ScoringModel | None = None, **context: Any
) -> tuple[Patch, list[tuple[str, str]]]:
    """Return the patch that *given_* asks for, and the code and field of every warning."""
    _, patch, warnings = read_customer(a_context(model, **context), given_, UpsertInput)
    return patch, [(each["code"], each["field"]) for each in warnings]


def refused(given_: Mapping[str, Any], model: ScoringModel | None = None) -> list[tuple[str, str]]:
    """Return the field and code of every error, in the order of fields."""
    with pytest.raises(ValidationError) as error:
        patch_of(given_, model)
    return sorted((each.field, each.code) for each in error.value.errors)
