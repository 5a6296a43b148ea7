"""Requests and responses as API Gateway carries them."""

import base64
import json
from decimal import Decimal
from typing import Any

import pytest

from vitals.domain.errors import (
    InvalidBodyError,
    PayloadTooLargeError,
    UnsupportedMediaTypeError,
)
from vitals.runtime.http import LARGEST_BODY, Request, Response, json_object, request_of


def event(body: str | None = None, **changes: Any) -> dict[str, Any]:
    """Return an event of payload format 2.0."""
    return {
        "version": "2.0",
        "rawPath": "/functions/v1/api-inbound",
        "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": "POST", "path": "/functions/v1/api-inbound"}},
        "isBase64Encoded": False,
        **({} if body is None else {"body": body}),
        **changes,
    }


def read(body: str | bytes, content_type: str | None = "application/json") -> dict[str, Any]:
    """Return the object in *body*, sent in base64 if it is bytes."""
    headers = {} if content_type is None else {"Content-Type": content_type}
    if isinstance(body, bytes):
        sent = base64.b64encode(body).decode()
        return json_object(request_of(event(sent, headers=headers, isBase64Encoded=True), "t"))
    return json_object(request_of(event(body, headers=headers), "t"))


@pytest.mark.parametrize(
    "body", ['{"a": "é"}', '{"a": "é"}'.encode(), b'\xef\xbb\xbf{"a": "\\u00e9"}']
)
def test_a_body_is_read_as_text_or_base64_with_or_without_a_mark(body: str | bytes) -> None:
    assert read(body) == {"a": "é"}


def test_no_body_is_an_empty_object() -> None:
    assert json_object(request_of(event(), "t")) == {}
    assert json_object(request_of(event(body=None), "t")) == {}
    assert read("") == read("  \n") == {}


def test_fractions_are_exact() -> None:
    assert read('{"a": 0.1, "b": 1e2, "c": 3}') == {"a": Decimal("0.1"), "b": 100, "c": 3}


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
        "text/json",
        "application/vnd.api+json",
    ],
)
def test_json_by_any_name_or_none_is_taken(content_type: str | None) -> None:
    assert read('{"a": 1}', content_type) == {"a": 1}


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "json"],
)
def test_another_content_type_is_unsupported(content_type: str) -> None:
    with pytest.raises(UnsupportedMediaTypeError, match="send JSON"):
        read('{"a": 1}', content_type)


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "[1, 2]",
        '"text"',
        "5",
        "null",
        "a=1&b=2",
        '{"a": NaN}',
        '{"a": -Infinity}',
        '{"a": 1e99999999999999999999}',
        '{"a": ' + "1" * 5000 + "}",
        "[" * 200_000,
        '{"a":' * 200_000,
        '{"a": "\\ud800"}',
        '{"a": "\\uD83D"}',
        '{"\\udc00": 1}',
        '{"a": "\ud800"}',
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": "\xff"}',
        '{"a": 1}'.encode("utf-16"),
        '{"a": "\\ud800"}'.encode("utf-16"),
    ],
    ids=lambda body: repr(body)[:25],
)
def test_what_is_no_json_object_is_refused(body: str | bytes) -> None:
    with pytest.raises(InvalidBodyError, match="the body is"):
        read(body)


@pytest.mark.parametrize(
    "body", ['{"a": "\\ud83d\\ude00"}', '{"a": "\\uD83D\\uDE00"}', '{"a": "😀"}']
)
def test_a_pair_of_surrogates_is_a_character(body: str) -> None:
    assert read(body) == {"a": "😀"}


def test_a_body_has_at_most_one_mebibyte() -> None:
    frame = len('{"a": ""}')
    largest = '{"a": "' + "x" * (LARGEST_BODY - frame) + '"}'
    assert len(read(largest)["a"]) == LARGEST_BODY - frame
    with pytest.raises(PayloadTooLargeError, match="1048577 bytes"):
        read(largest + " ")
    # Bytes count, not characters.
    with pytest.raises(PayloadTooLargeError):
        read('{"a": "' + "é" * (LARGEST_BODY // 2) + '"}')


def test_header_names_have_no_case_and_a_query_is_decoded() -> None:
    request = request_of(
        event(
            headers={"X-API-Key": "k", "Content-TYPE": "text/json"},
            rawQueryString="action=get_customer&name=Acme%20Corp&note=&tag=a&tag=b&x=%ED%A0%80+y",
        ),
        "trace-1",
    )
    assert request.headers == {"x-api-key": "k", "content-type": "text/json"}
    assert request.query["name"] == "Acme Corp"
    assert request.query["note"] == ""
    assert request.query["tag"] == "a,b"
    assert request.query["x"].endswith(" y")
    request.query["x"].encode()
    assert (request.method, request.path) == ("POST", "/functions/v1/api-inbound")
    assert request.trace_id == "trace-1"


def test_an_event_may_leave_out_what_is_empty() -> None:
    request = request_of({"requestContext": {"http": {"method": "get"}}}, "t")
    assert request == Request("GET", "/", {}, {}, b"", "t")


def test_a_fingerprint_tells_requests_apart_by_all_that_they_ask() -> None:
    asked = event('{"a": 1}', rawQueryString="action=upsert_account&name=Acme")
    same = request_of(asked, "trace-1").fingerprint
    assert request_of(asked, "trace-2").fingerprint == same
    others = [
        event('{"a": 2}', rawQueryString=asked["rawQueryString"]),
        event('{"a": 1}', rawQueryString="action=upsert_account&name=Other"),
        event('{"a": 1}', rawQueryString=asked["rawQueryString"], rawPath="/other"),
    ]
    assert same not in {request_of(other, "t").fingerprint for other in others}


def test_a_response_carries_json_and_the_trace_id() -> None:
    shown = Response(200, {"score": Decimal("75.8333"), "name": "é"}, {"X-Own": "1"}).event("t-1")
    assert shown["statusCode"] == 200
    assert json.loads(shown["body"]) == {"score": 75.8333, "name": "é"}
    assert shown["headers"] == {
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
        "X-Trace-Id": "t-1",
        "X-Own": "1",
    }
    assert Response(204).event("t-1")["body"] == ""
    assert Response(200, []).event("t-1")["body"] == "[]"
