"""Requests checked against the OpenAPI document itself: what it refuses, no use-case sees."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from vitals.domain.errors import FieldError, ValidationError

DOCUMENT = Path(__file__).parents[1] / "openapi.json"
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,14})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?")
_FLAGS = {"true": True, "false": False}
MOST_ERRORS = 50
"""Nobody reads more of them."""

Schema = Mapping[str, Any]


def checked(
    operation_id: str, query: Mapping[str, str], body: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return *query* as values of the types that the document names.

    Raises ValidationError naming every field of the query and of the body that it refuses.
    """
    about = _about(operation_id)
    values = {name: _value(about.types.get(name, "string"), text) for name, text in query.items()}
    errors = _errors(about.query, values, about.types) if query else []
    if about.body is not None:
        errors += _errors(about.body, body, about.fields)
    if errors:
        raise ValidationError(errors[:MOST_ERRORS])
    return values


def refusals_of(shape: str, value: Mapping[str, Any]) -> list[FieldError]:
    """Return what the document's *shape* refuses of *value*: nothing, where it is one."""
    _, components = _document()
    return _errors(_shape(shape), value, components["schemas"][shape].get("properties", {}))


@cache
def _shape(name: str) -> Any:
    _, components = _document()
    return _validator({"$ref": f"#/components/schemas/{name}"}, components)


class _About:
    """What the document says of one operation, made ready to check with."""

    def __init__(self, operation: Schema, components: Schema) -> None:
        parameters = {
            each["name"]: each
            for each in (_resolved(given, components) for given in operation["parameters"])
            if each["in"] == "query"
        }
        self.types = {name: _type(each["schema"]) for name, each in parameters.items()}
        self.query = _validator(
            {
                "type": "object",
                "properties": {name: each["schema"] for name, each in parameters.items()},
                "additionalProperties": False,
            },
            components,
        )
        self.body = None
        self.fields: Collection[str] = ()
        if "requestBody" in operation:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            self.body = _validator(schema, components)
            shape = components["schemas"][schema["$ref"].rpartition("/")[2]]
            self.fields = shape.get("properties", {})


@cache
def _document() -> tuple[Mapping[str, Schema], Schema]:
    document = json.loads(DOCUMENT.read_bytes())
    operations = {
        operation["operationId"]: {"parameters": [], **operation}
        for path in document["paths"].values()
        for operation in path.values()
        if isinstance(operation, dict) and "operationId" in operation
    }
    return operations, document["components"]


@cache
def _about(operation_id: str) -> _About:
    operations, components = _document()
    return _About(operations[operation_id], components)


def _resolved(given: Schema, components: Schema) -> Schema:
    if "$ref" not in given:
        return given
    found: Schema = components["parameters"][given["$ref"].rpartition("/")[2]]
    return found


def _validator(schema: Schema, components: Schema) -> Any:
    whole = {**schema, "components": {"schemas": components["schemas"]}}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def _type(schema: Schema) -> str:
    if "type" in schema:
        return str(schema["type"])
    # One that may be null besides is of the other type.
    kinds = [each.get("type") for each in schema.get("anyOf", ())]
    return next((str(kind) for kind in kinds if kind not in (None, "null")), "string")


def _value(kind: str, text: str) -> Any:
    """Return *text* as a value of *kind*; as it is if it spells none, for the schema to refuse."""
    if kind == "integer" and _INTEGER.fullmatch(text):
        return int(text)
    if kind == "number" and _NUMBER.fullmatch(text):
        return Decimal(text)
    if kind == "boolean":
        return _FLAGS.get(text, text)
    if kind == "array":
        return text.split(",")
    return text


def _errors(validator: Any, value: Any, known: Collection[str]) -> list[FieldError]:
    found: list[FieldError] = []
    for error in validator.iter_errors(value):
        found += _field_errors(error, known)
        if len(found) >= MOST_ERRORS:
            break
    return found


def _field_errors(error: Any, known: Collection[str] = ()) -> list[FieldError]:
    """Return what *error* means to a caller: which field, a stable code, and what to do.

    *known* are the fields that there are, of which an unknown one may be a misspelling.
    """
    kind, place = error.kind, ".".join(map(str, error.instance_path))
    name = kind.name
    if name in ("additionalProperties", "unevaluatedProperties"):
        return [
            FieldError(_below(place, each), "unknown_field", _meant(each, known))
            for each in kind.unexpected
        ]
    if name == "required":
        return [FieldError(_below(place, kind.property), "required", "is required")]
    if name in ("anyOf", "oneOf"):
        return [_narrowed(error, place)]
    return [FieldError(place or "body", *_said(name, kind, error))]


def _narrowed(error: Any, place: str) -> FieldError:
    """Return the one error of the branch that was meant: null is never what was meant."""
    for branch in error.kind.context:
        for inner in branch:
            if inner.kind.name == "type" and _named(inner.kind.types) == "null":
                continue
            [found, *_] = _field_errors(inner)
            return FieldError(place or found.field, found.code, found.message)
    return FieldError(place or "body", "invalid", "is none of what is accepted here")


def _below(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _meant(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name[:40].casefold(), known, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"is no field that is read here{hint}"


_TYPES = {
    "string": ("must_be_string", "must be a string"),
    "number": ("must_be_number", "must be a number"),
    "integer": ("must_be_whole", "must be a whole number"),
    "boolean": ("must_be_boolean", "must be true or false"),
    "object": ("must_be_object", "must be an object"),
    "array": ("must_be_list", "must be a list"),
    "null": ("must_be_null", "must be null"),
}
_FORMATS = {
    "date": ("must_be_date", "must be a date in ISO 8601, like 2026-03-01"),
    "date-time": ("must_be_instant", "must be an instant in ISO 8601, like 2026-03-01T00:00:00Z"),
    "email": ("must_be_email", "must be an e-mail address"),
    "uri": ("must_be_url", "must be a URL"),
}


def _named(types: Any) -> str:
    found = types if isinstance(types, list | tuple) else [types]
    return next((str(each) for each in found if str(each) != "null"), "null")


_BOUNDS = {
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be above {}",
    "exclusiveMaximum": "must be below {}",
    "maxLength": "must be at most {} characters",
    "minLength": "must be at least {} characters",
    "maxItems": "must hold at most {}",
    "minItems": "must hold at least {}",
    "maxProperties": "must hold at most {}",
    "minProperties": "must hold at least {}",
}


def _said(name: str, kind: Any, error: Any) -> tuple[str, str]:
    """Return the code and the message of a refusal by the keyword *name*."""
    if name == "type":
        return _TYPES[_named(kind.types)]
    if name == "format":
        return _FORMATS.get(kind.format, ("invalid", f"must be of the format {kind.format}"))
    if name in _BOUNDS:
        return _bounded(name, kind.limit)
    if name == "enum":
        return "unknown_value", f"must be one of: {', '.join(map(str, kind.options))}"
    if name == "pattern":
        return "bad_form", f"must match {kind.pattern}"
    return "invalid", str(error.message)[:200]


def _bounded(name: str, bound: Any) -> tuple[str, str]:
    if name == "minimum" and bound == 0:
        # Integrations know it by this name (LU-079).
        return "must_be_positive", "must not be negative"
    if name == "minLength" and bound == 1:
        return "required", "must not be blank"
    code = "too_long" if name == "maxLength" else "out_of_range"
    return code, _BOUNDS[name].format(bound)
