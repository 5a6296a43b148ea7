"""The trash: customers that were deleted, and can be restored for thirty days (LU-036)."""

from __future__ import annotations

from functools import partial

from resources.call import Call, page_of
from resources.customers import erased, replied, shown
from vitals.domain.errors import CustomerNotFoundError
from vitals.runtime.http import Response
from vitals.usecases.get_customer import get_customer
from vitals.usecases.list_customers import list_customers
from vitals.usecases.restore_customer import restore_customer as restore


def list_trash(call: Call) -> Response:
    """Answer one page of the trash."""
    answer = call.ask(list_customers, {"limit": 50, **call.query, "only_deleted": True})
    return call.reply(page_of(answer, partial(shown, call.context)))


def restore_customer(call: Call) -> Response:
    """Answer the customer, restored."""
    answer = call.ask(restore, {"id": call.variables["customer_id"]})
    if not answer["restored"]:
        raise _not_there(call)
    return replied(call, answer)


def erase_customer(call: Call) -> Response:
    """Erase a customer for good; 204."""
    return erased(call, lambda: _refuse_live(call))


def _refuse_live(call: Call) -> None:
    given = {"id": call.variables["customer_id"], "include_deleted": True}
    if call.ask(get_customer, given)["data"]["deleted_at"] is None:
        raise _not_there(call)


def _not_there(call: Call) -> CustomerNotFoundError:
    return CustomerNotFoundError(f"no customer {call.variables['customer_id']} is in the trash")
