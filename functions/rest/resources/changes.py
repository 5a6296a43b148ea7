"""The feed of changes, and a customer's own timeline (LU-053)."""

from __future__ import annotations

from resources.call import Call, page_of
from vitals.runtime.http import Response
from vitals.usecases.list_changes import get_history
from vitals.usecases.list_changes import list_changes as list_all


def list_changes(call: Call) -> Response:
    """Answer one page of everybody's changes."""
    return call.reply(page_of(call.ask(list_all, {"limit": 50, **call.query}), dict))


def list_customer_changes(call: Call) -> Response:
    """Answer one page of a customer's changes, each with what it did to the score."""
    given = {"limit": 50, **call.query, "id": call.variables["customer_id"]}
    return call.reply(page_of(call.ask(get_history, given), dict))
