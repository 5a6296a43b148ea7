"""get_customer: one customer, scored as of now (IQ-014)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vitals.usecases.context import Answer, Context
from vitals.usecases.fields import Flag
from vitals.usecases.find import require, require_live
from vitals.usecases.inputs import Reference, read


class GetInput(Reference):
    """Which customer; *include_deleted* finds it in the trash too."""

    include_deleted: Flag = False


def get_customer(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return the customer as last written, scored and explained as of now.

    By id 1 strongly consistent read, by external_id or name 2. Raises CustomerNotFoundError.
    """
    parsed, warnings, _ = read(GetInput, given)
    found = (require if parsed.include_deleted else require_live)(context, parsed)
    shown = context.view(found)
    return {
        "action": "get_customer",
        "created": False,
        "score": shown["score"],
        "status": shown["status"],
        "data": shown,
        "warnings": warnings,
    }
