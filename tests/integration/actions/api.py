"""The actions function, called in process with the events that API Gateway would send it."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from tests.builders import NOW, a_tenant, founding, giving

import actions
import jobs
from vitals.domain.access import ALL_SCOPES, ApiKey, Tenant
from vitals.runtime.api_keys import digest, make_key
from vitals.runtime.clock import new_id
from vitals.runtime.settings import settings
from vitals.runtime.wiring import wiring
from vitals.storage.table import Table

PLATFORM = "01PLATFORM"
"""In whose audit the making of the tests' tenants and keys stands."""
PATH = "/functions/v1/api-inbound"


@dataclass(frozen=True)
class Reply:
    """One response: its status, its headers by lower-case name, its body."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def data(self) -> Any:
        """What the answer of a success is about."""
        assert self.status == 200, self.body
        return self.body["data"]

    @property
    def code(self) -> str:
        """The stable code of a problem."""
        assert self.headers["content-type"] == "application/problem+json", self.body
        return str(self.body["code"])

    @property
    def refused(self) -> dict[str, str]:
        """The fields that were refused, each with its code."""
        return {error["field"]: error["code"] for error in self.body["errors"]}

    @property
    def warned(self) -> set[tuple[str, str]]:
        """The warnings of a success, as (code, field)."""
        return {(each["code"], each["field"]) for each in self.body["warnings"]}


def _read(answer: Mapping[str, Any]) -> Any:
    kind = answer["headers"]["Content-Type"]
    body = answer["body"]
    if kind.startswith("text/"):
        return body
    return json.loads(body) if body else None


@dataclass
class Clock:
    """What the function's clock says; tests move it."""

    now: datetime = NOW

    def sleep(self, seconds: float) -> None:
        """Wait, which moves the clock, to the millisecond."""
        self.now += timedelta(milliseconds=round(seconds * 1000))


@dataclass
class LambdaContext:
    """What Lambda hands a function beside the event."""

    aws_request_id: str = "trace-1"
    seconds: float = 29

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


@dataclass
class Api:
    """The function as the holder of one key sees it."""

    table: Table
    tenant: Tenant
    key: str
    clock: Clock
    context: LambdaContext = field(default_factory=LambdaContext)

    def post(self, action: str, data: object = None, /, **headers: str) -> Reply:
        """Call an action by POST, as the source documents it."""
        body = {"action": action, "data": {} if data is None else data}
        return self.send("POST", body=body, **headers)

    def get(self, action: str, /, **parameters: object) -> Reply:
        """Call an action by GET."""
        return self.send("GET", query={"action": action, **parameters})

    def send(
        self,
        method: str,
        *,
        path: str = PATH,
        query: Mapping[str, object] | str = "",
        body: object = None,
        **headers: str,
    ) -> Reply:
        """Send any request; header names are spelled with underscores, None leaves one out."""
        given = {"x_api_key": self.key, "content_type": "application/json", **headers}
        event = {
            "version": "2.0",
            "routeKey": f"{method} {path}",
            "rawPath": path,
            "rawQueryString": query if isinstance(query, str) else urlencode(query),
            "headers": {name.replace("_", "-"): value for name, value in given.items() if value},
            "requestContext": {"http": {"method": method, "path": path}},
            "isBase64Encoded": False,
        }
        if body is not None:
            event["body"] = body if isinstance(body, str) else json.dumps(body)
        return self.called(event)

    def encoded(self, body: object) -> Reply:
        """Send a POST whose body API Gateway took for binary."""
        return self.called(
            {
                "rawPath": PATH,
                "headers": {"x-api-key": self.key},
                "requestContext": {"http": {"method": "POST", "path": PATH}},
                "isBase64Encoded": True,
                "body": b64encode(json.dumps(body).encode()).decode(),
            }
        )

    def called(self, event: Mapping[str, Any]) -> Reply:
        """Return what the function answers to an event."""
        answer = actions.handler(event, self.context)
        return Reply(
            answer["statusCode"],
            {name.lower(): value for name, value in answer["headers"].items()},
            _read(answer),
        )

    def upsert(self, name: str = "Acme Corp", /, **fields: object) -> Any:
        """Upsert a customer and return it as it then stands."""
        return self.post("upsert_account", {"name": name, **fields}).data

    def customer(self, **reference: object) -> Any:
        """Return a customer as get_customer shows it."""
        return self.get("get_customer", **reference).data

    def later(self, **units: float) -> None:
        """Let time pass."""
        self.clock.now += timedelta(**units)

    def another_key(self, *scopes: str, **fields: Any) -> Api:
        """Return the API as the holder of a new key of the same tenant sees it."""
        key = new_key(self.tenant, self.clock.now, scopes, **fields)
        return Api(self.table, self.tenant, key, self.clock)

    def another_tenant(self, **fields: Any) -> Api:
        """Return the API of a new tenant beside this one."""
        return an_api(self.table, self.clock, **fields)

    def job(self, action: str, data: object = None, /) -> Any:
        """Call an action that starts a job, run it, and return it as it then is."""
        reply = self.post(action, data)
        assert reply.status == 200, reply.body
        self.run_jobs()
        return self.get("get_job", id=reply.body["job_id"]).data

    def run_jobs(self) -> None:
        """Run whatever is queued until nothing is, as the queue does; the clock moves in waits."""
        for _ in range(20):
            messages = self.queued()
            for message in messages:
                answer = jobs.handler({"Records": [message]}, self.context)
                assert answer == {"batchItemFailures": []}
            if not messages:
                return
        raise AssertionError("jobs are queued again and again")

    def queued(self) -> list[dict[str, Any]]:
        """Return a message for every job that is queued, as the pipe would send it."""
        return [
            {
                "messageId": item.SK,
                "body": json.dumps(
                    {"dynamodb": {"Keys": {"PK": {"S": item.PK}, "SK": {"S": item.SK}}}}
                ),
            }
            for item in self.table.item.scan(consistent_read=True)
            if item.state == "queued" and item.queue is None
        ]

    def queued_reports(self) -> list[dict[str, str]]:
        """Return a message for every report job that is queued, as the reactions would send it."""
        return [
            {"tenant_id": item.PK.split("#")[1], "job_id": item.SK}
            for item in self.table.item.scan(consistent_read=True)
            if item.state == "queued" and item.queue == "reports"
        ]

    def restart(self) -> None:
        """Have the function forget what it remembers between requests, as in a cold start."""
        forget()

    def stored(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Return every item by key, but counters, the request log and a key's last use."""
        items = [item.to_simple_dict() for item in self.table.item.scan(consistent_read=True)]
        for item in items:
            if item["SK"] == "KEY":
                item.pop("doc", None)
        return {
            (item["PK"], item["SK"]): item
            for item in items
            if not item["PK"].endswith(("#R", "#LOG"))
        }


def forget() -> None:
    """Have the function read its settings, keys and tenants anew."""
    settings.cache_clear()
    wiring.cache_clear()


def an_api(table: Table, clock: Clock, **fields: Any) -> Api:
    """Return the API of a new tenant, with a key of every scope."""
    now = clock.now
    tenant = Tenant(**{"id": new_id(now), "name": "Testers", "created_at": now, **fields})
    wiring().administration.commit(a_tenant(id=PLATFORM), founding(tenant))
    return Api(table, tenant, new_key(tenant, now, ALL_SCOPES), clock)


def new_key(tenant: Tenant, now: datetime, scopes: tuple[str, ...], **fields: Any) -> str:
    """Store a new key of *tenant* and return its secret."""
    secret = make_key()
    given: dict[str, Any] = {
        "id": new_id(now),
        "tenant_id": tenant.id,
        "name": "a key",
        "scopes": scopes,
        "created_at": now,
        "prefix": secret[:12],
    }
    key = ApiKey(**{**given, **fields})
    wiring().administration.commit(a_tenant(id=PLATFORM), giving(key, digest(secret)))
    return secret
