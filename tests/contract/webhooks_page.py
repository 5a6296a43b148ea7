"""docs/webhooks.md: what of it is made from the code, and how it is made anew.

`PYTHONPATH=layers/vitals/python .venv/bin/python -m tests.contract.webhooks_page` writes it.
"""

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from vitals.domain.delivery import JITTER, LONGEST_RETRY_AFTER, SCHEDULE
from vitals.storage.codec import encode
from vitals.usecases.event_catalogue import EVENT_TYPES, EventType
from vitals.usecases.event_schemas import SHAPES, Fields, object_schema

PAGE = Path(__file__).parents[2] / "docs" / "webhooks.md"
WIDTH = 100
_BRIEF = ("id", "name", "score", "status")
_REGION = re.compile(r"(<!-- (\w+): .*? -->\n).*?(<!-- end -->)", re.DOTALL)


def page(written: str) -> str:
    """Return the page with its parts from the code; what stands between them is left as it is."""
    parts = {"schedule": _schedule, "events": _events, "shapes": _shapes}

    def made(region: re.Match[str]) -> str:
        text = "\n".join(parts[region[2]]())
        return f"{region[1]}\n{text}\n\n{region[3]}"

    return _REGION.sub(made, written)


def _schedule() -> Iterator[str]:
    yield "| attempt | after the one before | since the first |"
    yield "|--:|--:|--:|"
    yield "| 1 | at once | |"
    since = timedelta()
    for number, wait in enumerate(SCHEDULE, start=2):
        since += wait
        yield f"| {number} | {_span(wait)} | {_span(since)} |"
    yield ""
    yield (
        f"Each wait is up to {JITTER:.0%} longer, by chance, and never shorter than a "
        f"`Retry-After` asks, up to {_span(LONGEST_RETRY_AFTER)}."
    )


def _span(wait: timedelta) -> str:
    seconds = int(wait.total_seconds())
    parts = {"h": seconds // 3600, "min": seconds // 60 % 60, "s": seconds % 60}
    return " ".join(f"{count} {unit}" for unit, count in parts.items() if count)


def _events() -> Iterator[str]:
    yield "| event | tells |"
    yield "|---|---|"
    for each in EVENT_TYPES.values():
        yield f"| [`{each.type}`](#{_anchor(each.type)}) | {each.purpose} |"
    first: dict[str, EventType] = {}
    for each in EVENT_TYPES.values():
        told = textwrap.fill(f"{each.purpose}. {each.when}", WIDTH, break_on_hyphens=False)
        yield from ("", f"### `{each.type}`", "", told, "")
        shown = first.setdefault(encode(each.data), each)
        if shown is each:
            yield from _table(each.data)
        else:
            yield f"Its `data` has the fields of [`{shown.type}`](#{_anchor(shown.type)})."
        yield from ("", "```json", _shown(_abridged(each)), "```")


def _shapes() -> Iterator[str]:
    for number, (name, fields) in enumerate(SHAPES.items()):
        yield from ("", f"### {name}", "") if number else (f"### {name}", "")
        yield from _table(fields)


def _table(fields: Fields) -> Iterator[str]:
    schema = object_schema(fields)
    yield "| field | type | |"
    yield "|---|---|---|"
    for name, described in schema["properties"].items():
        kind = _type(described)
        kind = kind if name in schema["required"] else f"{kind}; may be left out"
        yield f"| `{name}` | {kind} | {described['description']} |"


def _type(schema: Mapping[str, Any]) -> str:
    """Return in words what values *schema* allows."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        return f"[{name}](#{_anchor(name)})"
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{word}`" if word else "null" for word in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    kinds = schema.get("type", "any")
    words = [kinds] if isinstance(kinds, str) else kinds
    if "pattern" in schema:
        words = ["decimal string", *words[1:]]
    if "format" in schema:
        words = [{"date": "date", "date-time": "instant"}[schema["format"]], *words[1:]]
    return " or ".join(words)


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w-]", "", heading.lower())


def _abridged(each: EventType) -> dict[str, Any]:
    """Return the example, of a whole customer its beginning alone."""
    payload: dict[str, Any] = json.loads(encode(each.example))
    if each.data.get("customer", ("", ""))[0] == "customer":
        customer = payload["data"]["customer"]
        payload["data"]["customer"] = {name: customer[name] for name in _BRIEF} | {"…": "…"}
    return payload


def _shown(value: Any, column: int = 0) -> str:
    """Return *value*, which begins at *column*, as JSON in lines that are filled up to WIDTH."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or column + len(line) < WIDTH:
        return line
    if isinstance(value, dict):
        parts = [
            (f"{json.dumps(name, ensure_ascii=False)}: ", part) for name, part in value.items()
        ]
    else:
        parts = [("", part) for part in value]
    text, start = line[0], column + 1
    used = start
    for key, part in parts:
        whole = key + json.dumps(part, ensure_ascii=False)
        if used > start and used + len(whole) + 1 < WIDTH:
            text += f" {whole},"
            used += len(whole) + 2
            continue
        if used > start:
            text += "\n" + " " * start
        shown = key + _shown(part, start + len(key))
        text += f"{shown},"
        # Nothing follows what took several lines: it would be overlooked there.
        used = WIDTH if "\n" in shown else start + len(shown) + 1
    return text[:-1] + line[-1]


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
