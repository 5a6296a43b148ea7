"""JSON documents: what two of them differ in, path by path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return each path whose value differs, as [before, after]; None stands for absent.

    Objects are walked, anything else is a value.
    """
    old, new = dict(_leaves(before)), dict(_leaves(after))
    return {
        path: [old.get(path), new.get(path)]
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    }


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if not isinstance(value, Mapping) or not value:
        yield path, value
        return
    for name, each in value.items():
        yield from _leaves(each, f"{path}.{name}" if path else name)
