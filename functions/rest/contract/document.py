"""The OpenAPI document, made of the operations and of what is said of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema

from contract.answers import HEADERS, LIMITS, PROBLEMS, REF, TOO_LONG, name_of, refusal
from contract.examples import example_of
from contract.shape import Described, GatewayMessage, Problem, Query
from resources.operations import OPERATIONS, Operation

PLACE = Path(__file__).parents[1] / "openapi.json"
MODULES = (
    "customers", "contacts", "health", "models", "events", "changes", "jobs", "analytics", "keys",
    "webhooks", "reference",
)  # fmt: skip
"""Where operations are described, in the order in which the document has them."""
TAGS = {
    "Customers": "Customers, their contacts' owner, revenue and renewal, and the trash.",
    "Contacts": "The people at a customer.",
    "Health": "Scores, what they are made of, and what moved them.",
    "Model": "How a tenant scores: signals, weights, bands, in immutable versions.",
    "Events": "Product events, and the signals that are computed from them.",
    "Changes": "Who changed what, when, and what it did to the score.",
    "Jobs": "What outlasts a request: imports and rescores.",
    "Analytics": "The portfolio in figures.",
    "Keys": "API keys, and whose key it is that asks.",
    "Webhooks": "Where events are sent to, under both of their names.",
    "Reference": "This document.",
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same request under the same key has one effect and one answer, for 24"
    " hours; another request under it is refused",
    "schema": {"type": "string", "pattern": "^[!-~]([ -~]{0,253}[!-~])?$"},
    "example": "acme-2026-11-20-001",
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag that was read: refused with 412 if there is a newer version",
    "schema": {"type": "string", "pattern": '^("[0-9]{1,15}"|\\*)$'},
    "example": '"3"',
}


class _Untitled(GenerateJsonSchema):
    """Schemas without the titles that pydantic makes of names."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's hook
        """Tell that no field has a title of its own."""
        return False


def described() -> dict[str, Described]:
    """Return what is said of each operation, by its id."""
    found: dict[str, Described] = {}
    for name in MODULES:
        found |= import_module(f"contract.{name}").DESCRIBED
    return found


def document() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of the resource API (LU-006)."""
    said = described()
    schemas = _schemas(said)
    paths: dict[str, dict[str, Any]] = {}
    # In the order of what is said of them: as one reads it.
    for name, about in said.items():
        operation = OPERATIONS[name]
        place = paths.setdefault(operation.path, {})
        variables = list(_variables(operation))
        if variables:
            place["parameters"] = variables
        place[operation.method.lower()] = _operation(operation, about, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Vitals",
            "version": "1.0.0",
            "summary": "Customer health that explains itself",
            "description": "Scores of customers, what they are made of, and what moved them."
            " Send an API key as a bearer token. Whatever is refused is answered by a problem"
            " document (RFC 9457) whose `code` is stable.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "contact": {"name": "Whoever runs this deployment"},
        },
        "servers": [{"url": "/", "description": "Where this document was read"}],
        "security": [{"bearer": []}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key: vt_live_… or, of a sandbox, vt_test_…",
                }
            },
            "parameters": {"IdempotencyKey": _KEY, "IfMatch": _IF_MATCH},
            "headers": {
                name: {"description": text, "schema": schema, "example": example}
                for name, (text, schema, example) in HEADERS.items()
            },
            "responses": {
                **{name_of(status): refusal(status) for status in PROBLEMS},
                name_of(414): TOO_LONG,
            },
            "schemas": schemas,
        },
    }


def _operation(operation: Operation, about: Described, schemas: dict[str, Any]) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [_parameter(query, schemas) for query in about.query]
    if operation.method == "POST":
        parameters.append({"$ref": "#/components/parameters/IdempotencyKey"})
    if about.versioned:
        parameters.append({"$ref": "#/components/parameters/IfMatch"})
    scopes = ", ".join(f"`{scope}`" for scope in operation.scopes)
    needs = f"Needs {scopes}." if scopes else "Any good key may ask."
    if operation.of_imports:
        [of_imports] = operation.of_imports
        needs = f"Needs {scopes}, of an import `{of_imports}` instead."
    found: dict[str, Any] = {
        "operationId": operation.id,
        "summary": about.summary,
        "description": " ".join(
            filter(None, (about.description, "" if operation.is_public else needs))
        ),
        "tags": [about.tag],
        "x-scopes": list(operation.scopes),
    }
    if operation.of_imports:
        found["x-scopes-of-imports"] = list(operation.of_imports)
    if operation.is_public:
        found["security"] = []
    if parameters:
        found["parameters"] = parameters
    if about.body is not None:
        schema = _schema(about.body, schemas)
        examples = about.body_examples or {"example": example_of(schema, schemas)}
        found["requestBody"] = {
            "required": about.body_required,
            "content": {
                "application/json": {
                    "schema": schema,
                    "examples": {name: {"value": value} for name, value in examples.items()},
                }
            },
        }
    found["responses"] = dict(_responses(operation, about, schemas))
    return found


def _responses(
    operation: Operation, about: Described, schemas: dict[str, Any]
) -> Iterator[tuple[str, Any]]:
    for status, shape in about.answers.items():
        names = (*about.headers, *(() if operation.is_public else LIMITS))
        if operation.method == "POST":
            names = (*names, "Idempotency-Replayed")
        response: dict[str, Any] = {
            "description": HTTPStatus(status).phrase,
            "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
        }
        if shape is not None:
            schema = _schema(shape, schemas)
            content: dict[str, Any] = {"schema": schema}
            if about.media_type == "application/json":
                content["examples"] = {"example": {"value": example_of(schema, schemas)}}
            response["content"] = {about.media_type: content}
        if about.links:
            response["links"] = {
                name: {"operationId": link.operation, "parameters": dict(link.variables)}
                for name, link in about.links.items()
            }
        yield str(status), response
    for status in sorted(_refusals(operation, about)):
        yield str(status), {"$ref": f"#/components/responses/{name_of(status)}"}


def _refusals(operation: Operation, about: Described) -> set[int]:
    """Return the statuses of every problem that the operation may answer."""
    if operation.is_public:
        return {400, 500}
    found = {400, 401, 429, 500, 503, *about.refusals}
    if operation.scopes:
        found.add(403)
    if "{" in operation.path:
        found.add(404)
    if operation.takes_body:
        found |= {413, 415}
    if operation.method == "POST":
        found |= {409, 422}
    if about.versioned:
        found.add(412)
    if about.query:
        found.add(414)
    if about.body is not None or about.query or "{" in operation.path:
        found.add(422)
    return found


def _variables(operation: Operation) -> Iterator[dict[str, Any]]:
    for segment in operation.path.split("/"):
        if not segment.startswith("{"):
            continue
        name = segment[1:-1]
        number = name == "version"
        schema: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": 128}
        example: Any = "01KJQ8ZJ9W3B0C6V4S7T2R5XYZ"
        if number:
            schema, example = {"type": "integer", "minimum": 1, "maximum": 10**12}, 1
        about = name.replace("_id", "").replace("_", " ")
        what = "The number of the version" if number else f"The id of the {about}"
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "description": what,
            "schema": schema,
            "example": example,
        }


def _parameter(query: Query, schemas: dict[str, Any]) -> dict[str, Any]:
    schema = _schema(query.kind, schemas)
    found: dict[str, Any] = {
        "name": query.name,
        "in": "query",
        "description": query.description,
        "schema": schema,
    }
    if schema.get("type") == "array":
        # Comma-separated, as people write it; the same name twice is the same.
        found |= {"style": "form", "explode": False}
    example = query.example if query.example is not None else example_of(schema, schemas)
    if example is not None:
        found["example"] = example
    return found


def _schemas(said: Mapping[str, Described]) -> dict[str, Any]:
    """Return the schema of every shape that an operation names, and of those within them."""
    shapes: set[Any] = {Problem, GatewayMessage}
    for about in said.values():
        shapes |= {each for each in (about.body, *about.answers.values()) if _is_shape(each)}
    pairs: list[tuple[Any, JsonSchemaMode]] = [
        (shape, "validation") for shape in sorted(shapes, key=lambda each: each.__name__)
    ]
    _, found = models_json_schema(pairs, ref_template=REF, schema_generator=_Untitled)
    schemas: dict[str, Any] = found["$defs"]
    for schema in schemas.values():
        schema.pop("title", None)
        _without_defaults(schema)
    return dict(sorted(schemas.items()))


def _without_defaults(schema: Any) -> None:
    """Take out defaults: what is left out of a request is not set, whatever pydantic needs."""
    if isinstance(schema, dict):
        for name, each in schema.get("properties", {}).items():
            if isinstance(each, dict):
                each.pop("default", None)
            _without_defaults(schema["properties"][name])


def _is_shape(kind: Any) -> bool:
    return isinstance(kind, type) and hasattr(kind, "model_fields")


def _schema(kind: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    if _is_shape(kind):
        return {"$ref": REF.format(model=kind.__name__)}
    found: dict[str, Any] = TypeAdapter(kind).json_schema(
        ref_template=REF, schema_generator=_Untitled
    )
    schemas |= found.pop("$defs", {})
    return found


def text() -> str:
    """Return the document as it is committed."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def main(options: list[str]) -> int:
    """Write the document, or with --check say whether the one that is there is as it would be."""
    if options == ["--check"]:
        current = PLACE.exists() and PLACE.read_text(encoding="utf-8") == text()
        sys.stdout.write("current\n" if current else f"{PLACE.name} is stale: make openapi\n")
        return 0 if current else 1
    PLACE.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"{PLACE.name}: {len(OPERATIONS)} operations\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
