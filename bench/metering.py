"""A meter on a DynamoDB client: every call that it makes, and the units that it consumes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

_READS = frozenset({"GetItem", "Query", "BatchGetItem", "Scan", "TransactGetItems"})


@dataclass(frozen=True, slots=True)
class Call:
    """One call: what was asked, and the units consumed; *index_units* are a part of *units*."""

    operation: str
    asked: Mapping[str, Any]
    units: float
    index_units: float

    @property
    def reads(self) -> float:
        """Return the read units."""
        return self.units if self.operation in _READS else 0

    @property
    def writes(self) -> float:
        """Return the write units."""
        return 0 if self.operation in _READS else self.units


class Meter:
    """Counts what *client* does while it runs; asks DynamoDB itself what each call consumed."""

    def __init__(self, client: Any) -> None:
        self._events = client.meta.events
        self._calls: list[Call] = []

    @contextmanager
    def running(self) -> Iterator[list[Call]]:
        """Give the list to which every call of the with block is added."""
        self._calls = []
        self._events.register("before-parameter-build.dynamodb", self._ask)
        self._events.register("after-call.dynamodb", self._note)
        try:
            yield self._calls
        finally:
            self._events.unregister("before-parameter-build.dynamodb", self._ask)
            self._events.unregister("after-call.dynamodb", self._note)

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Count nothing of what the client does in the with block, inside the other one."""
        calls, self._calls = self._calls, []
        try:
            yield
        finally:
            self._calls = calls

    def _ask(self, params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        params["ReturnConsumedCapacity"] = "INDEXES"
        context["asked"] = params

    def _note(self, model: Any, parsed: Any, context: dict[str, Any], **_: object) -> None:
        consumed = parsed.get("ConsumedCapacity", [])
        tables = consumed if isinstance(consumed, list) else [consumed]
        indexes = [each for t in tables for each in t.get("GlobalSecondaryIndexes", {}).values()]
        self._calls.append(
            Call(
                model.name,
                context["asked"],
                sum(table["CapacityUnits"] for table in tables),
                sum(index["CapacityUnits"] for index in indexes),
            )
        )
