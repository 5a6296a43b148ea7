"""An event as an e-mail, in plain text and in HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from html import escape
from typing import Any

from vitals.delivery.facts import mapping, text
from vitals.delivery.wording import LONGEST_LINK, Item, Message, more_line, worded

_COLOURS = {
    "critical": "#b42318",
    "warning": "#b54708",
    "attention": "#175cd3",
    "opportunity": "#067647",
}
_GREY = "#475467"
_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9_.-]+")


Attachment = tuple[str, str, bytes]
"""A file's name, its media type, its content."""


def mail_message(
    payload: Mapping[str, Any],
    at: datetime,
    sender: str,
    recipients: Sequence[str],
    attachment: Attachment | None = None,
) -> EmailMessage:
    """Return *payload* as a message of *at* from *sender* to *recipients*.

    Its Message-ID is the event's: every attempt is the same message. One that can be left says how,
    by one click (RFC 8058). Raises ValueError for an address that is none.
    """
    message = worded(payload)
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = _subject(message)
    mail["From"] = text(sender)
    mail["To"] = ", ".join(text(each) for each in recipients)
    mail["Date"] = at
    mail["Message-ID"] = message_id(payload.get("id"), sender)
    # No holiday replies to a machine (RFC 3834).
    mail["Auto-Submitted"] = "auto-generated"
    leave = text(mapping(payload.get("data")).get("unsubscribe"), LONGEST_LINK)
    if leave:
        mail["List-Unsubscribe"] = f"<{leave}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content("\n".join(_text_lines(message, leave)) + "\n", cte="quoted-printable")
    mail.add_alternative(_html(message, leave), subtype="html", cte="quoted-printable")
    if attachment is not None:
        name, media_type, content = attachment
        main, _, kind = media_type.partition(";")[0].partition("/")
        mail.add_attachment(content, maintype=main, subtype=kind, filename=name)
    return mail


def message_id(event_id: object, sender: str) -> str:
    """Return the Message-ID of an event: its id at the sender's domain."""
    local = _NOT_IN_AN_ID.sub("", str(event_id)) or "event"
    domain = parseaddr(sender)[1].rpartition("@")[2]
    return f"<{local}@{_NOT_IN_AN_ID.sub('', domain) or 'vitals.invalid'}>"


def _subject(message: Message) -> str:
    return (
        f"[{message.severity.capitalize()}] {message.title}" if message.severity else message.title
    )


def _text_lines(message: Message, leave: str) -> Iterator[str]:
    yield message.heading
    if message.lines:
        yield ""
    yield from message.lines
    if message.facts:
        yield ""
    for label, value in message.facts:
        yield f"{label}: {value}"
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


def _html(message: Message, leave: str) -> str:
    colour = _COLOURS.get(message.severity or "", _GREY)
    parts = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{escape(message.title)}</title>',
        '</head><body style="margin:0;padding:16px;font-family:Arial,Helvetica,sans-serif;'
        'font-size:14px;line-height:1.5;color:#101828">',
        f'<h1 style="margin:0 0 12px;padding-left:10px;border-left:4px solid {colour};'
        f'font-size:18px">{_word(message.severity)}{escape(message.title)}</h1>',
        *(f'<p style="margin:0 0 8px">{escape(line)}</p>' for line in message.lines),
        *_facts_table(message),
        *_item_list(message),
    ]
    if message.link:
        label, url = map(escape, message.link)
        parts.append(f'<p style="margin:12px 0 0"><a href="{url}">{label}</a></p>')
    if message.footer:
        parts.append(f'<p style="margin:16px 0 0;color:{_GREY}">{escape(message.footer)}</p>')
    if leave:
        parts.append(f'<p style="margin:4px 0 0"><a href="{escape(leave)}">Unsubscribe</a></p>')
    return "\n".join([*parts, "</body></html>", ""])


def _facts_table(message: Message) -> Iterator[str]:
    if not message.facts:
        return
    yield '<table role="presentation" style="border-collapse:collapse;margin:8px 0">'
    for label, value in message.facts:
        yield (
            f'<tr><td style="padding:2px 16px 2px 0;color:{_GREY};vertical-align:top">'
            f"{escape(label)}</td><td>{escape(value)}</td></tr>"
        )
    yield "</table>"


def _item_list(message: Message) -> Iterator[str]:
    if not message.items:
        return
    yield '<ul style="margin:8px 0;padding-left:20px">'
    yield from map(_list_item, message.items)
    yield "</ul>"
    if message.more:
        yield f'<p style="margin:0 0 8px">{more_line(message.more)}</p>'


def _list_item(item: Item) -> str:
    said = f"{_word(item.severity)}<strong>{escape(item.title)}</strong>: {escape(item.text)}"
    return f'<li style="margin:0 0 4px">{said}</li>'


def _word(severity: str | None) -> str:
    if not severity:
        return ""
    return f'<span style="color:{_COLOURS[severity]}">{severity.capitalize()}:</span> '
