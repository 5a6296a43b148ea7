"""A report as it reaches people: its figures, its file, its link, and the way out."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

from tests.unit.delivery.test_send import Ses, attempt

from vitals.delivery.mail import mail_message
from vitals.delivery.slack import slack_body
from vitals.delivery.teams import teams_body
from vitals.domain.connection import EMAIL
from vitals.domain.delivery import OK, RETRY
from vitals.usecases.event_catalogue import sample

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
LINK = "https://api.example.com/reports?link=T.J.S"
LEAVE = "https://api.example.com/unsubscribe?link=T.S.A.X"
FILE = {"key": "T/J.pdf", "filename": "trend-2026-12-01.pdf", "media_type": "application/pdf"}


def report(**changes: Any) -> dict[str, Any]:
    payload = sample("report.ready")
    data = {"link": LINK, "unsubscribe": LEAVE, "attachment": FILE, **changes}
    return {**payload, "data": {**payload["data"], **data}}


def sent(payload: Mapping[str, Any], content: bytes | None = None) -> EmailMessage:
    file = (FILE["filename"], FILE["media_type"], content) if content else None
    raw = mail_message(payload, AT, "v@example.com", ["ann@example.com"], file).as_bytes()
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def bodies(mail: EmailMessage) -> list[str]:
    found = [mail.get_body((kind,)) for kind in ("plain", "html")]
    return [str(each.get_content()) for each in found if isinstance(each, EmailMessage)]


def test_a_report_is_left_by_one_click() -> None:
    mail = sent(report())
    assert mail["List-Unsubscribe"] == f"<{LEAVE}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert all(LEAVE in body for body in bodies(mail))
    assert sent(report(unsubscribe=None))["List-Unsubscribe"] is None


def test_the_key_figures_and_headlines_are_in_both_bodies() -> None:
    plain, html = bodies(sent(report()))
    for body in (plain, html):
        for said in ("3 of 24 customers are at risk", "Average score", "68.4, +1.2", LINK):
            assert said in body


def test_the_file_is_attached_as_it_is() -> None:
    [file] = sent(report(), b"%PDF-1.7 \x00\xff").iter_attachments()
    assert file.get_content() == b"%PDF-1.7 \x00\xff"
    assert (file.get_filename(), file.get_content_type()) == (
        "trend-2026-12-01.pdf",
        "application/pdf",
    )


def test_a_test_says_so_in_its_subject() -> None:
    assert str(sent(report(test=True))["Subject"]).startswith("[Test] Weekly Digest")
    assert str(sent(report())["Subject"]) == "Weekly Digest: My company"


def test_a_file_that_is_gone_is_said_and_tried_again() -> None:
    def gone(_: str) -> bytes:
        raise LookupError

    ses = Ses()
    failed = attempt(EMAIL, payload=report(), ses=lambda: ses, attached=gone)
    assert (failed.verdict, failed.error) == (RETRY, "the report's file is kept no more")
    assert ses.asked == {}
    done = attempt(EMAIL, payload=report(), ses=lambda: ses, attached=lambda key: key.encode())
    assert done.verdict == OK
    assert b"trend-2026-12-01.pdf" in ses.asked["Content"]["Raw"]["Data"]


def test_slack_and_teams_get_the_link() -> None:
    blocks = slack_body(report())["blocks"]
    assert any(f"<{LINK}|Open the report>" in str(block) for block in blocks)
    [card] = teams_body(report())["attachments"]
    [action] = card["content"]["actions"]
    assert (action["type"], action["url"]) == ("Action.OpenUrl", LINK)
    assert "actions" not in teams_body(report(link=None))["attachments"][0]["content"]
