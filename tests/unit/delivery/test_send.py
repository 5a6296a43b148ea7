import json
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NoReturn

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from standardwebhooks import Webhook
from tests.unit.delivery.events import fired
from tests.unit.delivery.receivers import answer, answering, receiving, streaming, until_gone

from vitals.delivery.send import encoded, send
from vitals.delivery.webhook import new_secret
from vitals.domain.connection import EMAIL, SLACK, TEAMS, WEBHOOK, Connection, Secrets
from vitals.domain.delivery import GONE, OK, RETRY, Attempt

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
NEW, OLD = new_secret(bytes(range(32))), new_secret(bytes(range(24)))
SENDER = "alerts@vitals.example"


@pytest.fixture(autouse=True)
def _nobody_to_talk_to() -> None:
    """Let these tests talk to the loopback, and to nobody else (the mark above)."""


def nothing_attached(key: str) -> bytes:
    raise AssertionError(f"nothing was to be attached, {key}")


def nobody() -> NoReturn:
    raise AssertionError("no mail was to be sent")


class Ses:
    """An SES that remembers what it was asked, and answers or raises what a test says."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked: dict[str, Any] = {}
        self._error = error

    def send_email(self, **asked: Any) -> dict[str, Any]:
        self.asked = asked
        if self._error is not None:
            raise self._error
        return {"MessageId": "m-1", "ResponseMetadata": {"HTTPStatusCode": 200}}


def attempt(
    kind: str = WEBHOOK,
    url: str = "",
    payload: dict[str, Any] | None = None,
    *,
    at: datetime = AT,
    secrets: Secrets | None = None,
    ses: Callable[[], Any] = nobody,
    attached: Callable[[str], bytes] = nothing_attached,
    seconds: float = 5.0,
    allow_local: bool = True,
    to: str = "01X",
) -> Attempt:
    connection = Connection(
        id=to,
        tenant_id="acme",
        name="Ours",
        kind=kind,
        shown="",
        created_at=AT,
        updated_at=AT,
        created_by="01K",
        emails=("ann@example.com",) if kind == EMAIL else (),
    )
    return send(
        connection,
        secrets or Secrets(url=url, secret=NEW),
        fired() if payload is None else payload,
        at,
        allow_local=allow_local,
        mail_from=SENDER,
        ses=ses,
        attached=attached,
        seconds=seconds,
    )


def answered(status: str, *headers: str, at: datetime = AT, kind: str = WEBHOOK) -> Attempt:
    with receiving(answering(answer(status, b"said", *headers))) as receiver:
        return attempt(kind, receiver.url, at=at)


def test_a_webhook_is_the_stored_event_signed() -> None:
    seen: list[bytes] = []
    now = datetime.now(UTC)
    until = now + timedelta(hours=1)
    with receiving(answering(answer("200 OK"), seen=seen)) as receiver:
        secrets = Secrets(url=receiver.url, secret=NEW, previous=OLD, previous_until=until)
        made = attempt(at=now, secrets=secrets)
    assert (made.verdict, made.at) == (OK, now)
    head, _, body = seen[0].partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    for secret in (NEW, OLD):
        assert Webhook(secret).verify(body, headers) == fired()
    assert headers["Content-Type"] == "application/json"
    assert headers["User-Agent"] == "Vitals/1"
    assert headers["webhook-id"] == "msg_01J"
    assert b": " not in body.replace(b"Rule: ", b"")


@pytest.mark.parametrize(("kind", "member"), [(SLACK, b'"blocks":['), (TEAMS, b'"AdaptiveCard"')])
def test_slack_and_teams_get_a_message_without_signature(kind: str, member: bytes) -> None:
    seen: list[bytes] = []
    with receiving(answering(answer("200 OK", b"ok"), seen=seen)) as receiver:
        made = attempt(kind, receiver.url)
    assert (made.verdict, made.status, made.response) == (OK, 200, "ok")
    assert member in seen[0]
    assert b"webhook-signature" not in seen[0]


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ("200 OK", OK),
        ("202 Accepted", OK),
        ("204 No Content", OK),
        ("299 Odd", OK),
        ("301 Moved", RETRY),
        ("304 Not Modified", RETRY),
        ("400 Bad", RETRY),
        ("404 Not Found", RETRY),
        ("410 Gone", GONE),
        ("429 Slow", RETRY),
        ("500 Oh", RETRY),
        ("503 Busy", RETRY),
    ],
)
@pytest.mark.parametrize("kind", [SLACK, TEAMS, WEBHOOK])
def test_a_status_is_a_verdict(kind: str, status: str, verdict: str) -> None:
    made = answered(status, kind=kind)
    assert (made.verdict, made.status) == (verdict, int(status[:3]))


def test_what_the_receiver_says_is_kept() -> None:
    assert answered("500 Oh").response == "said"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        (" 7 ", 7),
        ("Tue, 01 Dec 2026 09:02:00 GMT", 120),
        ("Tue, 01 Dec 2026 08:00:00 GMT", 0),
        ("Tuesday, 01-Dec-26 09:02:00 GMT", 120),
        ("-5", None),
        ("soon", None),
        ("1e3", None),
        ("9" * 400, None),
        ("", None),
    ],
)
@pytest.mark.parametrize("status", ["429 Slow", "503 Busy"])
def test_retry_after_is_told_in_seconds_from_the_attempt(
    status: str, header: str, seconds: int | None
) -> None:
    assert answered(status, f"Retry-After: {header}").retry_after == seconds


def test_a_redirect_is_told_as_one() -> None:
    made = answered("307 Elsewhere", "Location: http://169.254.169.254/")
    assert (made.verdict, made.error) == (RETRY, "redirects are not followed")


def test_a_receiver_that_hangs_is_tried_again() -> None:
    with receiving(until_gone) as receiver:
        made = attempt(url=receiver.url, seconds=0.15)
    assert (made.verdict, made.status, made.error) == (RETRY, None, "no answer within 0.15 s")
    assert made.duration_ms >= 150


def test_a_receiver_that_streams_for_ever_has_received() -> None:
    with receiving(streaming(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 1000)) as receiver:
        made = attempt(url=receiver.url)
    assert (made.verdict, made.response) == (OK, "x" * 4096)


@pytest.mark.parametrize("kind", [SLACK, TEAMS, WEBHOOK])
def test_an_address_that_is_not_public_is_tried_again_with_the_reason(kind: str) -> None:
    made = attempt(kind, "https://169.254.169.254/SECRET", allow_local=False)
    assert (made.verdict, made.status) == (RETRY, None)
    assert made.error == "its name leads to an address that is not public"


def test_an_attempt_never_shows_the_url(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_: Any, **__: Any) -> NoReturn:
        raise socket.gaierror(socket.EAI_NONAME, "SECRET")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    urls = ["https://x.example/SECRET", "https://u:SECRET@x.example/", "SECRET", "https://[SECRET"]
    for url in urls:
        made = attempt(url=url)
        assert made.verdict == RETRY
        assert made.error
        assert "SECRET" not in repr(made)


@pytest.mark.parametrize(
    ("payload", "secret"),
    [({}, NEW), ({"id": "x\r\ny"}, NEW), ({"id": "x", "n": float("nan")}, NEW), ({"id": "x"}, "?")],
)
def test_what_cannot_be_sent_is_an_attempt_too(payload: dict[str, Any], secret: str) -> None:
    with receiving(answering(answer("200 OK"))) as receiver:
        made = attempt(payload=payload, secrets=Secrets(url=receiver.url, secret=secret))
    assert made.verdict == RETRY
    assert made.error


def test_a_body_is_compact_json_with_its_digits() -> None:
    body = encoded({"name": "Zoë \ud800", "score": Decimal("12.5"), "n": [1, None]})
    assert body == '{"name":"Zoë ?","score":12.5,"n":[1,null]}'.encode()
    assert json.loads(body)["score"] == 12.5


def test_mail_is_handed_to_ses() -> None:
    ses = Ses()
    made = attempt(EMAIL, ses=lambda: ses)
    assert (made.verdict, made.status, made.response) == (OK, 200, "SES message m-1")
    assert ses.asked["FromEmailAddress"] == SENDER
    assert ses.asked["Destination"] == {"ToAddresses": ["ann@example.com"]}
    raw = ses.asked["Content"]["Raw"]["Data"]
    assert b"Subject: [Critical] Acme Corp: health below the threshold\r\n" in raw


def test_a_refusal_by_ses_is_told_in_its_words() -> None:
    refusal = ClientError(
        {
            "Error": {"Code": "MessageRejected", "Message": "Email address is not verified."},
            "ResponseMetadata": {
                "HTTPStatusCode": 400,
                "HTTPHeaders": {},
                "HostId": "",
                "RequestId": "",
                "RetryAttempts": 0,
            },
        },
        "SendEmail",
    )
    made = attempt(EMAIL, ses=lambda: Ses(refusal))
    assert (made.verdict, made.status) == (RETRY, 400)
    assert made.error == "SES: MessageRejected: Email address is not verified."


def test_an_ses_that_cannot_be_reached_is_tried_again() -> None:
    error = EndpointConnectionError(endpoint_url="https://email.eu-west-1.amazonaws.com")
    made = attempt(EMAIL, ses=lambda: Ses(error))
    assert (made.verdict, made.status) == (RETRY, None)
    assert made.error
    assert made.error.startswith("SES: Could not connect")


def test_a_client_that_cannot_be_made_is_an_attempt_too() -> None:
    made = attempt(EMAIL, ses=nobody)
    assert made.error == "the message could not be sent (AssertionError)"


def test_only_mail_asks_for_a_mail_client() -> None:
    assert answered("200 OK", kind=WEBHOOK).error is None


def test_without_a_sender_mail_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "SENDER", "")
    tried = attempt(EMAIL)
    assert (tried.verdict, tried.status) == (RETRY, None)
    assert "MailFrom" in str(tried.error)
