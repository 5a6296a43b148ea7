"""Webhook subscriptions, under both of their names (LU-069, PE-022 to 025, AMB-52)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

from resources.call import Call, etag, page_of
from vitals.domain.errors import ConnectionNotFoundError
from vitals.runtime.http import Response
from vitals.usecases import subscriptions as core
from vitals.usecases.connections import rotate_webhook_secret, test_connection
from vitals.usecases.context import Answer

_SHOWN = (
    "id", "name", "description", "events", "filter", "owner", "health", "created_at", "created_by",
    "updated_at", "version",
)  # fmt: skip


def list_webhooks(call: Call) -> Response:
    """Answer every subscription."""
    return call.reply(page_of(call.ask(core.list_webhook_subscriptions, {}), _shown))


def create_webhook(call: Call) -> Response:
    """Answer the new subscription with the secret that its events are signed with, 201."""
    answer = call.ask(core.put_webhook_subscription, call.body)
    body = _shown(answer["data"]) | {"secret": answer["data"].get("secret")}
    headers = etag(body["version"]) | {"Location": f"{call.request.path.rstrip('/')}/{body['id']}"}
    return call.reply(body, HTTPStatus.CREATED, headers)


def get_webhook(call: Call) -> Response:
    """Answer one subscription."""
    return _replied(call, _found(call))


def update_webhook(call: Call) -> Response:
    """Answer the subscription with what was sent."""
    _found(call)
    given = {**call.body, "id": call.variables["subscription_id"], **call.if_match}
    return _replied(call, call.ask(core.put_webhook_subscription, given)["data"])


def delete_webhook(call: Call) -> Response:
    """Delete a subscription for good; 204."""
    _found(call)
    wanted = call.if_match.get("if_version")
    delete = partial(core.delete_webhook_subscription, if_version=wanted)
    call.ask(delete, {"id": call.variables["subscription_id"]})
    return call.reply(None, HTTPStatus.NO_CONTENT)


def test_webhook(call: Call) -> Response:
    """Answer what the receiver said to a test."""
    _found(call)
    answer: Answer = call.ask(test_connection, {"id": call.variables["subscription_id"]})
    return call.reply(answer["data"])


def rotate_secret(call: Call) -> Response:
    """Answer the new secret; both sign for a while."""
    _found(call)
    given = {**call.body, "id": call.variables["subscription_id"]}
    answer = call.ask(rotate_webhook_secret, given)
    return call.reply(_shown(answer["data"]) | {"secret": answer["data"].get("secret")})


def _found(call: Call) -> Mapping[str, Any]:
    wanted = call.variables["subscription_id"]
    for each in call.ask(core.list_webhook_subscriptions, {})["data"]:
        if each["id"] == wanted:
            found: Mapping[str, Any] = each
            return found
    raise ConnectionNotFoundError(f"no webhook subscription has id {wanted!r}")


def _shown(view: Mapping[str, Any]) -> dict[str, Any]:
    return {name: view[name] for name in _SHOWN} | {
        # A path or a query may hold what is secret: the host is what one tells them apart by.
        "url": view["shown"],
        "active": view["enabled"],
    }


def _replied(call: Call, view: Mapping[str, Any]) -> Response:
    return call.reply(_shown(view), headers=etag(view["version"]))
