"""The document itself, and the page that shows it (LU-006)."""

from __future__ import annotations

from typing import Any

from contract.shape import Described

DESCRIBED = {
    "getOpenapi": Described(
        summary="This document",
        tag="Reference",
        description="What is served is what requests are checked against. Takes no key.",
        answers={200: dict[str, Any]},
    ),
    "getDocs": Described(
        summary="The reference as a page",
        tag="Reference",
        description="Needs nothing from elsewhere, nor a key.",
        answers={200: str},
        media_type="text/html",
    ),
}
