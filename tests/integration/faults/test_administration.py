"""Every DynamoDB call of every act of administration fails once, before or after its effect."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from tests.builders import NOW
from tests.integration.actions.api import Api, Reply
from tests.integration.faults.kept import without_ids
from tests.integration.faults.wire import (
    AFTER,
    BEFORE,
    CONFLICT,
    CRASH,
    THROTTLED,
    TIMEOUT,
    Crash,
    Wire,
    call_number,
)

from vitals.domain.access import ALL_SCOPES

FAULTS = {BEFORE: (THROTTLED, CONFLICT, CRASH), AFTER: (TIMEOUT, CRASH)}
SECRET = re.compile(r"vt_(live|test)_\w+|\b[0-9a-f]{64}\b")
MORE_LOGINS = {"weights": {"logins": 30, "adoption": 20}}


def nothing(_: Api) -> dict[str, Any]:
    return {}


def a_key(api: Api) -> dict[str, Any]:
    made = api.post("create_api_key", {"name": "CI", "scopes": ["customers:read"]})
    return {"id": made.data["id"]}


def another_model(api: Api) -> dict[str, Any]:
    assert api.post("update_config", MORE_LOGINS).status == 200
    return {"version": 1}


def a_profile(api: Api) -> dict[str, Any]:
    profile = {"name": "smb", "weights": {"logins": 100}}
    assert api.post("put_profile", profile).status == 200
    return {"name": "smb"}


def a_job(api: Api) -> dict[str, Any]:
    return {"id": api.post("rescore_all").body["job_id"]}


def a_tenant(api: Api) -> dict[str, Any]:
    return {"tenant_id": api.post("create_tenant", {"name": "New"}).data["id"]}


@dataclass(frozen=True)
class Act:
    """One action, and what makes the tenant ready for it and tells whom it is about."""

    action: str
    data: dict[str, Any]
    prepare: Callable[[Api], dict[str, Any]] = nothing


ACTS = {
    act.action: act
    for act in (
        Act("create_api_key", {"name": "CI", "scopes": ["customers:read"]}),
        Act("rotate_api_key", {}, a_key),
        Act("revoke_api_key", {}, a_key),
        Act("update_config", {**MORE_LOGINS, "limits": {"reads": 10}}),
        Act("restore_model", {}, another_model),
        Act("put_profile", {"name": "mid", "weights": {"nps": 100}}),
        Act("delete_profile", {}, a_profile),
        Act("rescore_all", {}),
        Act("cancel_job", {}, a_job),
        Act("create_tenant", {"name": "New"}),
        Act("suspend_tenant", {}, a_tenant),
        Act("delete_tenant", {"confirm": "New"}, a_tenant),
    )
}


@dataclass
class Desk:
    """A tenant for each try of an act, and what was stored when it was ready."""

    api: Api
    wire: Wire
    act: Act

    def ready(self) -> None:
        # The fuller the table, the longer it takes to read.
        table = self.api.table
        table.delete_many([(item.PK, item.SK) for item in table.item.scan()])
        self.api.clock.now = NOW
        self.own = self.api.another_tenant().another_key(*ALL_SCOPES)
        self.data = {**self.act.data, **self.act.prepare(self.own)}
        self.own.restart()
        self.before = self.own.stored()

    def send(self, key: str) -> Reply | None:
        """The answer, if the process lives to give one."""
        try:
            return self.own.post(self.act.action, self.data, idempotency_key=key)
        except Crash:
            return None
        finally:
            self.own.restart()

    def effect(self) -> list[str]:
        """What is stored now that was not, or not so: ids and secrets left out."""
        items = [item for key, item in self.own.stored().items() if self.before.get(key) != item]
        return sorted(told(item) for item in items)

    def hit(self, moment: str, key: str) -> Iterator[tuple[str, Reply | None]]:
        """Fail every call of the act in every way that it can fail."""
        self.ready()
        with self.wire.tapped() as wire:
            assert self.send(key)
            calls = wire.calls
        for fault, (number, call) in product(FAULTS[moment], calls.items()):
            if fault.hits(call) and (moment == BEFORE or call.writes):
                self.ready()
                with self.wire.failing(call_number(number, fault), moment):
                    reply = self.send(key)
                yield f"{fault.name} {number} {call.operation}", reply


def told(value: Any) -> str:
    """*value* without ids and secrets, and without the shard that follows from an id."""
    text = without_ids(json.dumps(value, sort_keys=True))
    return SECRET.sub("secret", re.sub(r"id-\d+|(?<=DUE#)\d+", "id", text))


def without_secret(body: Any) -> str:
    """*body* without its secret, and without the word that there was one."""
    shown = {name: value for name, value in body["data"].items() if name != "api_key"}
    warnings = [each for each in body["warnings"] if each["code"] != "secret_shown_once"]
    return told({**body, "data": shown, "warnings": warnings})


@pytest.fixture
def desk(api: Api, impatient: Wire, action: str) -> Desk:
    return Desk(api, impatient, ACTS[action])


@pytest.mark.parametrize("action", ACTS)
@pytest.mark.parametrize(
    ("moment", "key"),
    [(BEFORE, "key"), (AFTER, "key"), (AFTER, "")],
    ids=["before, with a key", "after, with a key", "after, without a key"],
)
def test_an_act_is_done_whole_or_not_at_all_and_under_a_key_once(
    desk: Desk, moment: str, key: str, subtests: pytest.Subtests
) -> None:
    desk.ready()
    right = desk.send(key)
    assert right is not None
    assert right.status == 200, right.body
    whole = desk.effect()
    for how, reply in desk.hit(moment, key):
        with subtests.test(how):
            if reply is not None and reply.status == 200:
                assert without_secret(reply.body) == without_secret(right.body)
                assert ("api_key" in reply.data) is ("api_key" in right.data)
                assert desk.effect() == whole
            else:
                assert reply is None or (reply.status, reply.code) == (503, "busy")
                assert desk.effect() in ([], whole)
            if key:
                again = desk.send(key)
                assert again is not None
                assert without_secret(again.body) == without_secret(right.body)
                assert desk.effect() == whole
