"""The HTTP API of a local cloud: requests to functions, and what becomes of them."""

import base64
import http.client
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Cloud, Response

INTERNAL = (500, b'{"message":"Internal Server Error"}')


def ordered(cloud: "Cloud", path: str = "/", method: str = "GET", **order: object) -> "Response":
    return cloud.request(method, f"{path}?order={quote(json.dumps(order))}")


def seen(response: "Response") -> Any:
    assert response.status == 200
    return response.json()


def raw(cloud: "Cloud", request: bytes) -> bytes:
    """Send *request* as it is, and return all that comes back until the connection closes."""
    with socket.create_connection(("127.0.0.1", cloud.port), timeout=20) as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        answer = b""
        while data := client.recv(65536):
            answer += data
        return answer


def body_of(answer: bytes) -> Any:
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def test_a_request_is_an_event_of_payload_format_2(echo_cloud: "Cloud") -> None:
    sent = {"action": "upsert_account", "data": {"name": "Zoë"}}
    response = echo_cloud.action("upsert_account", {"name": "Zoë"})
    event = seen(response)["event"]
    assert (event["version"], event["routeKey"]) == ("2.0", "POST /functions/v1/api-inbound")
    assert json.loads(event["body"]) == sent
    assert event["isBase64Encoded"] is False
    assert event["headers"]["x-api-key"] == echo_cloud.key
    assert event["requestContext"]["http"] == {
        "method": "POST",
        "path": "/functions/v1/api-inbound",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "",
    }
    assert response.headers["apigw-requestid"] == event["requestContext"]["requestId"]


def test_odd_paths_queries_and_headers_arrive_as_they_were_sent(echo_cloud: "Cloud") -> None:
    answer = raw(
        echo_cloud,
        b"GET /v1/customers/A%20B?tag=a&tag=b&e&q=%C3%A9+x&o=%zz HTTP/1.1\r\n"
        b"Host: localhost\r\nX-Tag: a\r\nx-tag: b,c\r\nCookie: k=v; l=w\r\nX-Empty:\r\n\r\n",
    )
    event = body_of(answer)["event"]
    assert event["rawQueryString"] == "tag=a&tag=b&e&q=%C3%A9+x&o=%zz"
    assert event["queryStringParameters"] == {"tag": "a,b", "e": "", "q": "é x", "o": "%zz"}
    assert event["pathParameters"] == {"id": "A B"}
    assert event["rawPath"] == "/v1/customers/A B"
    assert (event["headers"]["x-tag"], event["headers"]["x-empty"]) == ("a,b,c", "")
    assert event["cookies"] == ["k=v", "l=w"]
    assert event["requestContext"]["domainName"] == "localhost"


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("http://localhost:1/a/b?c", "/a/b"),
        ("http://[::1", "/"),
        ("//a//b", "/a//b"),
        ("a", "/a"),
        ("*", "*"),
    ],
)
def test_every_form_of_target_has_a_path(echo_cloud: "Cloud", target: str, path: str) -> None:
    answer = raw(echo_cloud, f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert body_of(answer)["event"]["rawPath"] == path


def test_a_body_too_large_to_be_asked_for_is_refused_at_once(echo_cloud: "Cloud") -> None:
    head = b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n"
    assert raw(echo_cloud, head).startswith(b"HTTP/1.1 413 ")


def test_a_form_is_base64_as_in_api_gateway(echo_cloud: "Cloud") -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    event = seen(echo_cloud.request("POST", "/", "a=1", headers))["event"]
    assert (event["body"], event["isBase64Encoded"]) == ("YT0x", True)


@pytest.mark.parametrize("method", ["GET", "OPTIONS", "PUT", "PATCH", "DELETE"])
def test_every_method_reaches_the_default_route(echo_cloud: "Cloud", method: str) -> None:
    event = seen(echo_cloud.request(method, "/nowhere"))["event"]
    assert event["routeKey"] == "$default"
    assert event["requestContext"]["http"]["method"] == method


def test_head_has_the_headers_of_an_answer_without_its_body(echo_cloud: "Cloud") -> None:
    answer = raw(echo_cloud, b'HEAD /?order={"answer":"hello"} HTTP/1.1\r\nHost: x\r\n\r\n')
    headers, _, body = answer.partition(b"\r\n\r\n")
    assert b"Content-Length: 5" in headers
    assert body == b""


def test_a_connection_serves_many_requests(echo_cloud: "Cloud") -> None:
    connection = http.client.HTTPConnection("127.0.0.1", echo_cloud.port, timeout=20)
    connection.connect()
    first = connection.sock
    for _ in range(3):
        connection.request("POST", "/", "{}", {"content-type": "application/json"})
        assert json.loads(connection.getresponse().read())["event"]["body"] == "{}"
        assert connection.sock is first
    connection.close()


def test_a_chunked_body_is_put_together(echo_cloud: "Cloud") -> None:
    answer = raw(
        echo_cloud,
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
        b"3;name=value\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n",
    )
    event = body_of(answer)["event"]
    assert event["body"] == "abc0123456789"
    assert event["headers"]["content-length"] == "13"


def test_a_body_that_waits_to_be_asked_for_is_asked_for(echo_cloud: "Cloud") -> None:
    with socket.create_connection(("127.0.0.1", echo_cloud.port), timeout=5) as client:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n"
        client.sendall(head + b"Content-Type: text/plain\r\nExpect: 100-continue\r\n\r\n")
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"ok")
        answer = b""
        while data := client.recv(65536):
            answer += data
    assert body_of(answer)["event"]["body"] == "ok"


@pytest.mark.parametrize("size", [10 * 1024 * 1024 + 1, 7 * 1024 * 1024])
def test_a_body_that_aws_would_not_take_is_a_413(echo_cloud: "Cloud", size: int) -> None:
    response = echo_cloud.request("POST", "/", b"x" * size, {"content-type": "text/plain"})
    assert (response.status, response.body) == (413, b'{"message":"Request Entity Too Large"}')


def test_a_body_below_lambdas_limit_arrives_whole(echo_cloud: "Cloud") -> None:
    body = b"x" * (2 * 1024 * 1024)
    response = echo_cloud.request("POST", "/", body, {"content-type": "text/plain"})
    assert seen(response)["event"]["body"] == body.decode()


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),  # TLS
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 505),
        (b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: five\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", 431),
    ],
)
def test_what_is_no_request_is_refused_in_json(
    echo_cloud: "Cloud", request_bytes: bytes, status: int
) -> None:
    answer = raw(echo_cloud, request_bytes)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert set(body_of(answer)) == {"message"}
    assert echo_cloud.request("GET", "/").status == 200


def test_a_client_that_goes_away_is_no_error(echo_cloud: "Cloud") -> None:
    with socket.create_connection(("127.0.0.1", echo_cloud.port)) as client:
        client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf")
    assert echo_cloud.request("GET", "/").status == 200
    assert "gateway.py" not in echo_cloud.output


def test_an_answer_becomes_the_response(echo_cloud: "Cloud") -> None:
    answer = {
        "statusCode": 402,
        "headers": {"Content-Type": "application/problem+json", "content-length": "999"},
        "cookies": ["a=1", "b=2"],
        "body": base64.b64encode(b"\x00\xff").decode(),
        "isBase64Encoded": True,
    }
    response = ordered(echo_cloud, answer=answer)
    assert (response.status, response.body) == (402, b"\x00\xff")
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers.get_all("set-cookie") == ["a=1", "b=2"]
    assert response.headers.get_all("content-length") == ["2"]


def test_an_answer_that_is_no_response_is_a_500(echo_cloud: "Cloud") -> None:
    response = ordered(echo_cloud, answer={"statusCode": 200, "body": {"a": 1}})
    assert (response.status, response.body) == INTERNAL
    assert "its answer is no response: body is not a string" in echo_cloud.output


def test_an_answer_beyond_lambdas_limit_is_a_500(echo_cloud: "Cloud") -> None:
    response = ordered(echo_cloud, size=6 * 1024 * 1024)
    assert (response.status, response.body) == INTERNAL


def test_an_exception_is_a_500_and_its_traceback_is_on_the_console(echo_cloud: "Cloud") -> None:
    before = seen(ordered(echo_cloud))["pid"]
    response = ordered(echo_cloud, **{"raise": "what went wrong"})
    assert (response.status, response.body) == INTERNAL
    assert seen(ordered(echo_cloud))["pid"] == before
    assert "EchoFunction: ValueError: what went wrong" in echo_cloud.output
    assert 'raise ValueError(order["raise"])' in echo_cloud.output


def test_a_timeout_ends_the_worker_and_is_a_500(echo_cloud: "Cloud") -> None:
    before = seen(ordered(echo_cloud))["pid"]
    started = time.monotonic()
    response = ordered(echo_cloud, sleep=30)
    assert 2 <= time.monotonic() - started < 30
    assert (response.status, response.body) == INTERNAL
    assert seen(ordered(echo_cloud))["pid"] != before
    assert "EchoFunction: Sandbox.Timedout: Task timed out after 2.00 seconds" in echo_cloud.output


def test_a_function_slower_than_its_integration_is_a_503(echo_cloud: "Cloud") -> None:
    response = ordered(echo_cloud, "/hasty", sleep=0.8)
    assert (response.status, response.body) == (503, b'{"message":"Service Unavailable"}')


def test_a_worker_that_dies_is_a_500_and_another_takes_over(echo_cloud: "Cloud") -> None:
    response = ordered(echo_cloud, exit=3)
    assert (response.status, response.body) == INTERNAL
    assert "Runtime exited with error: exit status 3" in echo_cloud.output
    assert ordered(echo_cloud).status == 200


def test_a_function_that_cannot_start_is_a_500_every_time(echo_cloud: "Cloud") -> None:
    for _ in range(3):
        response = echo_cloud.request("GET", "/broken")
        assert (response.status, response.body) == INTERNAL
    said = "BrokenFunction: Runtime.ImportModuleError: Unable to import module 'missing'"
    assert echo_cloud.output.count(said) == 3


def test_requests_run_side_by_side_in_workers_of_their_own(echo_cloud: "Cloud") -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ordered(echo_cloud), range(8)))  # to have the workers warm
        answers = list(pool.map(lambda _: ordered(echo_cloud, sleep=0.5), range(4)))
    assert len({seen(answer)["pid"] for answer in answers}) == 4


def test_more_requests_than_workers_wait_their_turn(echo_cloud: "Cloud") -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: ordered(echo_cloud, sleep=0.1), range(16)))
    assert len({seen(answer)["pid"] for answer in answers}) <= 4


def test_a_function_has_the_environment_and_context_that_lambda_gives(echo_cloud: "Cloud") -> None:
    answer = seen(echo_cloud.request("GET", "/"))
    environment, context = answer["environment"], answer["context"]
    assert environment["TABLE_NAME"] == "stand-in"
    assert environment["VITALS_LIMIT_READS"] == "20"  # as the local cloud's own environment says
    assert environment["AWS_ENDPOINT_URL_DYNAMODB"].startswith("http://127.0.0.1:")
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == context["function_name"] == "EchoFunction"
    assert "HOME" not in environment
    assert context["memory"] == "128"
    assert context["arn"].endswith(":function:EchoFunction")
    assert 0 < context["remaining"] <= 2000


def test_the_console_has_a_line_for_a_request_and_the_log_what_the_function_said(
    echo_cloud: "Cloud",
) -> None:
    echo_cloud.request("GET", "/v1/customers/7?secret=1")
    [line] = [line for line in echo_cloud.output.splitlines() if "/v1/customers/7" in line]
    method, path, status, milliseconds, unit = line.split()
    assert (method, path, status, unit) == ("GET", "/v1/customers/7", "200", "ms")
    assert milliseconds.isdigit()
    assert "seen " not in echo_cloud.output
    assert "seen " in (echo_cloud.folder / "logs" / "EchoFunction.log").read_text()
