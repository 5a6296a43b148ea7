"""What a client was asked, asked again: the floor of whatever made those calls."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore import xform_name


@dataclass(frozen=True)
class Asked:
    """One call: the operation and its parameters."""

    operation: str
    parameters: Mapping[str, Any]

    def send(self, client: Any) -> Any:
        """Make the call on *client* and return its answer."""
        return getattr(client, xform_name(self.operation))(**self.parameters)


@contextmanager
def overheard(client: Any) -> Iterator[list[Asked]]:
    """Give the list to which everything is added that *client* is asked in the with block."""
    asked: list[Asked] = []

    def note(params: Mapping[str, Any], model: Any, **_: object) -> None:
        asked.append(Asked(model.name, copy.deepcopy(dict(params))))

    client.meta.events.register("before-parameter-build.dynamodb", note)
    try:
        yield asked
    finally:
        client.meta.events.unregister("before-parameter-build.dynamodb", note)


def sending(client: Any, calls: Sequence[Asked]) -> Callable[[], None]:
    """Return what makes *calls*, bare."""

    def send() -> None:
        for call in calls:
            call.send(client)

    return send


def reading(client: Any, calls: Sequence[Asked]) -> Callable[[], None]:
    """Return what makes those of *calls* that read, and decodes the JSON of what they find."""
    reads = [call for call in calls if call.operation in ("Query", "GetItem", "BatchGetItem")]

    def read() -> None:
        for call in reads:
            for item in _items(call.send(client)):
                for name in ("row", "doc"):
                    if name in item:
                        json.loads(item[name]["S"])

    return read


def _items(answer: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    if "Responses" in answer:
        [items] = answer["Responses"].values()
        return list(items)
    return list(answer["Items"]) if "Items" in answer else [answer["Item"]]
