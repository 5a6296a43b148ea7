"""One call of an operation: what it was sent, checked against the document, and its reply."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from resources.operations import Operation
from vitals.domain.errors import (
    FieldError,
    InvalidCursorError,
    PreconditionFailedError,
    UnprocessableError,
    ValidationError,
    VersionConflictError,
)
from vitals.runtime.http import Request, Response
from vitals.runtime.serve import Exchange
from vitals.usecases.context import Answer, Context, Idempotency

_KEY = re.compile(r"[!-~]([ -~]{0,253}[!-~])?")
_ETAG = re.compile(r'"([0-9]{1,15})"')
UseCase = Callable[[Context, Mapping[str, Any]], Answer]


class Call:
    """One request of an operation: its *variables* of the path, its *query* and its *body*.

    The query and the body are as the OpenAPI document says they may be. Raises ValidationError for
    any others.
    """

    context: Context

    def __init__(
        self,
        exchange: Exchange,
        operation: Operation,
        variables: Mapping[str, str],
        body: dict[str, Any],
    ) -> None:
        self.request: Request = exchange.request
        self.operation = operation
        self.variables = variables
        self.query: Mapping[str, Any] = {}
        self.body = body
        if self.request.query or operation.takes_body:
            from resources.validation import checked  # noqa: PLC0415 - most reads ask for nothing

            self.query = checked(operation.id, self.request.query, body)

    @property
    def idempotency(self) -> Idempotency | None:
        """Return the Idempotency-Key of a request that writes.

        A structured string in quotes is the key that stands between them
        (draft-ietf-httpapi-idempotency-key-header).
        """
        key = self.request.headers.get("idempotency-key")
        if key is None or self.request.method == "GET":
            return None
        if not _KEY.fullmatch(key):
            message = "must be 1 to 255 printable ASCII characters"
            raise ValidationError([FieldError("Idempotency-Key", "bad_form", message)])
        if len(key) > len('""') and key[0] == key[-1] == '"':
            key = key[1:-1]
        return Idempotency(key, self.request.fingerprint)

    @property
    def if_match(self) -> dict[str, int]:
        """Return the `if_version` that If-Match asks for, nothing if it asks for none or any."""
        given = self.request.headers.get("if-match", "*")
        if given == "*":
            return {}
        found = _ETAG.fullmatch(given)
        if found is None:
            # Of whatever else it speaks, it is no version of ours.
            raise PreconditionFailedError(
                f"If-Match: {given[:80]} is no ETag of this resource: send the one that was read"
            )
        return {"if_version": int(found[1])}

    def ask(self, use_case: UseCase, given: Mapping[str, Any]) -> Answer:
        """Return the answer of *use_case*.

        What it refuses is well formed, as the document was asked first: so it is unprocessable
        (LU-086). A version that If-Match named and that is no more is a failed precondition.
        """
        try:
            return use_case(self.context, given)
        except ValidationError as refused:
            raise UnprocessableError(refused.errors) from refused
        except InvalidCursorError as refused:
            wrong = FieldError("cursor", refused.code, refused.detail)
            raise UnprocessableError([wrong]) from refused
        except VersionConflictError as stale:
            if "if-match" not in self.request.headers:
                raise
            raise PreconditionFailedError(stale.detail, extra=stale.extra) from stale

    def reply(
        self, body: Any, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Return the response, marked where a stored answer was given again."""
        found = dict(headers or {})
        if self.context.replays:
            found["Idempotency-Replayed"] = "true"
        return Response(status, body, found)


def refuse_any(query: Mapping[str, str]) -> None:
    """Raise ValidationError if *query* asks for anything, where nothing can be asked for."""
    if query:
        message = "is no parameter that is read here"
        raise ValidationError([FieldError(name, "unknown_field", message) for name in query])


def page_of(answer: Answer, show: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """Return the page that *answer* holds, each of its rows as *show* shows it (LU-030)."""
    return {
        "data": [show(row) for row in answer["data"]],
        "next_cursor": answer.get("next_cursor"),
        "has_more": answer.get("has_more", False),
    }


def etag(version: int) -> dict[str, str]:
    """Return the header that names a version of a resource (RFC 9110, section 8.8.3)."""
    return {"ETag": f'"{version}"'}
