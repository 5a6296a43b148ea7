"""The OpenAPI document is what the code makes, and holds what it promises (LU-006)."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs
import pytest

from contract import document
from resources.operations import OPERATIONS, Operation

DOC: Mapping[str, Any] = json.loads(document.PLACE.read_text(encoding="utf-8"))
EVERY = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=list(OPERATIONS))
ALWAYS = {"400", "401", "429", "500", "503"}


def about(operation: Operation) -> Mapping[str, Any]:
    found: Mapping[str, Any] = DOC["paths"][operation.path][operation.method.lower()]
    return found


def test_the_committed_document_is_the_one_that_the_code_makes() -> None:
    assert document.text() == document.PLACE.read_text(encoding="utf-8"), "make openapi"


def test_every_operation_is_described_and_nothing_else_is() -> None:
    assert document.described().keys() == OPERATIONS.keys()
    described = {
        each["operationId"]
        for place in DOC["paths"].values()
        for each in place.values()
        if isinstance(each, dict)
    }
    assert described == OPERATIONS.keys()


@EVERY
def test_an_operation_says_its_scopes_and_every_refusal(operation: Operation) -> None:
    said = about(operation)
    assert said["x-scopes"] == list(operation.scopes)
    assert all(f"`{scope}`" in said["description"] for scope in operation.scopes)
    statuses = set(said["responses"])
    if operation.is_public:
        assert said["security"] == []
        return
    assert statuses >= ALWAYS
    assert ("403" in statuses) >= bool(operation.scopes)
    assert ("404" in statuses) == ("{" in operation.path)
    assert ({"413", "415"} <= statuses) == operation.takes_body
    names = [each.get("$ref", "") for each in said.get("parameters", ())]
    assert any("IdempotencyKey" in name for name in names) == (operation.method == "POST")
    assert any("IfMatch" in name for name in names) == ("412" in statuses)


@EVERY
def test_an_operation_has_an_answer_in_the_module_that_the_table_names(
    operation: Operation,
) -> None:
    assert callable(operation.answer)


@EVERY
def test_every_example_is_one(operation: Operation) -> None:
    found = 0
    for schema, example in examples(operation):
        whole = {**schema, "components": {"schemas": DOC["components"]["schemas"]}}
        errors = list(jsonschema_rs.Draft202012Validator(whole).iter_errors(example))
        assert not errors, (example, [str(error)[:300] for error in errors])
        found += 1
    assert found or operation.is_public or operation.method == "DELETE"


def examples(operation: Operation) -> Iterator[tuple[Mapping[str, Any], Any]]:
    """Yield each example of an operation with its schema."""
    said = about(operation)
    for parameter in said.get("parameters", ()):
        if "example" in parameter:
            yield parameter["schema"], parameter["example"]
    bodies = [said["requestBody"], *said["responses"].values()] if "requestBody" in said else None
    for each in bodies or said["responses"].values():
        for content in each.get("content", {}).values():
            for example in content.get("examples", {}).values():
                yield content["schema"], example["value"]


def test_every_problem_is_a_problem_document() -> None:
    for response in DOC["components"]["responses"].values():
        [(kind, content)] = response["content"].items()
        named = content["schema"]["$ref"].rpartition("/")[2]
        assert (kind, named) in {
            ("application/problem+json", "Problem"),
            ("application/json", "GatewayMessage"),  # what the gateway says by itself
        }
