"""docs/webhooks.md says what is sent, and its ways to verify it verify it."""

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.contract.webhooks_page import PAGE, page

from vitals.delivery.addresses import FIRST_OPEN_PORT, STANDARD_PORTS
from vitals.delivery.http import KEPT_BYTES, SECONDS
from vitals.delivery.send import encoded
from vitals.delivery.webhook import new_secret, signature_headers
from vitals.domain.connection import GIVEN_UP_AFTER
from vitals.usecases.event_catalogue import EVENT_TYPES

TEXT = PAGE.read_text(encoding="utf-8")
SECRET, OTHER = new_secret(b"s" * 32), new_secret(b"o" * 24)
EXAMPLE = {**EVENT_TYPES["health.dropped"].example, "note": "dîner, 🚀"}
BODY = encoded(EXAMPLE)
DRIVER = """
import { received } from "./received.mjs";
import { readFileSync } from "node:fs";
const { body, headers } = JSON.parse(readFileSync(0));
console.log(JSON.stringify(received(Buffer.from(body, "base64"), headers)));
"""

Received = Callable[[bytes, dict[str, str]], Mapping[str, Any]]


def snippets(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def signed(*secrets: str, at: datetime | None = None) -> dict[str, str]:
    return signature_headers(EXAMPLE["id"], at or datetime.now(UTC), BODY, secrets)


def in_python(snippet: str) -> Received:
    found: dict[str, Any] = {}
    exec(snippet, found)  # noqa: S102 - it is our own page
    received: Received = found["received"]
    return received


def in_node(snippet: str, folder: Path) -> Received:
    node = shutil.which("node")
    assert node is not None
    (folder / "received.mjs").write_text(snippet, encoding="utf-8")
    (folder / "driver.mjs").write_text(DRIVER, encoding="utf-8")

    def received(body: bytes, headers: dict[str, str]) -> Mapping[str, Any]:
        given = json.dumps({"body": base64.b64encode(body).decode(), "headers": headers})
        run = subprocess.run(
            [node, "driver.mjs"],
            cwd=folder,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode:
            raise ValueError(run.stderr)
        event: Mapping[str, Any] = json.loads(run.stdout)
        return event

    return received


@pytest.fixture(params=["standardwebhooks", "python", "node"])
def received(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Received:
    """One of the page's ways to take an event, with SECRET in its environment."""
    monkeypatch.setenv("VITALS_WEBHOOK_SECRET", SECRET)
    [package, by_hand], [node] = snippets("python"), snippets("js")
    ways = {"standardwebhooks": lambda: in_python(package), "python": lambda: in_python(by_hand)}
    return ways.get(request.param, lambda: in_node(node, tmp_path))()


def test_what_is_sent_is_taken(received: Received) -> None:
    expected = json.loads(BODY)
    assert received(BODY, signed(SECRET)) == expected
    assert received(BODY, signed(OTHER, SECRET)) == expected
    assert received(BODY, signed(SECRET, OTHER)) == expected


def test_what_was_not_sent_is_refused(received: Received) -> None:
    now, tolerance = datetime.now(UTC), timedelta(minutes=5, seconds=30)
    another = {**signed(SECRET), "webhook-id": "msg_another"}
    for body, headers in (
        (BODY + b" ", signed(SECRET)),
        (BODY, signed(OTHER)),
        (BODY, another),
        (BODY, signed(SECRET, at=now - tolerance)),
        (BODY, signed(SECRET, at=now + tolerance)),
        (BODY, {**signed(SECRET), "webhook-signature": "v1,"}),
        (BODY, {**signed(SECRET), "webhook-timestamp": "soon"}),
    ):
        with pytest.raises(Exception, match=r".") as refused:
            received(body, headers)
        assert not isinstance(refused.value, AssertionError | NameError | TypeError)


def test_the_page_is_what_the_code_makes_of_it() -> None:
    command = "PYTHONPATH=layers/vitals/python .venv/bin/python -m tests.contract.webhooks_page"
    assert page(TEXT) == TEXT, f"out of date: {command}"
    assert page(TEXT.replace("75 h 35 min", "a while")) == TEXT


def test_every_event_has_its_section_with_its_example() -> None:
    sections = re.findall(r"^### `([\w.]+)`\n.*?```json\n(.*?)```", TEXT, re.DOTALL | re.MULTILINE)
    assert [name for name, _ in sections] == list(EVENT_TYPES)
    for name, shown in sections:
        example = json.loads(shown)
        assert example["id"] == EVENT_TYPES[name].example["id"]
        assert example["data"].keys() == EVENT_TYPES[name].example["data"].keys()


def test_every_link_within_the_page_leads_somewhere() -> None:
    headings = re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= anchors


def test_the_limits_in_the_text_are_those_of_the_code() -> None:
    prose = " ".join(TEXT.split())
    assert f"within {SECONDS:g} seconds" in prose
    assert f"{KEPT_BYTES // 1024} KB are kept" in prose
    assert f"{FIRST_OPEN_PORT} and higher" in prose
    assert all(f"{port}" in prose for port in STANDARD_PORTS.values())
    assert timedelta(days=5) == GIVEN_UP_AFTER
    assert "failures for five days" in prose
