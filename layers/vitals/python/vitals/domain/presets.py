"""Presets: sets of weights that a model can begin with (LU-043)."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Final

from vitals.domain.model_document import DEFAULT_MODEL

BALANCED: Final = "balanced"
USAGE_LED: Final = "usage_led"
PRESETS: Final[Mapping[str, Mapping[str, int]]] = {
    BALANCED: {name: given["weight"] for name, given in DEFAULT_MODEL["signals"].items()},
    # usage 0.4, engagement 0.3, support 0.2, sentiment 0.1
    USAGE_LED: {"logins": 20, "adoption": 20, "days": 30, "tickets": 20, "nps": 10},
}
"""The weight in percent of each signal that weighs something."""


def with_preset(document: Mapping[str, Any], preset: str) -> dict[str, Any]:
    """Return *document* with the weights of *preset*, one of PRESETS, and nothing else changed.

    A signal that the preset does not name, one of the tenant's own among them, weighs nothing.
    """
    found = copy.deepcopy(dict(document))
    weights = PRESETS[preset]
    for name, given in found["signals"].items():
        given["weight"] = weights.get(name, 0)
    return found
