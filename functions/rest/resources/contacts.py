"""Contacts of a customer, listed, read and written (LU-040, 041)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from resources.call import Call, etag, page_of
from vitals.runtime.http import Response
from vitals.usecases import contacts as core

_SHOWN = (
    "id", "customer_id", "name", "email", "title", "is_champion", "whatsapp_number", "created_at",
    "updated_at", "version",
)  # fmt: skip


def list_contacts(call: Call) -> Response:
    """Answer one page of contacts, in the order in which they were created."""
    given = {"limit": 50, **call.query, "id": call.variables["customer_id"]}
    return call.reply(page_of(call.ask(core.list_contacts, given), _shown))


def create_contact(call: Call) -> Response:
    """Answer the new contact, 201."""
    given = {**call.body, "id": call.variables["customer_id"]}
    data = call.ask(core.create_contact, given)["data"]
    place = f"/v1/customers/{data['customer_id']}/contacts/{data['id']}"
    return _replied(call, data, HTTPStatus.CREATED, {"Location": place})


def get_contact(call: Call) -> Response:
    """Answer one contact."""
    return _replied(call, call.ask(core.get_contact, _named(call))["data"])


def update_contact(call: Call) -> Response:
    """Answer the contact with what was sent."""
    given = {**call.body, **_named(call), **call.if_match}
    return _replied(call, call.ask(core.update_contact, given)["data"])


def delete_contact(call: Call) -> Response:
    """Take the contact off its customer; 204."""
    call.ask(core.delete_contact, {**_named(call), **call.if_match})
    return call.reply(None, HTTPStatus.NO_CONTENT)


def _named(call: Call) -> dict[str, Any]:
    return {"id": call.variables["customer_id"], "contact_id": call.variables["contact_id"]}


def _shown(view: Mapping[str, Any]) -> dict[str, Any]:
    return {name: view[name] for name in _SHOWN}


def _replied(
    call: Call,
    view: Mapping[str, Any],
    status: int = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
) -> Response:
    return call.reply(_shown(view), status, {**etag(view["version"]), **(headers or {})})
