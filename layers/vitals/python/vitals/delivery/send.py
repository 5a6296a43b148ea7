"""One attempt: a stored event, sent over a connection, and what came of it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from vitals.delivery.addresses import RefusedAddressError
from vitals.delivery.http import SECONDS, Clock, Response, UnreachableError, post
from vitals.delivery.mail import mail_message
from vitals.delivery.slack import slack_body
from vitals.delivery.teams import teams_body
from vitals.delivery.webhook import signature_headers
from vitals.domain.alert import short_hash
from vitals.domain.connection import EMAIL, SLACK, TEAMS, Connection, Secrets
from vitals.domain.delivery import GONE, OK, RETRY, Attempt

USER_AGENT = "Vitals/1"
JSON_TYPE = "application/json"
_SUCCESS, _REDIRECT, _GONE = range(200, 300), range(300, 400), 410
_LONGEST_ERROR = 500
_SECONDS = re.compile(r"[0-9]{1,9}")
_KEPT_NO_MORE = (
    "the report's file is gone: it is kept for eight days, and send_report sends the report anew"
)


def send(
    connection: Connection,
    secrets: Secrets,
    payload: Mapping[str, Any],
    at: datetime,
    *,
    allow_local: bool,
    mail_from: str,
    ses: Callable[[], Any],
    attached: Callable[[str], bytes],
    seconds: float = SECONDS,
    clock: Clock = time.monotonic,
) -> Attempt:
    """Send *payload* once and return what came of it, within *seconds*; never raises.

    A 2xx is received, 410 is gone for good, and everything else is worth another attempt, a
    refused address too: a name may lead elsewhere tomorrow. Gone for good is also a mail whose
    file is. *ses* gives an SES v2 client, whose own configuration says how long it waits;
    *attached* the file that a mail bears. With *allow_local*, http and loopback are allowed.
    """
    start = clock()
    try:
        if connection.kind == EMAIL:
            attempt = _mail(connection, payload, at, mail_from, ses, attached=attached)
        else:
            body, headers = _request(connection, secrets, payload, at)
            answer = post(
                secrets.url, body, headers, allow_local=allow_local, seconds=seconds, clock=clock
            )
            attempt = _answered(answer, at)
    except (UnreachableError, RefusedAddressError) as error:
        attempt = Attempt(at=at, verdict=RETRY, error=str(error))
    except (ClientError, BotoCoreError) as error:
        attempt = _refused_by("SES", error, at)
    except Exception as error:  # noqa: BLE001 - an attempt that is not recorded is made for ever
        # The name alone: the text of any error may hold the URL, which is a secret.
        failure = f"the message could not be sent ({type(error).__name__})"
        attempt = Attempt(at=at, verdict=RETRY, error=failure)
    return replace(attempt, duration_ms=round((clock() - start) * 1000))


def _request(
    connection: Connection, secrets: Secrets, payload: Mapping[str, Any], at: datetime
) -> tuple[bytes, dict[str, str]]:
    """Return the body and the headers."""
    headers = {"Content-Type": JSON_TYPE, "User-Agent": USER_AGENT}
    if connection.kind == SLACK:
        return encoded(slack_body(payload)), headers
    if connection.kind == TEAMS:
        return encoded(teams_body(payload)), headers
    body = encoded(payload)
    return body, headers | signature_headers(payload["id"], at, body, secrets.signing(at))


def encoded(value: Mapping[str, Any]) -> bytes:
    """Return *value* as compact JSON in UTF-8; numbers keep the digits they are shown with."""
    text = json.dumps(
        value, ensure_ascii=False, separators=(",", ":"), default=_plain, allow_nan=False
    )
    # Half a character has no form in UTF-8.
    return text.encode("utf-8", errors="replace")


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form here")


def _answered(answer: Response, at: datetime) -> Attempt:
    verdict = OK if answer.status in _SUCCESS else GONE if answer.status == _GONE else RETRY
    return Attempt(
        at=at,
        verdict=verdict,
        status=answer.status,
        response=answer.body,
        error="redirects are not followed" if answer.status in _REDIRECT else None,
        retry_after=_retry_after(answer.retry_after, at),
    )


def _retry_after(given: str | None, at: datetime) -> int | None:
    """Return the seconds that a Retry-After header asks for (RFC 9110); None if it makes no sense.

    A date is measured from *at*.
    """
    given = (given or "").strip()
    if _SECONDS.fullmatch(given):
        return int(given)
    try:
        until = parsedate_to_datetime(given)
        wait = (until if until.tzinfo else until.replace(tzinfo=UTC)) - at
    except (ValueError, OverflowError):
        return None
    return max(0, round(wait.total_seconds()))


def _mail(
    connection: Connection,
    payload: Mapping[str, Any],
    at: datetime,
    mail_from: str,
    ses: Callable[[], Any],
    *,
    attached: Callable[[str], bytes],
) -> Attempt:
    """Hand a message to SES."""
    if not mail_from:
        said = "e-mail is not set up: deploy with the parameter MailFrom, an address that SES knows"
        return Attempt(at=at, verdict=RETRY, error=said)
    file = payload.get("data", {}).get("attachment")
    attachment = None
    if file:
        try:
            attachment = (file["filename"], file["media_type"], attached(file["key"]))
        except LookupError:
            return Attempt(at=at, verdict=GONE, error=_KEPT_NO_MORE)
        except (ClientError, BotoCoreError) as error:
            return _refused_by("S3", error, at)
    # What the delivery's own id ends with: its attempts are one message, others are other ones.
    unique = short_hash(connection.id, str(payload.get("id")))
    mail = mail_message(payload, at, mail_from, connection.emails, attachment, unique=unique)
    answer = ses().send_email(
        FromEmailAddress=mail_from,
        Destination={"ToAddresses": list(connection.emails)},
        Content={"Raw": {"Data": mail.as_bytes()}},
    )
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
    taken = f"SES message {answer.get('MessageId')}"
    return Attempt(at=at, verdict=OK, status=status, response=taken)


def _refused_by(service: str, error: ClientError | BotoCoreError, at: datetime) -> Attempt:
    """Return the attempt that *service*, of AWS, took no part in: what it said, or why nothing."""
    status, said = None, str(error)
    if isinstance(error, ClientError):
        told = error.response.get("Error", {})
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        said = f"{told.get('Code')}: {told.get('Message')}"
    return Attempt(at=at, verdict=RETRY, status=status, error=f"{service}: {said}"[:_LONGEST_ERROR])
