"""What holds for every action of the table, whatever it does."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.builders import NOW
from tests.integration.actions.api import Api

from action_table import ACTIONS
from vitals.domain.access import ALL_SCOPES
from vitals.runtime.api_keys import make_key

EVERY = pytest.mark.parametrize("action", ACTIONS)


def revoked(api: Api) -> str:
    made = api.post("create_api_key", {"name": "x", "scopes": list(ALL_SCOPES)}).data
    api.post("revoke_api_key", {"id": made["id"]})
    return str(made["api_key"])


def expired(api: Api) -> str:
    return api.another_key(*ALL_SCOPES, expires_at=NOW - timedelta(seconds=1)).key


def foreign(api: Api) -> str:  # noqa: ARG001 - of another deployment
    return make_key()


def mistyped(api: Api) -> str:
    return api.key[:-1] + ("0" if api.key[-1] != "0" else "1")


def of_a_deleted_tenant(api: Api) -> str:
    return api.another_tenant(deleted_at=NOW).key


@EVERY
@pytest.mark.parametrize("bad", [revoked, expired, foreign, mistyped, of_a_deleted_tenant])
def test_a_bad_key_opens_no_action(api: Api, action: str, bad: Any) -> None:
    key = bad(api)
    before = api.stored()
    reply = api.post(action, {}, x_api_key=key)
    assert (reply.status, reply.code) == (401, "unauthenticated")
    assert reply.headers["www-authenticate"]
    assert api.stored() == before


@EVERY
def test_a_suspended_tenant_has_no_action(api: Api, action: str) -> None:
    reply = api.another_tenant(suspended_at=NOW).post(action)
    assert (reply.status, reply.code) == (403, "tenant_suspended")


@EVERY
def test_an_action_that_lacks_its_parameters_says_so_or_needs_none(api: Api, action: str) -> None:
    reply = api.post(action, {})
    assert reply.status in (200, 400)
    if reply.status == 400:
        assert (reply.code, bool(reply.body["errors"])) == ("validation_error", True)


@EVERY
def test_an_action_warns_of_a_field_that_nobody_reads(api: Api, action: str) -> None:
    reply = api.post(action, {"no_such_field_anywhere": 1, "strict": True})
    assert reply.status == 400
    assert reply.body["errors"]


@EVERY
@pytest.mark.parametrize("value", [None, -1, "�", [{}], 10**400])
def test_no_value_of_any_parameter_is_an_accident(api: Api, action: str, value: object) -> None:
    for field in ACTIONS[action].takes.model_fields:
        reply = api.post(action, {field: value})
        assert reply.status < 500, (field, reply.body)


def test_nothing_of_a_key_but_its_first_letters_is_kept_or_logged(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    created = api.post("create_api_key", {"name": "x", "scopes": ["customers:read"]}).data
    rotated = api.post("rotate_api_key", {"id": created["id"]}).data
    tenant = api.post("create_tenant", {"name": "Northwind"}, idempotency_key="k").data
    secrets = [api.key, created["api_key"], rotated["api_key"], tenant["api_key"], mistyped(api)]
    for key in secrets:
        api.get("whoami", x_api_key=key)
        api.send("GET", query={"action": "whoami"}, x_api_key=key)
        api.send("GET", query={"action": key, "key": key}, x_api_key=key)
        api.post("upsert_account", {"name": "Acme", "apikey": key}, x_api_key=key)
    shown = json.dumps(
        [
            api.get(action).body
            for action in ("list_audit", "list_requests", "list_api_keys", "list_config_history")
        ]
    )
    logged = "".join(str(vars(record)) for record in caplog.records)
    assert "'action': 'upsert_account'" in logged
    stored = "".join(str(item.to_simple_dict()) for item in api.table.item.scan())
    for key in secrets:
        assert key[12:] not in shown + logged + stored
