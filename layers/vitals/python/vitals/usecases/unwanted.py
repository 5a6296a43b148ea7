"""Mails that nobody wants any more: of a report's schedule that their receiver left (RFC 8058)."""

from __future__ import annotations

from vitals.domain.delivery import Delivery
from vitals.domain.notice import REPORT_READY
from vitals.storage.reaction_ports import REPORT_SCHEDULE
from vitals.usecases.context import Context
from vitals.usecases.rulebook import ADDRESS


def unwanted(context: Context, delivery: Delivery) -> str | None:
    """Return why *delivery* may reach nobody any more; None if it may.

    1 read for a mail of a report's schedule, none for anything else. With a schedule that is
    deleted went who left it.
    """
    schedule = delivery.payload.get("data", {}).get("schedule")
    mailed = delivery.connection_id.startswith(ADDRESS) and delivery.event_type == REPORT_READY
    if not mailed or not schedule:
        return None
    entry = context.outbound.rulebooks.entry(context.tenant.id, REPORT_SCHEDULE, schedule["id"])
    if entry is None:
        return "the report schedule was deleted"
    address = delivery.connection_id.removeprefix(ADDRESS)
    if address.casefold() in entry.document.get("unsubscribed", ()):
        return "the address left the report schedule"
    return None
