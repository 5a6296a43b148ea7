"""The least that a function with a table does: one GetItem, by one boto3 client."""

import json
import os
from typing import Any

import boto3  # type: ignore[import-untyped] # it has no type hints

CLIENT = boto3.client("dynamodb")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Return the item under the event's key."""
    answer = CLIENT.get_item(TableName=os.environ["TABLE_NAME"], Key=event["key"])
    return {"statusCode": 200, "body": json.dumps(answer["Item"])}
