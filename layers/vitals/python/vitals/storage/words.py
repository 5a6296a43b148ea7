"""Items, conditions and sums in botocore's words, of which the calls on single items are made."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pynamodb.expressions.condition import Condition
from pynamodb.models import Model


def key(partition: str, sort: str) -> dict[str, Any]:
    """Return a key."""
    return {"PK": {"S": partition}, "SK": {"S": sort}}


def put(item: Model, condition: Condition | None) -> dict[str, Any]:
    """Return the parameters that write *item* if *condition* holds."""
    given = item.attribute_values.items()
    attributes = {name: _attribute(value) for name, value in given if value is not None}
    return {"Item": attributes, **_guard(condition)}


def check(item: Model, condition: Condition) -> dict[str, Any]:
    """Return the parameters that want *condition* to hold of *item*, and leave it as it is."""
    return {"Key": _key_of(item), **_guard(condition)}


def delete(item: Model, condition: Condition | None) -> dict[str, Any]:
    """Return the parameters that delete *item* if *condition* holds."""
    return {"Key": _key_of(item), **_guard(condition)}


def add(
    item: Model, amounts: Mapping[str, int], expires_at: datetime | None = None
) -> dict[str, Any]:
    """Return the parameters that add *amounts* to the numbers of *item*, and set its expiry."""
    expression = "ADD " + ", ".join(f"#{name} :{name}" for name in amounts)
    values = {f":{name}": _attribute(amount) for name, amount in amounts.items()}
    if expires_at is not None:
        expression += " SET expires_at = :expires_at"
        values[":expires_at"] = _attribute(expires_at)
    return {
        "Key": _key_of(item),
        "UpdateExpression": expression,
        "ExpressionAttributeNames": {f"#{name}": name for name in amounts},
        "ExpressionAttributeValues": values,
    }


def _key_of(item: Model) -> dict[str, Any]:
    values = item.attribute_values
    return key(values["PK"], values["SK"])


def _attribute(value: str | int | datetime) -> dict[str, str]:
    """Return one value; an instant is a number of seconds, as TTL has it."""
    if isinstance(value, str):
        return {"S": value}
    return {"N": str(int(value.timestamp()) if isinstance(value, datetime) else value)}


def _guard(condition: Condition | None) -> dict[str, Any]:
    """Return the parameters that make a write conditional."""
    if condition is None:
        return {}
    names: dict[str, str] = {}
    values: dict[str, Any] = {}
    guard: dict[str, Any] = {"ConditionExpression": condition.serialize(names, values)}
    guard["ExpressionAttributeNames"] = {placed: name for name, placed in names.items()}
    return guard | ({"ExpressionAttributeValues": values} if values else {})
