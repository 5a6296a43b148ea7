import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.unit.delivery.events import alert, digest, every, fired

from vitals.delivery.facts import text
from vitals.delivery.send import encoded
from vitals.delivery.slack import slack_body

LIMITS = {"header": 150, "section": 3000, "field": 2000, "context": 2000}
OURS = re.compile(r"<https://api\.example\.com/[A-Za-z.?=]+\|Open the report>")
"""The one link that a message has; no name is part of it."""
UNESCAPED = re.compile(r"[<>]|&(?!(amp|lt|gt);)")
WORST = st.text(st.characters()) | st.text("&<>*_`~\n", max_size=400)


def blocks_texts(body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield every text with the place that limits it."""
    for block in body["blocks"]:
        if "text" in block:
            yield block["type"], block["text"]["text"]
        for each in block.get("fields", []):
            yield "field", each["text"]
        for each in block.get("elements", []):
            yield "context", each["text"]


def assert_accepted(body: dict[str, Any]) -> None:
    """Assert what Slack demands of a message."""
    assert json.loads(encoded(body)) == body
    assert body["text"]
    assert not UNESCAPED.search(body["text"])
    assert 1 <= len(body["blocks"]) <= 50
    assert sum(len(said) for _, said in blocks_texts(body)) < 13_000
    for place, said in blocks_texts(body):
        assert 1 <= len(said) <= LIMITS[place]
        assert not UNESCAPED.search(OURS.sub("", said))
    for block in body["blocks"]:
        assert "fields" not in block or 1 <= len(block["fields"]) <= 10


@given(WORST)
@example("<!channel> & <https://evil.example|here>")
@example("&" * 500)
@example("\ud800\x00")
def test_no_name_breaks_a_message(name: str) -> None:
    for payload in every(name):
        assert_accepted(slack_body(payload))


@pytest.mark.parametrize("worst", ["&" * 300, "x" * 300, "é" * 300])
def test_the_longest_list_is_within_the_limits_and_counts_what_it_leaves_out(worst: str) -> None:
    body = slack_body(digest(100, 1234, name=worst, message=worst))
    assert_accepted(body)
    said = "\n".join(each for _, each in blocks_texts(body))
    shown = said.count("🔴 Critical: *")
    assert 5 < shown < 100
    assert f"… and {1234 - shown:,} more" in said


def test_a_list_that_fits_is_shown_whole() -> None:
    body = slack_body(digest(100, 100, name="Acme", message="Below 50"))
    said = "\n".join(each for _, each in blocks_texts(body))
    assert said.count("🔴 Critical: *Acme*") == 100
    assert "more" not in said


def test_many_alerts_of_one_customer_are_within_the_limits() -> None:
    assert_accepted(slack_body(fired(alerts=[alert(message="<" * 3000)] * 200)))


def test_slacks_control_characters_are_escaped() -> None:
    body = slack_body(fired(name="<!channel> & Co"))
    assert "&lt;!channel&gt; &amp; Co" in body["text"]


def test_the_severity_is_a_word_beside_its_colour() -> None:
    body = slack_body(fired())
    heading = "🔴 Critical: Acme Corp: health below the threshold"
    assert body["text"] == body["blocks"][0]["text"]["text"] == heading


def test_a_name_is_shown_as_it_is() -> None:
    said = "\n".join(each for _, each in blocks_texts(slack_body(fired(name="A_b *c*"))))
    assert text("A_b *c*") in said
