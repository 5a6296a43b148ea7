"""A report as it reaches people: its figures, its file, its link, and the way out."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from tests.unit.delivery.test_send import Ses, attempt

from vitals.delivery.colours import PAPER, accent_of, contrast
from vitals.delivery.mail import mail_message
from vitals.delivery.slack import slack_body
from vitals.delivery.teams import teams_body
from vitals.domain.connection import EMAIL
from vitals.domain.delivery import GONE, OK, RETRY
from vitals.usecases.event_catalogue import sample

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
LINK = "https://api.example.com/reports?link=T.J.S"
LEAVE = "https://api.example.com/unsubscribe?link=T.S.A.X"
LONGEST_ADDRESS = f"{'a' * 64}@{'.'.join(['b' * 61] * 3)}.com"
BRAND = {"name": "Larkfield Cloud", "accent": "#0a7d5a"}
FILE = {"key": "T/J.pdf", "filename": "trend-2026-12-01.pdf", "media_type": "application/pdf"}


def report(**changes: Any) -> dict[str, Any]:
    payload = sample("report.ready")
    data = {"link": LINK, "unsubscribe": LEAVE, "attachment": FILE, **changes}
    return {**payload, "data": {**payload["data"], **data}}


def wired(payload: Mapping[str, Any], to: str = "ann@example.com") -> bytes:
    return mail_message(payload, AT, "v@example.com", [to]).as_bytes()


def sent(
    payload: Mapping[str, Any], content: bytes | None = None, media_type: str = FILE["media_type"]
) -> EmailMessage:
    file = (FILE["filename"], media_type, content) if content else None
    raw = mail_message(payload, AT, "v@example.com", ["ann@example.com"], file).as_bytes()
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def bodies(mail: EmailMessage) -> list[str]:
    found = [mail.get_body((kind,)) for kind in ("plain", "html")]
    return [str(each.get_content()) for each in found if isinstance(each, EmailMessage)]


@pytest.mark.parametrize(
    "name", ["=?utf-8?q?a=0ABcc?=", "=?utf-8?q?a=0D=0ABcc:_x@y.example?=", "A ==??utf-8?b?Cg==?="]
)
@pytest.mark.parametrize("sender", ["v@example.com", "Vitals <v@example.com>"])
def test_a_name_that_reads_as_an_encoded_word_is_text(name: str, sender: str) -> None:
    payload = report(
        brand={**BRAND, "name": name},
        report={"name": "trend", "title": "Trend", "subject": name, "format": "pdf"},
    )
    raw = mail_message(payload, AT, sender, ["ann@example.com"]).as_bytes()
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    [who] = mail["From"].addresses
    assert (who.display_name, who.addr_spec) == (name.replace("=?", "= ?"), "v@example.com")
    assert who.display_name in mail["Subject"]
    assert mail["Bcc"] is None


def test_a_report_is_left_by_one_click() -> None:
    mail = sent(report())
    assert mail["List-Unsubscribe"] == f"<{LEAVE}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert all(LEAVE in body for body in bodies(mail))
    assert sent(report(unsubscribe=None))["List-Unsubscribe"] is None


@pytest.mark.parametrize("address", ["ann@example.com", LONGEST_ADDRESS])
def test_the_link_out_is_on_the_wire_as_it_is_however_long(address: str) -> None:
    token = f"{'T' * 26}.{'S' * 26}.{'A' * (len(address) * 4 // 3)}.{'x' * 32}"
    leave = f"https://a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com/unsubscribe?link={token}"
    raw = wired(report(unsubscribe=leave, brand={"name": "Lärkfield " * 9}), address)
    lines = raw.split(b"\r\n")
    assert f"List-Unsubscribe: <{leave}>".encode() in lines
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines
    assert f"To: {address}".encode() in lines
    others = [line for line in lines if leave[:40].encode() not in line]
    assert max(len(line) for line in others if address.encode() not in line) <= 78
    words = re.findall(rb"=[?].*?[?]=", raw.partition(b"\r\n\r\n")[0])
    assert words
    assert max(map(len, words)) <= 75


def test_a_link_that_no_header_takes_is_in_the_mail_alone() -> None:
    for leave in ("https://x.example/" + "y" * 950, "https://x.example/a>b", "ü"):
        mail = sent(report(unsubscribe=leave))
        assert mail["List-Unsubscribe"] is None
        assert mail["List-Unsubscribe-Post"] is None
        assert leave in bodies(mail)[0]


def test_the_key_figures_and_headlines_are_in_both_bodies() -> None:
    plain, html = bodies(sent(report()))
    for body in (plain, html):
        for said in ("3 of 24 customers are at risk", "Average score", "68.4", "+1.2", LINK):
            assert said in body
    assert "Average score: 68.4, +1.2" in plain
    assert '<th scope="row"' in html


def test_a_mail_bears_the_tenants_name_and_colour() -> None:
    mail = sent(report(brand=BRAND))
    assert mail["From"] == "Larkfield Cloud <v@example.com>"
    plain, html = bodies(mail)
    assert 'bgcolor="#0a7d5a"' in html
    assert "Larkfield Cloud" in html
    assert "Larkfield Cloud · 17 Mar 2026 – 24 Mar 2026" in plain
    assert sent(report())["From"] == "v@example.com"


@pytest.mark.parametrize(
    "name", ['Ann, "the" Lee', "a@b.example", "Lärk <x>", "B\r\nBcc: c@example.com", "; ("]
)
def test_a_tenants_name_is_no_address(name: str) -> None:
    mail = sent(report(brand={"name": name}))
    [address] = mail["From"].addresses
    assert (address.addr_spec, address.display_name) == ("v@example.com", " ".join(name.split()))
    assert "Bcc" not in mail


@pytest.mark.parametrize("accent", ["#000000", "#ffffff", "#ffe000", "#777777", "#1D4F91", "red"])
def test_what_stands_on_an_accent_and_in_it_is_readable(accent: str) -> None:
    found = accent_of(accent, "#1d4f91")
    assert found.colour == (accent.lower() if accent != "red" else "#1d4f91")
    assert contrast(found.on, found.colour) >= 4.5
    assert contrast(found.text, PAPER) >= 4.5


def test_an_accent_is_darkened_no_more_than_it_takes_to_be_read() -> None:
    assert accent_of("#0a7d5a", "#000000").text == "#0a7d5a"
    assert contrast(accent_of("#ffe000", "#000000").text, PAPER) < 6


def test_contrast_is_that_of_the_guidelines() -> None:
    assert contrast("#000000", "#ffffff") == 21
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48


def test_a_change_for_the_worse_is_coloured_and_says_so() -> None:
    figures = [
        {"label": "MRR", "value": "€1", "change": "−€2", "tone": "bad"},
        {"label": "Score", "value": "3", "change": "+4", "tone": "good"},
        {"label": "Customers", "value": "5", "change": "+6", "tone": None},
        {"label": "New", "value": "7", "change": None, "tone": "bad"},
    ]
    plain, html = bodies(sent(report(figures=figures)))
    for line in ("MRR: €1, −€2, worse", "Score: 3, +4, better", "Customers: 5, +6", "New: 7"):
        assert line in plain.splitlines()
    assert 'color:#a3202c">−€2, worse<' in html
    assert 'color:#0b6b4f">+4, better<' in html


def test_a_list_of_mails_shows_the_first_headline() -> None:
    _, html = bodies(sent(report(headlines=["Three <left>.", "Two came."])))
    shown = re.sub(r"<title>.*?</title>|<[^>]*>", "", html, flags=re.DOTALL)
    assert shown.split()[:2] == ["Three", "&lt;left&gt;."]


def test_a_mail_is_tables_without_anything_of_elsewhere() -> None:
    _, html = bodies(sent(report(brand=BRAND)))
    assert '<meta name="color-scheme" content="light dark">' in html
    assert 'width="600"' in html
    assert "background-color:#ffffff" in html
    for wrong in ("flex", "grid", "<svg", "<img", "<style", "<script", "url("):
        assert wrong not in html


def test_the_file_is_attached_as_it_is() -> None:
    [file] = sent(report(), b"%PDF-1.7 \x00\xff").iter_attachments()
    assert file.get_content() == b"%PDF-1.7 \x00\xff"
    assert (file.get_filename(), file.get_content_type()) == (
        "trend-2026-12-01.pdf",
        "application/pdf",
    )


def test_a_table_is_attached_with_its_encoding() -> None:
    [file] = sent(report(), "Zoë".encode(), "text/csv; charset=utf-8").iter_attachments()
    assert (file.get_content_type(), file.get_param("charset")) == ("text/csv", "utf-8")
    assert file.get_content() == "Zoë"


def test_a_test_says_so_in_its_subject() -> None:
    assert str(sent(report(test=True))["Subject"]).startswith("[Test] Weekly Digest")


def test_each_week_is_a_thread_of_its_own() -> None:
    assert sent(report())["Subject"] == "Weekly Digest – 24 Mar 2026: My company"
    late = {"as_of": "2026-11-16T23:30:00.000Z", "time_zone": "Europe/Berlin"}
    assert sent(report(period=None, **late))["Subject"].startswith("Weekly Digest – 17 Nov 2026:")
    assert sent(report(period=None, as_of="?"))["Subject"] == "Weekly Digest: My company"


def test_a_mail_has_its_dates_in_one_form() -> None:
    said = {"from": "09/11/2026", "until": "16/11/2026", "as_of": "16/11/2026, 09:00 CET"}
    for payload in (report(worded=said), report()):
        mail = sent(payload)
        for body in (mail["Subject"], *bodies(mail)):
            assert not re.search(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", body)
    mail = sent(report(worded=said))
    assert mail["Subject"] == "Weekly Digest – 16/11/2026: My company"
    for body in bodies(mail):
        assert "09/11/2026 – 16/11/2026" in body
        assert "As of 16/11/2026, 09:00 CET" in body


def test_a_file_that_is_gone_is_said_and_not_tried_again() -> None:
    def gone(_: str) -> bytes:
        raise LookupError

    ses = Ses()
    failed = attempt(EMAIL, payload=report(), ses=lambda: ses, attached=gone)
    assert failed.verdict == GONE
    assert "kept for eight days" in str(failed.error)
    assert "send_report" in str(failed.error)
    assert ses.asked == {}
    done = attempt(EMAIL, payload=report(), ses=lambda: ses, attached=lambda key: key.encode())
    assert done.verdict == OK
    assert b"trend-2026-12-01.pdf" in ses.asked["Content"]["Raw"]["Data"]


def test_a_file_that_cannot_be_read_is_told_of_the_service_that_keeps_it() -> None:
    refused: Any = {
        "Error": {"Code": "AccessDenied", "Message": "Access Denied"},
        "ResponseMetadata": {"HTTPStatusCode": 403},
    }
    for error, said in (
        (ClientError(refused, "GetObject"), "S3: AccessDenied: Access Denied"),
        (ReadTimeoutError(endpoint_url="https://s3"), "S3: Read timeout"),
    ):

        def broken(_: str, error: Exception = error) -> bytes:
            raise error

        failed = attempt(EMAIL, payload=report(), ses=Ses, attached=broken)
        assert failed.verdict == RETRY
        assert str(failed.error).startswith(said)


def test_each_receiver_of_a_report_gets_a_message_of_their_own() -> None:
    def known(emails: str) -> str:
        ses = Ses()
        attempt(EMAIL, payload=report(), ses=lambda: ses, attached=str.encode, to=emails)
        parsed = email.message_from_bytes(ses.asked["Content"]["Raw"]["Data"])
        return str(parsed["Message-ID"])

    assert known("mailto:ann@example.com") == known("mailto:ann@example.com")
    assert known("mailto:ann@example.com") != known("mailto:bob@example.com")


def test_slack_and_teams_get_the_link() -> None:
    blocks = slack_body(report())["blocks"]
    assert any(f"<{LINK}|Open the report>" in str(block) for block in blocks)
    [card] = teams_body(report())["attachments"]
    [action] = card["content"]["actions"]
    assert (action["type"], action["url"]) == ("Action.OpenUrl", LINK)
    assert "actions" not in teams_body(report(link=None))["attachments"][0]["content"]
