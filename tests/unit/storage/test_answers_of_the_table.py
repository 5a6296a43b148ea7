"""How the table's client reads answers: as botocore does, but items stay as they were sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.parsers import JSONParser

from vitals.storage.table import Table

ITEM = {
    "PK": {"S": "T#1#0"},
    "version": {"N": "7"},
    "row": {"S": '{"n":"Ümit"}'},
    "gone": {"NULL": True},
    "list": {"L": [{"S": "a"}, {"M": {"b": {"BOOL": False}}}]},
    "words": {"SS": ["x", "y"]},
}
ANSWERS: Mapping[str, Mapping[str, Any]] = {
    "GetItem": {"Item": ITEM},
    "Query": {"Items": [ITEM, {}], "Count": 2, "LastEvaluatedKey": {"PK": {"S": "T"}}},
    "UpdateItem": {"Attributes": {"reads": {"N": "3"}}},
    "BatchGetItem": {"Responses": {"t": [ITEM]}, "UnprocessedKeys": {}},
    "PutItem": {"ConsumedCapacity": {"TableName": "t", "CapacityUnits": 1.5}},
}


def parsed(parser: Any, operation: str, answer: Mapping[str, Any]) -> Any:
    model = Table("t").connection.session.get_service_model("dynamodb")
    shape = model.operation_model(operation).output_shape
    sent = {"status_code": 200, "headers": {}, "body": json.dumps(answer).encode()}
    return parser.parse(sent, shape)


def ours() -> Any:
    session = Table("t").connection.session
    protocol = session.get_service_model("dynamodb").metadata["protocol"]
    return session.get_component("response_parser_factory").create_parser(protocol)


def test_every_answer_is_what_botocore_makes_of_it() -> None:
    for operation, answer in ANSWERS.items():
        assert parsed(ours(), operation, answer) == parsed(JSONParser(), operation, answer)


def test_an_item_is_not_looked_into() -> None:
    """Botocore looks into every attribute, and would not let this one pass."""
    strange = {"Item": {"PK": {"Z": "no such type"}}}
    assert parsed(JSONParser(), "GetItem", strange)["Item"] != strange["Item"]
    assert parsed(ours(), "GetItem", strange)["Item"] == strange["Item"]


def test_other_services_are_read_by_botocore_alone() -> None:
    factory = Table("t").connection.session.get_component("response_parser_factory")
    assert type(factory.create_parser("query")).__module__ == "botocore.parsers"
