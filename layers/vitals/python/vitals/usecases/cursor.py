"""Cursors: a place in a list, opaque to callers and bound to the query that it came from."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from vitals.domain.errors import InvalidCursorError
from vitals.domain.instants import iso

_DIGEST = 12


def digest(*parts: Any) -> str:
    """Return a short digest of what a query asks, the same for the same question."""
    plain = json.dumps(parts, default=_plain, sort_keys=True)
    return hashlib.sha256(plain.encode()).hexdigest()[:_DIGEST]


def cursor(query: str, place: Sequence[Any]) -> str:
    """Return the cursor of *place* in the list that the *query* digest names.

    It holds no tenant: the key that presents it decides whose data it walks (LU-016).
    """
    text = json.dumps([query, *place], separators=(",", ":"), ensure_ascii=False, default=_plain)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place_of(given: str, query: str, *types: type | tuple[type, ...]) -> list[Any]:
    """Return the place that *given* names in *query*'s list, its parts of *types*.

    Raises InvalidCursorError for a cursor that was not issued for this query.
    """
    place: list[Any]
    try:
        text = base64.b64decode(given + "=" * (-len(given) % 4), altchars=b"-_", validate=True)
        issued_for, *place = json.loads(text, parse_float=Decimal)
        issued = cursor(issued_for, place) == given
    except (ValueError, TypeError, ArithmeticError, RecursionError):
        issued = False
    if not issued:
        raise InvalidCursorError("cursor was not issued here: start without one")
    if issued_for != query:
        raise InvalidCursorError(
            "cursor belongs to another query: send the same filters, sort and order with it"
        )
    fits = len(place) == len(types) and all(map(isinstance, place, types))
    # To Python, true is a number.
    if not fits or any(isinstance(part, bool) for part in place):
        raise InvalidCursorError("cursor was not issued here: start without one")
    return place


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, Decimal):
        return float(value)
    return sorted(value)
