"""A weekly report over a quarter, in mails: a clock change, an outage, and somebody leaving."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from local.clock import LocalClock
from local.control import Hand, hand
from local.folder import DataFolder
from pypdfium2 import PdfDocument  # type: ignore[import-untyped]  # it has no types

if TYPE_CHECKING:
    from tests.e2e.conftest import Cloud

BERLIN = ZoneInfo("Europe/Berlin")
ANN, BOB, CLEO = "ann@example.com", "bob@example.com", "cleo@example.com"
EVERYBODY = (ANN, BOB, CLEO)
BEGIN = date(2026, 2, 18)
CLOCKS_CHANGE = date(2026, 3, 29)
OUTAGE = (datetime(2026, 4, 7, 10, tzinfo=BERLIN), datetime(2026, 4, 21, 10, tzinfo=BERLIN))
BEFORE = (*(date(2026, 2, 23) + timedelta(weeks=week) for week in range(7)),)
AFTER = (*(date(2026, 4, 27) + timedelta(weeks=week) for week in range(4)),)
LEAVES_AFTER = date(2026, 5, 4)
DIGEST: Mapping[str, object] = {
    "report": "weekly_digest",
    "name": "Monday digest",
    "schedule": {"type": "weekly", "on": "monday", "at": "09:00", "time_zone": "Europe/Berlin"},
    "recipients": EVERYBODY,
    "format": "pdf",
}

Occurrence = tuple[datetime, str]


def local(day: date, at: str) -> datetime:
    return datetime.combine(day, time_of_day.fromisoformat(at), BERLIN)


def mails(cloud: Cloud) -> list[EmailMessage]:
    files = sorted((cloud.folder / "mail").glob("*.eml"))
    return [message_from_bytes(each.read_bytes(), policy=policy.default) for each in files]


def sent(found: Sequence[EmailMessage]) -> list[Occurrence]:
    """When each mail was sent, by the clock on the wall, to the minute, and to whom."""
    dates = [parsedate_to_datetime(mail["Date"]).astimezone(BERLIN) for mail in found]
    minutes = [each.replace(second=0) for each in dates]
    return sorted(zip(minutes, (str(mail["To"]) for mail in found), strict=True))


def expected(days: Sequence[date], recipients: Sequence[str] = EVERYBODY) -> list[Occurrence]:
    return [(local(day, "09:00"), address) for day in days for address in recipients]


def live_through(cloud: Cloud, clock: Hand, days: Sequence[date]) -> None:
    """Let the days of each Monday pass; nothing is sent before nine, and nothing twice."""
    for day in days:
        before = len(mails(cloud))
        for hour in ("06:00", "08:55"):
            clock.move(local(day, hour), pause=True)
        assert len(mails(cloud)) == before, "nothing before nine"
        clock.move(local(day, "09:00"), pause=True)
        after = len(mails(cloud))
        assert after > before, f"something at nine on {day}"
        for hour in ("09:05", "20:00"):
            clock.move(local(day, hour), pause=True)
        assert len(mails(cloud)) == after, "nothing after it"


def test_a_quarter_of_mondays_is_mailed_at_nine_whatever_happens(
    new_product: Callable[..., Cloud],
) -> None:
    cloud = new_product("--clock", local(BEGIN, "12:00").isoformat())
    cloud.start()
    for name, mrr, logins in (("Acme", 5000, 22), ("Bolt", 900, 4)):
        cloud.action("upsert_account", {"name": name, "mrr": mrr, "logins": logins})
    assert cloud.action("put_branding", {"locale": "en-GB"}).status == 200
    zone = {"time_zone": "Europe/Berlin", "rescore": False}
    assert cloud.action("update_config", zone).status == 200
    assert cloud.action("put_report_schedule", DIGEST).status == 200

    with hand(DataFolder(cloud.folder)) as clock:
        live_through(cloud, clock, BEFORE)
        clock.move(OUTAGE[0], pause=True)
    assert BEFORE[4] < CLOCKS_CHANGE < BEFORE[5]
    assert sent(mails(cloud)) == expected(BEFORE)
    for mail in mails(cloud):
        _is_whole(mail)

    # The machine is off for two weeks.
    assert cloud.stop() == 0
    LocalClock(DataFolder(cloud.folder).clock).keep(now=OUTAGE[1].astimezone(UTC))
    cloud.options = ()
    cloud.start()
    with hand(DataFolder(cloud.folder)) as clock:
        clock.move(OUTAGE[1] + timedelta(hours=1), pause=True)
        caught_up = sent(mails(cloud))[len(expected(BEFORE)) :]
        assert [(at.date(), address) for at, address in caught_up] == [
            (OUTAGE[1].date(), address) for address in EVERYBODY
        ], "one each, of the two that were missed"

        live_through(cloud, clock, [day for day in AFTER if day <= LEAVES_AFTER])
        _leave(cloud, next(mail for mail in reversed(mails(cloud)) if mail["To"] == BOB))
        live_through(cloud, clock, [day for day in AFTER if day > LEAVES_AFTER])

    assert sent(mails(cloud)) == [
        *expected(BEFORE),
        *caught_up,
        *expected([day for day in AFTER if day <= LEAVES_AFTER]),
        *expected([day for day in AFTER if day > LEAVES_AFTER], (ANN, CLEO)),
    ]
    deliveries = cloud.action("list_deliveries", {"event_type": "report.ready", "limit": 200})
    assert {each["state"] for each in deliveries.json()["data"]} == {"delivered"}


def _is_whole(mail: EmailMessage) -> None:
    """Check one Monday's mail: what it says, twice, and what is attached."""
    day = parsedate_to_datetime(mail["Date"]).astimezone(BERLIN)
    assert mail["Subject"].startswith(f"Weekly Digest – {day.day} {day:%b} {day.year}: ")
    text, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert page is not None
    for said in (text.get_content(), page.get_content()):
        assert "Customers" in said
        assert "5,900" in said
    [attached] = mail.iter_attachments()
    assert attached.get_content_type() == "application/pdf"
    assert attached.get_filename() == f"weekly-digest-{day:%Y-%m-%d}.pdf"
    with contextlib.closing(PdfDocument(attached.get_content())) as pdf:
        first = pdf[0].get_textpage().get_text_bounded()
    assert f"{day.day} {day:%b} 2026, 09:00" in first, "as of when it was due"


def _leave(cloud: Cloud, mail: EmailMessage) -> None:
    """Press a mail program's button (RFC 8058): one POST to the link of the header."""
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = urlsplit(str(mail["List-Unsubscribe"]).strip("<>"))
    answer = cloud.request(
        "POST",
        f"{link.path}?{link.query}",
        "List-Unsubscribe=One-Click",
        {"content-type": "application/x-www-form-urlencoded"},
    )
    assert answer.status == 200, answer.body
