import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.unit.delivery.receivers import (
    FOR_EVER,
    answer,
    answering,
    read_request,
    receiving,
    streaming,
    until_gone,
)

from vitals.delivery.http import RefusedAddressError, Response, UnreachableError, post

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

SOON = 0.15
"""How long an exchange may take here whose server never ends it."""
GENEROUS = 5.0
OK = answer("200 OK", b"ok")

Resolver = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(autouse=True)
def _nobody_to_talk_to() -> None:
    """Let these tests talk to the loopback, and to nobody else (the mark above)."""


@pytest.fixture(autouse=True)
def _soon_over() -> Iterator[None]:
    start = time.monotonic()
    yield
    assert time.monotonic() - start < GENEROUS


def send(url: str, seconds: float = GENEROUS, body: bytes = b"{}", **headers: str) -> Response:
    return post(url, body, headers, allow_local=True, seconds=seconds)


def failure(url: str, seconds: float = GENEROUS, body: bytes = b"{}") -> str:
    with pytest.raises(UnreachableError) as raised:
        send(url, seconds, body)
    said = str(raised.value)
    assert "SECRET" not in said
    assert "127.0.0.1" not in said
    return said


def resolving(*answers: str) -> tuple[Resolver, list[str]]:
    """Return a resolver that answers one address after another, and the names it was asked for."""
    asked: list[str] = []
    left = list(answers)

    def resolve(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        asked.append(host)
        found = left.pop(0).split()
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in found]

    return resolve, asked


def test_a_body_is_posted_with_its_headers() -> None:
    seen: list[bytes] = []
    with receiving(answering(OK, seen=seen)) as receiver:
        response = post(
            receiver.url, b'{"a":1}', {"Content-Type": "application/json"}, allow_local=True
        )
    assert (response.status, response.body, response.retry_after) == (200, "ok", None)
    head, _, body = seen[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /services/SECRET?token=SECRET HTTP/1.1"
    assert f"Host: 127.0.0.1:{receiver.port}" in lines
    assert "Content-Type: application/json" in lines
    assert body == b'{"a":1}'


@pytest.mark.parametrize("status", ["204 No Content", "410 Gone", "500 Oh", "404 Not Found"])
def test_any_status_is_an_answer(status: str) -> None:
    with receiving(answering(answer(status))) as receiver:
        assert send(receiver.url).status == int(status[:3])


def test_retry_after_is_kept_as_sent() -> None:
    with receiving(answering(answer("429 Slow", b"", "Retry-After: 120"))) as receiver:
        assert send(receiver.url).retry_after == "120"


def test_a_server_that_is_slow_but_in_time_is_heard() -> None:
    def behave(connected: socket.socket) -> None:
        read_request(connected)
        for byte in OK:
            connected.sendall(bytes([byte]))
            time.sleep(0.002)

    with receiving(behave) as receiver:
        assert send(receiver.url).body == "ok"


def test_a_server_that_hangs_is_given_up() -> None:
    with receiving(until_gone) as receiver:
        assert failure(receiver.url, SOON) == "no answer within 0.15 s"


def test_a_server_that_never_accepts_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening:
        port = listening.getsockname()[1]
        assert "no answer within" in failure(f"http://127.0.0.1:{port}/SECRET", SOON)


def test_a_server_that_never_reads_is_given_up() -> None:
    stop = threading.Event()
    with receiving(lambda _: void(stop.wait(GENEROUS))) as receiver:
        assert "no answer within" in failure(receiver.url, SOON, b"x" * 20_000_000)
        stop.set()


def test_a_server_that_reads_drop_by_drop_is_given_up() -> None:
    stop = threading.Event()

    def behave(connected: socket.socket) -> None:
        end = time.monotonic() + FOR_EVER
        while time.monotonic() < end and not stop.wait(0.005) and connected.recv(40_000):
            pass

    with receiving(behave) as receiver:
        start = time.monotonic()
        assert "no answer within" in failure(receiver.url, 0.4, b"x" * 50_000_000)
        assert time.monotonic() - start < FOR_EVER * 0.8
        stop.set()


def void(_: object) -> None:
    """Make a statement of an expression."""


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"x"),
        (b"HTTP/1.1 200 OK\r\n", b"X: x\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
    ids=["status", "header", "headers", "continue"],
)
def test_a_server_that_drips_its_headers_is_given_up(start: bytes, piece: bytes) -> None:
    with receiving(streaming(start, piece, 0.01)) as receiver:
        assert failure(receiver.url, SOON) == "no answer within 0.15 s"


@pytest.mark.parametrize(
    "start", [b"HTTP/1.1 200 OK\r\n", b"", b"HTTP/1.1 200 OK\r\nX: "], ids=["many", "one", "long"]
)
def test_headers_without_end_are_no_answer(start: bytes) -> None:
    with receiving(
        streaming(start, b"X: x\r\n" * 1000 if start[-1:] == b"\n" else b"x" * 9999)
    ) as r:
        assert failure(r.url) == "its answer is not HTTP"


def test_a_server_that_drips_its_body_has_answered() -> None:
    start = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    with receiving(streaming(start, b"x", 0.01)) as receiver:
        response = send(receiver.url, SOON)
    assert response.status == 200
    assert set(response.body) == {"x"}


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"\r\n", b"y" * 1000),
        (b"Content-Length: 999999999999\r\n\r\n", b"y" * 1000),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"3E8\r\n" + b"y" * 1000 + b"\r\n"),
    ],
    ids=["until closed", "long", "chunked"],
)
def test_a_body_without_end_is_kept_to_4_kb(head: bytes, piece: bytes) -> None:
    with receiving(streaming(b"HTTP/1.1 200 OK\r\n" + head, piece)) as receiver:
        assert send(receiver.url).body == "y" * 4096


def test_a_body_that_comes_after_its_headers_is_kept() -> None:
    def behave(connected: socket.socket) -> None:
        read_request(connected)
        connected.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        time.sleep(0.05)
        connected.sendall(b"ok")

    with receiving(behave) as receiver:
        assert send(receiver.url).body == "ok"


def test_a_body_that_ends_too_soon_is_kept_as_far_as_it_came() -> None:
    parts = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nnonsense\r\n",
    )
    for part in parts:
        with receiving(answering(part)) as receiver:
            response = send(receiver.url)
        assert (response.status, response.body) == (200, "half")


@pytest.mark.parametrize(
    "part",
    [b"", b"HT", b"HTTP/1.1 200 OK", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Le"],
)
def test_an_answer_that_breaks_off_before_its_body_is_none(part: bytes) -> None:
    with receiving(answering(part)) as receiver:
        assert failure(receiver.url) in {
            "it closed the connection without an answer",
            "its answer is not HTTP",
        }


def test_a_connection_that_is_reset_has_no_answer() -> None:
    def behave(connected: socket.socket) -> None:
        linger_not_at_all = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_not_at_all)

    with receiving(behave) as receiver:
        assert failure(receiver.url) == "it closed the connection without an answer"


@pytest.mark.parametrize("part", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00\r\n"])
def test_what_is_not_http_is_no_answer(part: bytes) -> None:
    with receiving(answering(part)) as receiver:
        assert failure(receiver.url) == "its answer is not HTTP"


def test_a_server_may_answer_before_it_has_read_everything() -> None:
    def behave(connected: socket.socket) -> None:
        connected.recv(1000)
        connected.sendall(answer("413 Too Large"))
        time.sleep(0.05)

    with receiving(behave) as receiver:
        assert send(receiver.url, body=b"x" * 20_000_000).status == 413


def test_a_body_that_is_not_utf_8_is_kept_readable() -> None:
    with receiving(answering(answer("200 OK", b"caf\xe9"))) as receiver:
        assert send(receiver.url).body == "caf\ufffd"


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    assert failure(f"http://127.0.0.1:{port}/SECRET") == "it refused the connection"


def test_a_redirect_is_not_followed() -> None:
    with receiving(answering(OK)) as target:
        redirect = answer("307 Elsewhere", b"", f"Location: {target.url}")
        with receiving(answering(redirect)) as receiver:
            assert send(receiver.url).status == 307
            assert receiver.connections == 1
        assert target.connections == 0


def test_a_proxy_is_never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving(answering(answer("502 Proxy"))) as proxy, receiving(answering(OK)) as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert send(receiver.url).status == 200
        assert proxy.connections == 0


def test_a_loopback_address_is_refused_outside_the_local_cloud() -> None:
    with receiving(answering(OK)) as receiver:
        for host in ("127.0.0.1", "[::1]", "127.1", "2130706433"):
            with pytest.raises(RefusedAddressError):
                post(f"https://{host}:{receiver.port}/SECRET", b"", {}, allow_local=False)
        assert receiver.connections == 0


def test_a_name_that_leads_to_a_private_address_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolve, _ = resolving("10.0.0.1 169.254.169.254")
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(RefusedAddressError, match="not public") as raised:
        send("http://inside.example/SECRET")
    assert "SECRET" not in str(raised.value)


def test_of_several_addresses_only_allowed_ones_are_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connected: list[Any] = []
    connect = socket.create_connection

    def remember(address: tuple[str, int], **given: Any) -> socket.socket:
        connected.append(address[0])
        return connect(address, **given)

    resolve, _ = resolving("10.0.0.1 127.0.0.1")
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with receiving(answering(OK)) as receiver:
        # create_connection resolves too, but only what is an address by now.
        monkeypatch.setattr(socket, "create_connection", remember)
        monkeypatch.setattr(socket, "getaddrinfo", numeric_after(resolve))
        assert send(f"http://both.example:{receiver.port}/").status == 200
    assert connected == ["127.0.0.1"]


def numeric_after(resolve: Resolver) -> Resolver:
    """Return *resolve* for names; addresses are resolved as what they are."""

    def either(host: str, port: int, *given: Any, **named: Any) -> list[tuple[Any, ...]]:
        if host.replace(".", "").isdigit():
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]
        return resolve(host, port, *given, **named)

    return either


def test_a_name_that_resolves_anew_to_another_address_is_asked_for_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolve, asked = resolving("127.0.0.1", "10.0.0.1")
    seen: list[bytes] = []
    with receiving(answering(OK, seen=seen)) as receiver:
        monkeypatch.setattr(socket, "getaddrinfo", numeric_after(resolve))
        assert send(f"http://rebinding.example:{receiver.port}/").status == 200
    assert asked == ["rebinding.example"]
    assert f"Host: rebinding.example:{receiver.port}\r\n".encode() in seen[0]


def test_a_name_that_does_not_resolve_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "SECRET")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert failure("http://nowhere.example/SECRET") == "its name does not resolve"


def test_a_name_server_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: void(stop.wait(GENEROUS)))
    assert failure("http://slow.example/", SOON) == "its name was not resolved in time"
    stop.set()


def test_a_dead_first_address_leaves_time_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve, _ = resolving("127.0.0.2 127.0.0.1")
    connect = socket.create_connection

    def dead_first(address: tuple[str, int], timeout: float) -> socket.socket:
        if address[0] == "127.0.0.2":
            time.sleep(timeout)
            raise TimeoutError
        return connect(address, timeout)

    with receiving(answering(OK)) as receiver:
        monkeypatch.setattr(socket, "getaddrinfo", numeric_after(resolve))
        monkeypatch.setattr(socket, "create_connection", dead_first)
        assert send(f"http://two.example:{receiver.port}/", 0.6).status == 200
