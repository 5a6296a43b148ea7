"""The first tenant and its key, made by whoever may invoke the admin function."""

from collections.abc import Mapping
from typing import Any

import pytest
from tests.builders import NOW
from tests.integration.actions.api import Api, Clock, LambdaContext

import admin
from vitals.domain.access import Tenant
from vitals.runtime import clock
from vitals.storage.table import Table


@pytest.fixture(autouse=True)
def _at_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def bootstrap(**data: object) -> Mapping[str, Any]:
    return admin.handler({"command": "bootstrap", **data}, LambdaContext())


def opened(table: Table, answer: Mapping[str, Any]) -> Api:
    """The API as the holder of the new key sees it."""
    tenant = Tenant(answer["tenant_id"], answer["tenant_name"], NOW)
    return Api(table, tenant, answer["api_key"], Clock())


def test_the_first_key_opens_everything(table: Table) -> None:
    answer = bootstrap(tenant_name="Acme Health", key_name="mine")
    api = opened(table, answer)
    shown = api.get("whoami").data
    assert (shown["tenant_id"], shown["tenant_name"]) == (answer["tenant_id"], "Acme Health")
    assert (shown["id"], shown["name"]) == (answer["key_id"], "mine")
    assert shown["scopes"] == answer["scopes"]
    assert api.upsert("Acme", logins=22)["score"] == 73
    assert api.post("delete_customer", {"name": "Acme", "hard": True}).status == 200


def test_a_second_tenant_is_made_on_purpose_only(table: Table) -> None:
    first = bootstrap()
    refused = bootstrap()
    assert refused["error"]["code"] == "tenant_exists"
    second = bootstrap(force=True, shards=4)
    assert second["tenant_id"] != first["tenant_id"]
    opened(table, second).upsert("Acme")
    assert opened(table, first).get("list_customers").data == []


def test_the_secret_is_nowhere_but_in_the_answer(
    table: Table, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    answer = bootstrap()
    api = opened(table, answer)
    api.get("whoami")
    secret = answer["api_key"]
    assert secret not in str(api.stored())
    logged = capfd.readouterr()
    assert secret not in logged.out + logged.err + caplog.text


@pytest.mark.parametrize(
    ("event", "refused"),
    [
        ({}, "command"),
        ({"command": "drop"}, "command"),
        ({"command": "bootstrap", "shards": 0}, "shards"),
        ({"command": "bootstrap", "tenant_name": "x" * 201}, "tenant_name"),
    ],
)
@pytest.mark.usefixtures("table")
def test_another_command_is_refused(event: dict[str, object], refused: str) -> None:
    error = admin.handler(event, LambdaContext())["error"]
    assert error["code"] == "validation_error"
    assert [each["field"] for each in error["errors"]] == [refused]
