"""Examples of shapes: their own, or put together of those of their parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contract.samples import SAMPLES


def example_of(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    """Return an example of *schema*: its own, or one put together of those of its parts."""
    for own in ("examples", "enum"):
        if own in schema:
            return schema[own][0]
    for own in ("default", "const"):
        if own in schema:
            return schema[own]
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return SAMPLES[name] if name in SAMPLES else example_of(schemas[name], schemas)
    choices = [choice for choice in ("anyOf", "oneOf", "allOf") if choice in schema]
    return example_of(schema[choices[0]][0], schemas) if choices else _made_up(schema, schemas)


def _made_up(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    match schema.get("type"):
        case "object":
            return {
                name: example_of(each, schemas)
                for name, each in schema.get("properties", {}).items()
            }
        case "array":
            return [example_of(schema.get("items", {}), schemas)]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return False
        case "string":
            return "text"
        case _:
            return None
