"""An event as a Slack incoming webhook takes it: Block Kit, within Slack's limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from vitals.delivery.wording import Item, Message, more_line, worded

LONGEST_TEXT = 3000
LONGEST_HEADER = 150
LONGEST_FIELD = 2000
LONGEST_LINE = 700
MOST_FIELDS = 10
LONGEST_LIST = 9000
"""All texts of a message together may have some 13,000 characters; beyond, Slack refuses it."""

_MARKS = {"critical": "🔴", "warning": "🟠", "attention": "🔵", "opportunity": "🟢"}
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def slack_body(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON body for *payload*: `blocks`, and `text` for what shows no blocks."""
    message = worded(payload)
    return {"text": _escaped(_heading(message), LONGEST_TEXT), "blocks": list(_blocks(message))}


def _blocks(message: Message) -> Iterator[dict[str, Any]]:
    heading = _escaped(_heading(message), LONGEST_HEADER)
    # A header is plain text, and so are the lines: a name's * and _ stay what they are.
    yield {"type": "header", "text": _plain(heading)}
    for line in message.lines:
        yield {"type": "section", "text": _plain(_escaped(line, LONGEST_LINE))}
    facts = [_fact(label, value) for label, value in message.facts]
    for start in range(0, len(facts), MOST_FIELDS):
        yield {"type": "section", "fields": facts[start : start + MOST_FIELDS]}
    if message.items:
        yield {"type": "divider"}
        yield from _list(message)
    if message.link:
        label, url = message.link
        text = f"<{_escaped(url, LONGEST_FIELD)}|{label}>"
        yield {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}
    if message.footer:
        footer = _plain(_escaped(message.footer, LONGEST_FIELD))
        yield {"type": "context", "elements": [footer]}


def _list(message: Message) -> Iterator[dict[str, Any]]:
    """Yield the listed alerts, several to a section, and how many there was no room for."""
    shown = _fitting(map(_line, message.items))
    for section in _packed(shown):
        yield {"type": "section", "text": {"type": "mrkdwn", "text": section, "verbatim": True}}
    more = message.more + len(message.items) - len(shown)
    if more:
        yield {"type": "section", "text": _plain(more_line(more))}


def _fitting(lines: Iterable[str]) -> list[str]:
    """Return as many of *lines* as a message has room for."""
    shown: list[str] = []
    left = LONGEST_LIST
    for line in lines:
        left -= len(line) + 1
        if left < 0:
            break
        shown.append(line)
    return shown


def _packed(lines: list[str]) -> Iterator[str]:
    """Yield *lines* joined to as few texts as they fit in."""
    packed = ""
    for line in lines:
        joined = f"{packed}\n{line}" if packed else line
        if len(joined) > LONGEST_TEXT:
            yield packed
            joined = line
        packed = joined
    if packed:
        yield packed


def _line(item: Item) -> str:
    mark = f"{_MARKS[item.severity]} {item.severity.capitalize()}: " if item.severity else ""
    return f"{mark}*{_escaped(item.title, 300)}* {_escaped(item.text, 900)}"


def _fact(label: str, value: str) -> dict[str, Any]:
    both = f"*{_escaped(label, 100)}*\n{_escaped(value, LONGEST_FIELD - 110)}"
    return {"type": "mrkdwn", "text": both, "verbatim": True}


def _heading(message: Message) -> str:
    mark = _MARKS.get(message.severity or "")
    return f"{mark} {message.heading}" if mark else message.heading


def _plain(escaped: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": escaped, "emoji": False}


def _escaped(line: str, longest: int) -> str:
    """Return *line* with Slack's three control characters escaped, cut between characters."""
    parts = [_ESCAPES.get(character, character) for character in line]
    if sum(map(len, parts)) <= longest:
        return "".join(parts)
    kept, left = [], longest - 1
    for part in parts:
        left -= len(part)
        if left < 0:
            break
        kept.append(part)
    return "".join(kept) + "…"
