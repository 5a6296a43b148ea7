"""score_customer: score anew under the newest model, without any override (IQ-018, AMB-02)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from vitals.domain.mutation import Reason
from vitals.usecases.context import Answer, Context
from vitals.usecases.find import require
from vitals.usecases.identity import in_trash
from vitals.usecases.inputs import WriteReference, read
from vitals.usecases.write import Draft, write

ACTION = "score_customer"


def score_customer(context: Context, given: Mapping[str, Any]) -> Answer:
    """Publish the score that the stored signals give as of now; an override is cleared."""
    parsed, warnings, _ = read(WriteReference, given)

    def decide(context: Context, _: int) -> Draft:
        before = require(context, parsed)
        if before.deleted_at is not None:
            raise in_trash(context, before)
        reason = Reason(action=ACTION, cause="rescore")
        return Draft(before=before, after=replace(before, override=None), reason=reason)

    return write(context, parsed, warnings, decide)
