"""The OpenAPI document, and the page that shows it to people: made of it, with nothing besides."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from html import escape
from typing import Any

from resources.validation import DOCUMENT
from vitals.runtime.http import Response

_KEPT = {"Cache-Control": "public, max-age=300"}
_STYLE = """
:root{--ink:#16202b;--soft:#5a6672;--line:#dde3e9;--back:#fff;--code:#f5f7f9;--mark:#0b6e4f}
@media(prefers-color-scheme:dark){:root{--ink:#e7edf3;--soft:#9fb0bf;--line:#2c3742;
--back:#10161c;--code:#18212a;--mark:#5fd0a5}}
*{box-sizing:border-box}
body{margin:0;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back)}
header,main,nav{max-width:60rem;margin:auto;padding:1rem 1.25rem}
nav ul{columns:16rem;list-style:none;padding:0}a{color:inherit}
section{border-top:1px solid var(--line);padding:1rem 0}h3{margin:.2rem 0;font-size:1.05rem}
code,pre{font:.88rem/1.45 ui-monospace,monospace;background:var(--code);border-radius:4px}
code{padding:.1rem .3rem}pre{padding:.8rem;overflow-x:auto}
table{border-collapse:collapse;width:100%;margin:.5rem 0}
th,td{text-align:left;padding:.3rem .6rem .3rem 0;border-bottom:1px solid var(--line)}
td{vertical-align:top}th{color:var(--soft);font-weight:500}
.method{font-weight:700;color:var(--mark)}.soft{color:var(--soft)}details{margin:.4rem 0}
"""


def get_openapi() -> Response:
    """Answer the document as it is committed."""
    return Response(200, headers=dict(_KEPT), text=_text())


def get_docs() -> Response:
    """Answer the page."""
    headers = {
        **_KEPT,
        "Content-Type": "text/html; charset=utf-8",
        # It runs nothing and loads nothing.
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    }
    return Response(200, headers=headers, text=page())


@cache
def _text() -> str:
    return DOCUMENT.read_text(encoding="utf-8")


@cache
def page() -> str:
    """Return the document as a page: every operation, its parameters, shapes and examples."""
    document = json.loads(_text())
    info = document["info"]
    by_tag: dict[str, list[tuple[str, str, Mapping[str, Any], Any]]] = {}
    for path, place in document["paths"].items():
        shared = place.get("parameters", [])
        for method, operation in place.items():
            if method != "parameters":
                row = (method.upper(), path, operation, shared)
                by_tag.setdefault(operation["tags"][0], []).append(row)
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(info['title'])} reference</title><style>{_STYLE}</style></head><body>"
        f"<header><h1>{escape(info['title'])}</h1><p>{escape(info['description'])}</p>"
        '<p>For programs: <a href="openapi.json">openapi.json</a>, OpenAPI '
        f"{escape(document['openapi'])}.</p></header>",
        "<nav aria-label='Operations'>",
    ]
    for tag, rows in by_tag.items():
        items = "".join(
            f"<li><a href='#{each['operationId']}'>{escape(each['summary'])}</a></li>"
            for _, _, each, _ in rows
        )
        parts.append(f"<h2>{escape(tag)}</h2><ul>{items}</ul>")
    parts.append("</nav><main>")
    about = {tag["name"]: tag["description"] for tag in document["tags"]}
    for tag, rows in by_tag.items():
        parts.append(f"<h2>{escape(tag)}</h2><p>{escape(about[tag])}</p>")
        for row in rows:
            parts += _operation(*row, document["components"])
    parts.append("<h2>Shapes</h2>")
    for name, schema in document["components"]["schemas"].items():
        parts += _shape(name, schema)
    return "".join([*parts, "</main></body></html>"])


def _operation(
    method: str, path: str, operation: Mapping[str, Any], shared: Any, components: Mapping[str, Any]
) -> Iterator[str]:
    yield (
        f"<section id='{operation['operationId']}'><h3>{escape(operation['summary'])}</h3>"
        f"<p><span class='method'>{method}</span> <code>{escape(path)}</code> "
        f"<span class='soft'>{escape(operation['operationId'])}</span></p>"
        f"<p>{_said(operation['description'])}</p>"
    )
    parameters = [
        _resolved(each, components) for each in (*shared, *operation.get("parameters", ()))
    ]
    if parameters:
        rows = "".join(
            f"<tr><td><code>{escape(each['name'])}</code></td><td>{escape(each['in'])}</td>"
            f"<td>{_type(each['schema'])}</td><td>{_said(each['description'])}</td></tr>"
            for each in parameters
        )
        head = "<tr><th>Parameter</th><th>In</th><th>Type</th><th>What it says</th></tr>"
        yield f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]
        yield f"<p>Send {_type(content['schema'])}:</p>"
        for example in content["examples"].values():
            yield _pre(example["value"])
    for status, response in operation["responses"].items():
        yield from _response(status, response, components)
    yield "</section>"


def _response(
    status: str, response: Mapping[str, Any], components: Mapping[str, Any]
) -> Iterator[str]:
    found = _resolved(response, components)
    kinds = " ".join(_type(each["schema"]) for each in found.get("content", {}).values())
    said = f"<b>{status}</b> {escape(found['description'])}"
    examples = "".join(
        _pre(example["value"])
        for content in found.get("content", {}).values()
        for example in content.get("examples", {}).values()
    )
    if examples:
        yield f"<details><summary>{said}</summary><p>{kinds}</p>{examples}</details>"
    else:
        yield f"<p>{said} {kinds}</p>"


def _shape(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    about = _said(schema.get("description", ""))
    yield f"<section id='shape-{name}'><h3>{escape(name)}</h3><p>{about}</p>"
    rows = "".join(
        f"<tr><td><code>{escape(field)}</code></td><td>{_type(each)}</td>"
        f"<td>{_said(each.get('description', ''))}</td></tr>"
        for field, each in schema.get("properties", {}).items()
    )
    if rows:
        head = "<tr><th>Field</th><th>Type</th><th>What it says</th></tr>"
        yield f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>"
    yield "</section>"


def _resolved(given: Mapping[str, Any], components: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in given:
        return given
    _, _, kind, name = given["$ref"].split("/")
    found: Mapping[str, Any] = components[kind][name]
    return found


def _type(schema: Mapping[str, Any]) -> str:
    """Return *schema* in a few words, a link where it is a shape of its own."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"<a href='#shape-{name}'>{escape(name)}</a>"
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return " or ".join(_type(each) for each in schema[choice])
    if "enum" in schema:
        return escape(", ".join(map(str, schema["enum"])))
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    bounds = [
        f"{word} {schema[name]}"
        for name, word in (("minimum", "from"), ("maximum", "to"), ("maxLength", "up to"))
        if name in schema
    ]
    return escape(" ".join([str(kind), schema.get("format", ""), *bounds]).strip())


def _said(text: str) -> str:
    """Return *text* with what stands between backticks as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if odd % 2 else part for odd, part in enumerate(parts))


def _pre(value: Any) -> str:
    return f"<pre>{escape(json.dumps(value, indent=2, ensure_ascii=False))}</pre>"
