"""delete_customer: soft, for thirty days, or hard, for good (IQ-017, AMB-13)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from vitals.domain.errors import ForbiddenError, VitalsError
from vitals.domain.mutation import Reason
from vitals.storage.ports import WriteConflictError
from vitals.usecases.context import Answer, Context
from vitals.usecases.fields import Flag
from vitals.usecases.find import require
from vitals.usecases.inputs import Warning_, WriteReference, read
from vitals.usecases.purge import erase_history, purge_customer
from vitals.usecases.write import Draft, answer_to_keep, guard_version, stored_answer, write

ACTION = "delete_customer"
HARD_SCOPE = "admin:*"


class DeleteInput(WriteReference):
    """The customer to delete; *hard* erases it with its history at once."""

    hard: Flag = False


def delete_customer(context: Context, given: Mapping[str, Any]) -> Answer:
    """Put the customer in the trash, from where it can be restored for 30 days.

    A second delete changes nothing and says already_deleted. `hard: true` needs admin:* and
    leaves a tombstone that names nobody. Raises CustomerNotFoundError, ForbiddenError.
    """
    parsed, warnings, _ = read(DeleteInput, given)
    if parsed.hard:
        return _hard(context, parsed, warnings)

    def decide(context: Context, _: int) -> Draft:
        before = require(context, parsed)
        already = before.deleted_at is not None
        after = before if already else replace(before, deleted_at=context.now)
        reason = Reason(action=ACTION, cause="delete", lifecycle_given=True)
        extra = {"deleted": True, "already_deleted": already}
        return Draft(before=before, after=after, reason=reason, extra=extra)

    return write(context, parsed, warnings, decide)


def _hard(context: Context, parsed: DeleteInput, warnings: list[Warning_]) -> Answer:
    if HARD_SCOPE not in context.key.scopes:
        raise ForbiddenError(
            f"hard: true needs the scope {HARD_SCOPE}, which this key does not have",
            extra={"scope": HARD_SCOPE},
        )
    try:
        replay = None if parsed.dry_run else stored_answer(context)
        if replay is None:
            return _erased(context, parsed, warnings)
    except (VitalsError, WriteConflictError):
        # What is in the way may be the same request, made a moment ago under the same key.
        replay = None if parsed.dry_run else stored_answer(context)
        if replay is None:
            raise
    erase_history(context, replay["data"]["id"])
    return replay


def _erased(context: Context, parsed: DeleteInput, warnings: list[Warning_]) -> Answer:
    already = parsed.id is not None and context.customers.is_purged(context.tenant, parsed.id)
    customer = None if already else require(context, parsed)
    if customer is not None:
        guard_version(parsed, customer)
    body = {
        "action": ACTION,
        "created": False,
        "score": None,
        "status": "unscored",
        "deleted": True,
        "hard": True,
        "already_deleted": already,
        **({"dry_run": True} if parsed.dry_run else {}),
        "data": {"id": customer.id if customer else parsed.id},
        "warnings": warnings,
    }
    if parsed.dry_run:
        return body
    answer = answer_to_keep(context, body)
    if customer is not None:
        purge_customer(context, customer, parsed, answer)
    else:
        # A purge that was cut short left history behind: this finishes it.
        erase_history(context, str(parsed.id))
        if answer is not None:
            context.customers.claim(context.tenant, answer)
    return body
