import email
import email.policy
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.unit.delivery.events import alert, changed, digest, every, fired

from vitals.delivery.facts import text
from vitals.delivery.mail import mail_message

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
SENDER = "Vitals <alerts@vitals.example>"
RECIPIENTS = ("ann@example.com", "bob@example.com")
HEADERS = [
    "Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
]  # fmt: skip
TAGS = {
    "html", "head", "meta", "title", "body", "div", "h1", "p", "table", "tr", "th", "td", "br",
    "ul", "li", "span", "strong", "a",
}  # fmt: skip
ATTRIBUTES = {
    "align", "bgcolor", "border", "cellpadding", "cellspacing", "charset", "content", "height",
    "href", "lang", "name", "role", "scope", "style", "width",
}  # fmt: skip


class Page(HTMLParser):
    """What a reader makes of a page: its tags and attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self.links: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def sent(payload: Mapping[str, Any]) -> tuple[EmailMessage, str, str]:
    """Return a mail as it arrives, its text and its HTML."""
    raw = mail_message(payload, AT, SENDER, RECIPIENTS).as_bytes()
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    plain, html = (parsed.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert html is not None
    return parsed, plain.get_content(), html.get_content()


def test_a_mail_has_its_headers() -> None:
    mail, _, _ = sent(fired())
    assert mail.keys() == HEADERS
    assert mail["Subject"] == "[Critical] Acme Corp: health below the threshold"
    assert mail["From"] == SENDER
    assert mail["To"] == "ann@example.com, bob@example.com"
    assert mail["Date"].datetime == AT
    assert mail["Message-ID"] == "<msg_01J@vitals.example>"
    assert mail.get_content_type() == "multipart/alternative"


def test_every_attempt_at_a_delivery_is_the_same_message_and_no_other_delivery_is() -> None:
    def known(unique: str) -> str:
        mail = mail_message(fired(), AT, SENDER, RECIPIENTS, unique=unique)
        return str(mail["Message-ID"])

    assert known("ANN") == known("ANN") == "<msg_01J.ANN@vitals.example>"
    assert known("ANN") != known("BOB")
    assert known("x>\r\nBcc: y") == "<msg_01J.xBccy@vitals.example>"


@given(st.text(st.characters()))
@example("Acme\r\nBcc: everybody@example.com\r\n\r\nbody")
@example('</title><script>alert(1)</script><a href="https://evil.example">')
@example("&lt;b&gt;")
@example("\ud800\x00")
@example("=?utf-8?q?=0D=0ABcc:_x?=")
@example("x" * 2000)
@settings(max_examples=30)
def test_no_name_breaks_a_header_or_the_page(name: str) -> None:
    for payload in every(name):
        mail, plain, html = sent(payload)
        leaving = ["List-Unsubscribe", "List-Unsubscribe-Post"]
        can_leave = "unsubscribe" in payload["data"]
        assert [key for key in mail.keys() if key not in leaving] == HEADERS  # noqa: SIM118 - one that comes twice counts twice
        assert [key for key in mail.keys() if key in leaving] == (leaving if can_leave else [])  # noqa: SIM118 - as above
        assert mail["To"] == "ann@example.com, bob@example.com"
        assert mail["Message-ID"] == "<msg_01J@vitals.example>"
        page = Page(html)
        assert page.tags <= TAGS
        assert page.attributes <= ATTRIBUTES
        assert all(link.startswith("https://api.example.com/") for link in page.links)
        assert plain.splitlines()[0] in "".join(page.texts)


@given(st.text(st.characters()).filter(text))
def test_the_text_and_the_page_say_the_same(name: str) -> None:
    _, plain, html = sent(fired(alerts=[alert(message=name), alert()]))
    assert f"Critical: {text(name)}" in plain
    assert f"Critical: {text(name)}" in "".join(Page(html).texts)


def test_an_event_id_cannot_break_out_of_its_header() -> None:
    mail, _, _ = sent({**fired(), "id": "x>\r\nBcc: y@example.com"})
    assert mail.keys() == HEADERS
    assert mail["Message-ID"] == "<xBccyexample.com@vitals.example>"


def test_a_recipient_cannot_add_a_header() -> None:
    mail = mail_message(fired(), AT, SENDER, ["a@example.com\r\nBcc: b@example.com"])
    assert "Bcc" not in mail
    assert "\nBcc" not in mail.as_string()


def test_a_summary_is_listed_whole() -> None:
    _, plain, html = sent(digest(100, 250))
    assert plain.count("- Critical: Acme Corp: Below 50") == 100
    assert html.count("<li") == 100
    assert "… and 150 more" in plain
    assert "… and 150 more" in html


@pytest.mark.parametrize(
    ("severity", "colour"),
    [
        ("critical", "#b42318"),
        ("warning", "#b54708"),
        ("attention", "#175cd3"),
        ("opportunity", "#067647"),
    ],
)
def test_the_severity_is_a_word_beside_its_colour(severity: str, colour: str) -> None:
    mail, plain, html = sent(fired(alerts=[alert(severity=severity)]))
    word = severity.capitalize()
    assert mail["Subject"].startswith(f"[{word}] ")
    assert plain.startswith(f"{word}: ")
    assert f'<span style="color:{colour}">{word}:</span>' in html


def test_an_event_without_severity_has_none() -> None:
    mail, plain, _ = sent(changed())
    assert mail["Subject"] == "Acme Corp: health changed"
    assert plain.startswith("Acme Corp: health changed")
