"""restore_customer: take a customer out of the trash, with its history (AMB-13)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from vitals.domain.mutation import Reason
from vitals.usecases.computing import computed_now
from vitals.usecases.context import Answer, Context
from vitals.usecases.find import require
from vitals.usecases.inputs import WriteReference, read
from vitals.usecases.write import Draft, write

ACTION = "restore_customer"


def restore_customer(context: Context, given: Mapping[str, Any]) -> Answer:
    """Restore a soft-deleted customer, scored as of now; one that is not deleted stays as it is.

    Raises CustomerNotFoundError, also when its thirty days are over.
    """
    parsed, warnings, _ = read(WriteReference, given)

    def decide(context: Context, _: int) -> Draft:
        before = require(context, parsed)
        deleted = before.deleted_at is not None
        after, head = before, None
        if deleted:
            # No night has counted its events anew while it was away.
            after, head = computed_now(context, replace(before, deleted_at=None))
        reason = Reason(action=ACTION, cause="restore")
        extra = {"restored": deleted}
        return Draft(before=before, after=after, reason=reason, extra=extra, head=head)

    return write(context, parsed, warnings, decide)
