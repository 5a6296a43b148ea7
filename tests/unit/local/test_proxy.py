"""Payload format 2.0, both ways."""

import base64
import json
import re
from typing import Any

import pytest
from local import proxy
from local.proxy import MalformedResponseError, Request, to_event, to_response
from local.routes import Match
from local.template import Route

DEFAULT = Match(Route("ANY", "$default", "Function", 30), {})


def event(
    target: str = "/",
    *headers: tuple[str, str],
    method: str = "GET",
    body: bytes = b"",
    match: Match = DEFAULT,
) -> dict[str, Any]:
    return to_event(
        Request(method, target, "HTTP/1.1", list(headers), body, "192.0.2.7", 3000), match
    )


def test_a_browsers_request_makes_the_event_that_api_gateway_records() -> None:
    """The shape is that of the recorded event in the Lambda developer guide (nodejs-apig)."""
    recorded = event(
        "/default/app?a=1",
        ("Host", "r3pmxmplak.execute-api.us-east-2.amazonaws.com"),
        ("Accept-Encoding", "gzip, deflate, br"),
        ("Cookie", "s_fid=7AABXMPL; regStatus=pre-register"),
        ("Upgrade-Insecure-Requests", "1"),
        ("User-Agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"),
        ("Connection", "keep-alive"),
        match=Match(Route("ANY", "/default/app", "Function", 30), {}),
    )
    context = recorded["requestContext"]
    assert re.fullmatch(r"[A-Za-z0-9+/]{15}=", context.pop("requestId"))
    assert re.fullmatch(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000", context.pop("time"))
    assert len(str(context.pop("timeEpoch"))) == 13
    trace = recorded["headers"].pop("x-amzn-trace-id")
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", trace)
    assert recorded == {
        "version": "2.0",
        "routeKey": "ANY /default/app",
        "rawPath": "/default/app",
        "rawQueryString": "a=1",
        "cookies": ["s_fid=7AABXMPL", "regStatus=pre-register"],
        "headers": {
            "accept-encoding": "gzip, deflate, br",
            "content-length": "0",
            "host": "r3pmxmplak.execute-api.us-east-2.amazonaws.com",
            "upgrade-insecure-requests": "1",
            "user-agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64)",
            "x-forwarded-for": "192.0.2.7",
            "x-forwarded-port": "3000",
            "x-forwarded-proto": "http",
        },
        "queryStringParameters": {"a": "1"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "local",
            "domainName": "r3pmxmplak.execute-api.us-east-2.amazonaws.com",
            "domainPrefix": "r3pmxmplak",
            "http": {
                "method": "GET",
                "path": "/default/app",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.7",
                "userAgent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64)",
            },
            "routeKey": "ANY /default/app",
            "stage": "$default",
        },
        "isBase64Encoded": False,
    }


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        ("name=Acme%20Corp", {"name": "Acme Corp"}),
        ("name=Acme+Corp", {"name": "Acme Corp"}),
        ("tag=a&tag=b&tag=a", {"tag": "a,b,a"}),
        ("flag&empty=", {"flag": "", "empty": ""}),
        ("a=b=c&=x", {"a": "b=c", "": "x"}),
        ("q=%C3%A9%F0%9F%98%80", {"q": "é😀"}),
        ("q=%zz%&r=%ff", {"q": "%zz%", "r": "\N{REPLACEMENT CHARACTER}"}),
        ("a=1;b=2", {"a": "1;b=2"}),
        ("a=1?b=2", {"a": "1?b=2"}),
    ],
)
def test_a_query_string_is_passed_as_sent_and_decoded(
    query: str, parameters: dict[str, str]
) -> None:
    found = event(f"/?{query}")
    assert found["rawQueryString"] == query
    assert found["queryStringParameters"] == parameters


@pytest.mark.parametrize("target", ["/", "/?", "/?&&"])
def test_no_parameters_are_no_field(target: str) -> None:
    assert "queryStringParameters" not in event(target)


def test_repeated_headers_are_joined_in_lower_case() -> None:
    found = event("/", ("X-Tag", "a"), ("x-tag", "b"), ("X-TAG", "c,d"))
    assert found["headers"]["x-tag"] == "a,b,c,d"


def test_hop_by_hop_headers_and_cookies_stay_behind() -> None:
    sent = [("Transfer-Encoding", "chunked"), ("Expect", "100-continue"), ("Cookie", "a=1")]
    assert not {"transfer-encoding", "expect", "cookie"} & set(event("/", *sent)["headers"])


def test_several_cookie_headers_are_one_list() -> None:
    assert event("/", ("Cookie", "a=1; b=2"), ("Cookie", "c=3"))["cookies"] == [
        "a=1",
        "b=2",
        "c=3",
    ]


def test_a_proxys_forwarded_for_is_continued() -> None:
    found = event("/", ("X-Forwarded-For", "203.0.113.9"))
    assert found["headers"]["x-forwarded-for"] == "203.0.113.9, 192.0.2.7"


def test_the_path_is_decoded_as_http_apis_do() -> None:
    found = event("/v1/Acme%20Corp%2F%C3%A9?x=%20")
    assert found["rawPath"] == found["requestContext"]["http"]["path"] == "/v1/Acme Corp/é"


def test_path_parameters_are_passed_where_a_route_has_them() -> None:
    match = Match(Route("GET", "/v1/{proxy+}", "Function", 30), {"proxy": "customers/1"})
    assert event("/v1/customers/1", match=match)["pathParameters"] == {"proxy": "customers/1"}
    assert "pathParameters" not in event("/v1/customers/1")


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON; charset=utf-8", "text/csv", "application/xml"],
)
def test_a_text_body_is_text(content_type: str) -> None:
    found = event("/", ("Content-Type", content_type), method="POST", body="é".encode())
    assert (found["body"], found["isBase64Encoded"]) == ("é", False)
    assert found["headers"]["content-length"] == "2"


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded", "application/problem+json", "image/png", ""],
)
def test_every_other_body_is_base64(content_type: str) -> None:
    headers = [("Content-Type", content_type)] if content_type else []
    found = event("/", *headers, method="POST", body=b"a=\xff")
    assert (base64.b64decode(found["body"]), found["isBase64Encoded"]) == (b"a=\xff", True)


def test_no_body_is_no_field() -> None:
    found = event("/", ("Content-Type", "image/png"), method="POST")
    assert "body" not in found
    assert found["isBase64Encoded"] is False


def test_a_full_answer_becomes_the_response() -> None:
    response = to_response(
        json.dumps(
            {
                "statusCode": 201,
                "headers": {"content-type": "application/problem+json", "X-Count": 3},
                "cookies": ["a=1; HttpOnly", "b=2"],
                "body": "é",
            }
        )
    )
    assert response == proxy.Response(
        201,
        [
            ("content-type", "application/problem+json"),
            ("X-Count", "3"),
            ("Set-Cookie", "a=1; HttpOnly"),
            ("Set-Cookie", "b=2"),
        ],
        "é".encode(),
    )


def test_a_full_answer_without_a_type_is_plain_text() -> None:
    assert to_response('{"statusCode": "204"}') == proxy.Response(
        204, [("Content-Type", "text/plain; charset=utf-8")], b""
    )


def test_a_base64_body_is_decoded() -> None:
    answer = {"statusCode": 200, "body": "AP8=", "isBase64Encoded": True}
    assert to_response(json.dumps(answer)).body == b"\x00\xff"


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        ('{"name": "é"}', '{"name": "é"}'),
        ('"Hello from Lambda!"', "Hello from Lambda!"),
        ("[1, 2]", "[1, 2]"),
        ("null", "null"),
        ("<not json>", "<not json>"),
        ('{"body": "x", "headers": {}}', '{"body": "x", "headers": {}}'),
    ],
)
def test_an_answer_without_a_status_is_the_body_of_a_200(answer: str, body: str) -> None:
    response = to_response(answer)
    assert (response.status, response.body.decode()) == (200, body)
    assert response.headers == [("Content-Type", "application/json")]


@pytest.mark.parametrize(
    "answer",
    [
        {"statusCode": "none"},
        {"statusCode": None},
        {"statusCode": 99},
        {"statusCode": 700},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "body": "%", "isBase64Encoded": True},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "headers": {"a": ["b"]}},
        {"statusCode": 200, "headers": {"a": "b\r\nInjected: 1"}},
        {"statusCode": 200, "headers": {"a b": "c"}},
        {"statusCode": 200, "cookies": "a=1"},
    ],
)
def test_an_answer_that_is_no_response_is_refused(answer: dict[str, Any]) -> None:
    with pytest.raises(MalformedResponseError):
        to_response(json.dumps(answer))
