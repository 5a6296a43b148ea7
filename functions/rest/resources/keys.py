"""API keys, and whose key it is that asks (LU-013, 062)."""

from __future__ import annotations

from http import HTTPStatus

from resources.call import Call, page_of
from vitals.runtime.http import Response
from vitals.usecases import api_keys as core
from vitals.usecases.context import Answer


def get_me(call: Call) -> Response:
    """Answer whose key asks, and what it may do."""
    key = call.context.key
    tenant = call.context.tenant
    return call.reply(
        {
            "id": key.id,
            # A key is no person: nobody's address belongs to it.
            "email": None,
            "type": "api_key",
            "name": key.name,
            "tenant_id": tenant.id,
            "tenant_name": tenant.name,
            "sandbox": tenant.sandbox_of is not None,
            "scopes": list(key.scopes),
            "expires_at": core.key_view(key)["expires_at"],
        }
    )


def list_api_keys(call: Call) -> Response:
    """Answer every key, without secrets."""
    return call.reply(page_of(call.ask(core.list_api_keys, {}), dict))


def create_api_key(call: Call) -> Response:
    """Answer the new key with its secret, 201; a replayed answer has none."""
    return _created(call, call.ask(core.create_api_key, call.body))


def rotate_api_key(call: Call) -> Response:
    """Answer the key that takes the place of another, 201."""
    given = {**call.body, "id": call.variables["key_id"]}
    return _created(call, call.ask(core.rotate_api_key, given))


def revoke_api_key(call: Call) -> Response:
    """Close a key for good; 204."""
    call.ask(core.revoke_api_key, {"id": call.variables["key_id"]})
    return call.reply(None, HTTPStatus.NO_CONTENT)


def _created(call: Call, answer: Answer) -> Response:
    return call.reply({"api_key": None, **answer["data"]}, HTTPStatus.CREATED)
