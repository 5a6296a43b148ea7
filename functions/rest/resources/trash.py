"""The trash: customers that were deleted, and can be restored for thirty days (LU-036)."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus

from resources.call import Call, page_of
from resources.customers import replied, shown
from vitals.domain.errors import CustomerNotFoundError
from vitals.runtime.http import Response
from vitals.usecases.delete_customer import delete_customer
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
    customer_id = call.variables["customer_id"]
    found = call.ask(get_customer, {"id": customer_id, "include_deleted": True})["data"]
    if found["deleted_at"] is None:
        raise _not_there(call)
    call.ask(delete_customer, {"id": customer_id, "hard": True})
    return call.reply(None, HTTPStatus.NO_CONTENT)


def _not_there(call: Call) -> CustomerNotFoundError:
    return CustomerNotFoundError(f"no customer {call.variables['customer_id']} is in the trash")
