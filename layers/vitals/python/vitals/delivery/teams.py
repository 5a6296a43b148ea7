"""An event as a Teams Workflows webhook takes it: an Adaptive Card in a message."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from vitals.delivery.wording import Item, Message, more_line, worded

LONGEST_LIST = 18_000
"""Bytes for the listed alerts; a whole message has to stay under 28 KB."""

_COLOURS = {
    "critical": "Attention",
    "warning": "Warning",
    "attention": "Accent",
    "opportunity": "Good",
}


def teams_body(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON body for *payload*."""
    message = worded(payload)
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": message.heading,
        "msteams": {"width": "Full"},
        "body": list(_blocks(message)),
    }
    if message.link:
        label, url = message.link
        card["actions"] = [{"type": "Action.OpenUrl", "title": label, "url": url}]
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return {"type": "message", "attachments": [attachment]}


def _blocks(message: Message) -> Iterator[dict[str, Any]]:
    colour = _COLOURS.get(message.severity or "", "Default")
    yield _block(_run(message.heading, size="Large", weight="Bolder", color=colour))
    for line in message.lines:
        yield _block(_run(line))
    for position, (label, value) in enumerate(message.facts):
        label_run, value_run = _run(f"{label}: ", weight="Bolder"), _run(value)
        yield _block(label_run, value_run, spacing="None" if position else "Medium")
    left, shown = LONGEST_LIST, 0
    for item in message.items:
        block = _item(item)
        left -= len(json.dumps(block))
        if left < 0:
            break
        shown += 1
        yield block
    more = message.more + len(message.items) - shown
    if more:
        yield _block(_run(more_line(more)))
    if message.footer:
        yield _block(_run(message.footer, isSubtle=True, size="Small"), spacing="Medium")


def _item(item: Item) -> dict[str, Any]:
    runs = [_run(f"{item.title} ", weight="Bolder"), _run(item.text)]
    if item.severity:
        word = f"{item.severity.capitalize()}: "
        runs.insert(0, _run(word, weight="Bolder", color=_COLOURS[item.severity]))
    return _block(*runs, spacing="Small")


def _block(*runs: dict[str, Any], spacing: str = "Default") -> dict[str, Any]:
    # Not a TextBlock: that reads Markdown, in which a customer's name could be a link.
    return {"type": "RichTextBlock", "inlines": list(runs), "spacing": spacing}


def _run(text: str, **look: Any) -> dict[str, Any]:
    return {"type": "TextRun", "text": text, **look}
