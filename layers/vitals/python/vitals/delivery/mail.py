"""An event as an e-mail, in plain text and in HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import parseaddr
from typing import Any

from vitals.delivery.facts import mapping, text
from vitals.delivery.letter import Letter, letter_of
from vitals.delivery.mail_page import page
from vitals.delivery.wording import LONGEST_LINK, Message, more_line, worded

_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9_.-]+")
_LEAVE = "List-Unsubscribe"
_LINK = re.compile(r"https?://[!-;=?-~]{1,900}", re.ASCII)
"""What a header holds whole: a line has 998 characters at most (RFC 5322, 2.1.1)."""


class _Wire(EmailPolicy):
    """How a mail's headers are written: links in one line, as none can be encoded or folded.

    RFC 2369 and RFC 2047, 5: a mail program finds none in an encoded word.
    """

    def fold(self, name: str, value: str) -> str:
        if name == _LEAVE:
            return f"{name}: {value}{self.linesep}"
        folded: str = super().fold(name, value)
        return folded

    def fold_binary(self, name: str, value: str) -> bytes:
        return self.fold(name, value).encode("ascii", "surrogateescape")


_WIRE = _Wire(linesep="\r\n")

Attachment = tuple[str, str, bytes]
"""A file's name, its media type, its content."""


def mail_message(
    payload: Mapping[str, Any],
    at: datetime,
    sender: str,
    recipients: Sequence[str],
    attachment: Attachment | None = None,
    *,
    unique: str = "",
) -> EmailMessage:
    """Return *payload* as a message of *at* from *sender* to *recipients*.

    Its Message-ID is the event's with *unique*, what tells its delivery from others: every attempt
    at that is the same message. One that can be left says how, by one click (RFC 8058). Raises
    ValueError for an address that is none.
    """
    message = worded(payload)
    letter = letter_of(payload, message)
    mail = EmailMessage(policy=_WIRE)
    mail["Subject"] = _no_code(letter.subject)
    mail["From"] = _named(text(sender), letter.brand)
    mail["To"] = ", ".join(text(each) for each in recipients)
    mail["Date"] = at
    mail["Message-ID"] = message_id(payload.get("id"), sender, unique)
    # No holiday replies to a machine (RFC 3834).
    mail["Auto-Submitted"] = "auto-generated"
    leave = text(mapping(payload.get("data")).get("unsubscribe"), LONGEST_LINK)
    if _LINK.fullmatch(leave):
        mail[_LEAVE] = f"<{leave}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    lines = "\n".join(_text_lines(message, letter, leave))
    mail.set_content(lines + "\n", cte="quoted-printable")
    mail.add_alternative(page(message, letter, leave), subtype="html", cte="quoted-printable")
    if attachment is not None:
        _attach(mail, *attachment)
    return mail


def message_id(event_id: object, sender: str, unique: str = "") -> str:
    """Return the Message-ID of an event's delivery: both ids, at the sender's domain."""
    parts = (_NOT_IN_AN_ID.sub("", each) for each in (str(event_id), unique))
    local = ".".join(filter(None, parts)) or "event"
    domain = parseaddr(sender)[1].rpartition("@")[2]
    return f"<{local}@{_NOT_IN_AN_ID.sub('', domain) or 'vitals.invalid'}>"


def _named(sender: str, name: str) -> str:
    """Return *sender* under *name*, if there is one, as a header takes it (RFC 5322)."""
    address = parseaddr(sender)[1]
    named = Address(display_name=_no_code(name), addr_spec=address) if address else None
    return str(named) if name and named else sender


def _no_code(said: str) -> str:
    """Return *said* with nothing in it that reads as an encoded word (RFC 2047).

    What one decodes to may hold line breaks, and other headers behind them.
    """
    return said.replace("=?", "= ?")


def _attach(mail: EmailMessage, name: str, media_type: str, content: bytes) -> None:
    kind, *said = (part.strip() for part in media_type.split(";"))
    main, _, sub = kind.partition("/")
    parameters = {key: value for key, _, value in (each.partition("=") for each in said) if value}
    mail.add_attachment(content, maintype=main, subtype=sub, filename=name, params=parameters)


def _text_lines(message: Message, letter: Letter, leave: str) -> Iterator[str]:
    word = f"{message.severity.capitalize()}: " if message.severity else ""
    yield f"{word}{letter.heading}"
    beneath = " · ".join(filter(None, (letter.brand, letter.beneath)))
    if beneath:
        yield beneath
    if message.lines:
        yield ""
    yield from message.lines
    if letter.rows:
        yield ""
    for row in letter.rows:
        yield f"{row.label}: {', '.join(filter(None, (row.value, row.moved)))}"
    yield from _item_lines(message)
    if message.link:
        yield ""
        yield f"{message.link[0]}: {message.link[1]}"
    ending = [message.footer, f"Unsubscribe: {leave}" if leave else ""]
    if any(ending):
        yield ""
        yield "-- "
    yield from filter(None, ending)


def _item_lines(message: Message) -> Iterator[str]:
    if message.items:
        yield ""
    for item in message.items:
        word = f"{item.severity.capitalize()}: " if item.severity else ""
        yield f"- {word}{item.title}: {item.text}"
    if message.more:
        yield more_line(message.more)
