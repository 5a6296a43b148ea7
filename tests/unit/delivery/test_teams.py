import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.unit.delivery.events import alert, digest, every, fired

from vitals.delivery.send import encoded
from vitals.delivery.teams import teams_body


def card(body: dict[str, Any]) -> dict[str, Any]:
    """Return the card of a body, which is as Teams demands it."""
    assert len(json.dumps(body)) < 28 * 1024
    assert json.loads(encoded(body)) == body
    assert body["type"] == "message"
    [attachment] = body["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    found: dict[str, Any] = attachment["content"]
    assert (found["type"], found["version"]) == ("AdaptiveCard", "1.4")
    for block in found["body"]:
        assert block["type"] == "RichTextBlock"
        assert all(run["type"] == "TextRun" and run["text"] for run in block["inlines"])
    return found


def said(body: dict[str, Any]) -> str:
    return "\n".join(
        "".join(run["text"] for run in block["inlines"]) for block in card(body)["body"]
    )


@given(st.text(st.characters()))
@example("[here](https://evil.example)")
@example("\ud800\x00")
def test_no_name_breaks_a_card(name: str) -> None:
    for payload in every(name):
        card(teams_body(payload))


@pytest.mark.parametrize("worst", ["x" * 300, "é" * 300, "😀" * 300, '"\\' * 150])
def test_the_longest_list_stays_under_28_kb_and_counts_what_it_leaves_out(worst: str) -> None:
    shown = said(teams_body(digest(100, 1234, name=worst, message=worst)))
    listed = shown.count("Critical: ") - 1  # the title says it too
    assert 2 < listed < 100
    assert f"… and {1234 - listed:,} more" in shown


def test_many_alerts_of_one_customer_stay_under_28_kb() -> None:
    card(teams_body(fired(alerts=[alert(message="é" * 300)] * 200)))


def test_a_card_says_the_alert() -> None:
    shown = said(teams_body(fired()))
    for part in (
        "Critical: Acme Corp: health below the threshold",
        "The score fell from 76 to 40, below 50",
        "Score: 40 (at risk)",
        "What moved: days 20 → 5.75 (−14.25)",
        "Rule: Below 50 · 2026-12-01 09:00 UTC",
    ):
        assert part in shown


@pytest.mark.parametrize(
    ("severity", "colour"),
    [
        ("critical", "Attention"),
        ("warning", "Warning"),
        ("attention", "Accent"),
        ("opportunity", "Good"),
    ],
)
def test_the_severity_is_a_word_beside_its_colour(severity: str, colour: str) -> None:
    [title] = card(teams_body(fired(alerts=[alert(severity=severity)])))["body"][0]["inlines"]
    assert title["color"] == colour
    assert title["text"].startswith(f"{severity.capitalize()}: ")
