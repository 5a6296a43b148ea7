"""The rest function, called in process; every response is held against the OpenAPI document."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

import jsonschema_rs
from tests.integration.actions import api as actions
from tests.integration.actions.api import Api

import rest
from resources.operations import OPERATIONS, operation_of
from resources.validation import DOCUMENT

DOC: Mapping[str, Any] = json.loads(DOCUMENT.read_bytes())


class Reply(actions.Reply):
    """One response of the resource API."""

    @property
    def etag(self) -> str:
        """What names the version."""
        return self.headers["etag"]


@dataclass(frozen=True)
class Rest:
    """The resource API as the holder of one key sees it."""

    api: Api

    def get(self, path: str, /, **query: object) -> Reply:
        """Read."""
        return self.send("GET", path, query=urlencode(query))

    def post(self, path: str, body: object = None, /, **headers: str) -> Reply:
        """Create."""
        return self.send("POST", path, body, **headers)

    def patch(self, path: str, body: object, /, **headers: str) -> Reply:
        """Change."""
        return self.send("PATCH", path, body, **headers)

    def delete(self, path: str, /, **headers: str) -> Reply:
        """Delete; the path may bear a query."""
        return self.send("DELETE", path, **headers)

    def created(self, **fields: object) -> dict[str, Any]:
        """Create a customer and return it."""
        reply = self.post("/v1/customers", {"name": "Acme Corp", **fields})
        assert reply.status == 201, reply.body
        found: dict[str, Any] = reply.body
        return found

    def holding(self, *scopes: str) -> Rest:
        """Return the API as a key of the same tenant with *scopes* alone sees it."""
        return Rest(self.api.another_key(*scopes))

    def send(
        self, method: str, path: str, body: object = None, query: str = "", **headers: str
    ) -> Reply:
        """Send any request; header names are spelled with underscores, a blank leaves one out."""
        where, _, more = path.partition("?")
        bearer = {"authorization": f"Bearer {self.api.key}", "content_type": "application/json"}
        event = {
            "version": "2.0",
            "rawPath": where,
            "rawQueryString": "&".join(filter(None, (more, query))),
            "headers": {
                name.replace("_", "-"): value for name, value in (bearer | headers).items() if value
            },
            "requestContext": {"http": {"method": method, "path": where, "sourceIp": "192.0.2.1"}},
            "isBase64Encoded": False,
        }
        if body is not None:
            event["body"] = body if isinstance(body, str) else json.dumps(body)
        return self.called(event)

    def called(self, event: Mapping[str, Any]) -> Reply:
        """Return what the function answers to an event, which the document must know."""
        answer = rest.handler(event, self.api.context)
        kind, text = answer["headers"]["Content-Type"], answer["body"]
        body = json.loads(text) if text and "json" in kind else text or None
        headers = {name.lower(): value for name, value in answer["headers"].items()}
        reply = Reply(answer["statusCode"], headers, body)
        operation, _ = operation_of(event["requestContext"]["http"]["method"], event["rawPath"])
        if operation is not None:
            keeps_the_contract(operation.id, reply)
        return reply


def place(path: str, **variables: str) -> str:
    """Return *path* with its variables filled in."""
    return re.sub(r"{(\w+)}", lambda found: quote(variables[found[1]], safe=""), path)


def keeps_the_contract(operation_id: str, reply: Reply) -> None:
    """Assert that the document knows the status, the headers and the body of *reply*."""
    operation = OPERATIONS[operation_id]
    said = DOC["paths"][operation.path][operation.method.lower()]["responses"]
    assert str(reply.status) in said, (operation_id, reply.status, reply.body)
    response = _resolved(said[str(reply.status)])
    for name in response.get("headers", {}):
        if name not in ("Idempotency-Replayed", "Location"):
            assert name.lower() in reply.headers, (operation_id, name)
    if "content" not in response:
        assert reply.body is None
        return
    [(kind, content)] = response["content"].items()
    assert reply.headers["content-type"].partition(";")[0] == kind
    errors = list(_validator(json.dumps(content["schema"])).iter_errors(reply.body))
    assert not errors, (operation_id, [str(error)[:400] for error in errors[:3]])


def _resolved(given: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in given:
        return given
    _, _, kind, name = given["$ref"].split("/")
    found: Mapping[str, Any] = DOC["components"][kind][name]
    return found


@cache
def _validator(schema: str) -> Any:
    whole = {**json.loads(schema), "components": {"schemas": DOC["components"]["schemas"]}}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
