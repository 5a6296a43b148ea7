"""log_contact: somebody talked to the customer (PLUS-16)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from vitals.domain.errors import FieldError, ValidationError
from vitals.domain.instants import iso, local_day
from vitals.domain.model import CONTACT
from vitals.domain.mutation import Reason
from vitals.domain.patch import Patch, merged
from vitals.usecases.context import Answer, Context
from vitals.usecases.fields import Instant, Name, Note, text
from vitals.usecases.find import require
from vitals.usecases.identity import in_trash
from vitals.usecases.inputs import WriteReference, read
from vitals.usecases.write import Draft, write

ACTION = "log_contact"


class ContactInput(WriteReference):
    """A touch: who talked, by which channel, when (now if not said), and what came of it."""

    channel: Annotated[str, text(50)] | None = None
    who: Name | None = None
    note: Note | None = None
    at: Instant | None = None


def log_contact(context: Context, given: Mapping[str, Any]) -> Answer:
    """Record a contact in the customer's history and move last_contact_on up to its day.

    One that is older than the last known is recorded and moves nothing. Raises
    CustomerNotFoundError, ValidationError.
    """
    parsed, warnings, _ = read(ContactInput, given)
    at = parsed.at or context.now
    if at > context.now + timedelta(days=1):
        message = "must not be in the future: next_touch holds what is planned"
        raise ValidationError([FieldError("at", "in_the_future", message)])
    day = local_day(at, context.where)
    contact = {
        "at": iso(at),
        "channel": parsed.channel,
        "who": parsed.who or context.key.name,
        "note": parsed.note,
    }

    def decide(context: Context, _: int) -> Draft:
        before = require(context, parsed)
        if before.deleted_at is not None:
            raise in_trash(context, before)
        # As any signal-bearing write: it arrives, and clears an override that is not sticky.
        moved = {"last_contact_on": max(day, before.last_contact_on or day)}
        patch = Patch(fields=moved, given=frozenset({CONTACT}))
        after = merged(before, patch, context.moment)
        reason = Reason(action=ACTION, cause="contact", contact=contact)
        return Draft(before=before, after=after, reason=reason, extra={"contact": contact})

    return write(context, parsed, warnings, decide)
