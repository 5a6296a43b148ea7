"""Product events: what one says, and the ledger in which a customer's day of them is counted."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from hashlib import blake2b
from typing import Any

from vitals.domain.numbers import Number, parse_number

MAX_NAMES = 200
MAX_USERS = 20_000
"""So many names, and users, of one customer's events are counted on one day."""
LARGEST_LEDGER = 370_000
"""Bytes that a day's ledger takes at most: an item has room for 400 KB."""
LONGEST_TEXT = 200
"""A property's text that is longer is no value of a signal."""
TOO_MANY_NAMES, TOO_MANY_USERS, DAY_FULL = "too_many_names", "too_many_users", "day_full"

_EXACT = Context(prec=80)
"""Numbers up to 10^15 with 20 decimals, however many, are added without rounding."""
_FINEST = -20
_USER = 8
_MARK = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductEvent:
    """One thing that happened in the product: what, when, by whom, as it was sent.

    *at* is when it happened. *user_email* and *user_id* name the user; an address is folded.
    """

    name: str
    at: datetime
    user_email: str | None = None
    user_id: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    external_id: str | None = None

    @property
    def user(self) -> str | None:
        """Return who did it, by the address if one was sent; None if nobody is named."""
        if self.user_email is not None:
            return f"e:{self.user_email}"
        return None if self.user_id is None else f"i:{self.user_id}"


def user_digest(customer_id: str, user: str) -> bytes:
    """Return the eight bytes by which a ledger knows *user*: the same for this customer alone."""
    return blake2b(user.encode(), digest_size=_USER, key=customer_id.encode()[:64]).digest()


def mark(kind: str, text: str) -> str:
    """Return the twelve letters by which a customer's event is known again.

    *kind* keeps apart what the sender calls it (`x`) and its place in a request (`k`).
    """
    return b64encode(blake2b(f"{kind}:{text}".encode(), digest_size=_MARK).digest()).decode()


@dataclass(slots=True)
class Kept:
    """What is known of one property of one event on one day; *total* is of its numbers."""

    total: Number | None
    last: Number | str
    last_at: datetime

    def take(self, value: Number | str, at: datetime) -> None:
        """Take another value of it; of two of one instant, the one that arrived later is last."""
        if not isinstance(value, str):
            self.total = value if self.total is None else _sum(self.total, value)
        if at >= self.last_at:
            self.last, self.last_at = value, at


@dataclass(slots=True)
class Tally:
    """How often an event happened on a day, and to whom: a bit of *mask* for each user."""

    count: int = 0
    mask: int = 0
    kept: dict[str, Kept] = field(default_factory=dict)


class Ledger:
    """One customer's events of one day, counted by name.

    *users* gives each user's place, by digest. *size* is at least as many bytes as it takes.
    """

    __slots__ = ("size", "tallies", "users")

    def __init__(self) -> None:
        self.users: dict[bytes, int] = {}
        self.tallies: dict[str, Tally] = {}
        self.size = 64

    def count(self, event: ProductEvent, user: bytes | None, properties: Iterable[str]) -> str:
        """Count *event*, or return the code that says why there is no room for it.

        *properties* are those that a definition looks at.
        """
        tally = self.tallies.get(event.name)
        if tally is None and len(self.tallies) >= MAX_NAMES:
            return TOO_MANY_NAMES
        place = self.users.get(user) if user is not None else None
        is_new = user is not None and place is None
        if is_new:
            if len(self.users) >= MAX_USERS:
                return TOO_MANY_USERS
            place = len(self.users)
        values = {
            name: value
            for name in properties
            if (value := _value(event.properties.get(name))) is not None
        }
        grown = self._grown(event.name, tally, place, values, is_new=is_new)
        if grown > LARGEST_LEDGER:
            return DAY_FULL
        self.size = grown
        if tally is None:
            tally = self.tallies[event.name] = Tally()
        if is_new and user is not None and place is not None:
            self.users[user] = place
        tally.count += 1
        if place is not None:
            tally.mask |= 1 << place
        for name, value in values.items():
            known = tally.kept.get(name)
            if known is not None:
                known.take(value, event.at)
            else:
                total = None if isinstance(value, str) else value
                tally.kept[name] = Kept(total, value, event.at)
        return ""

    def _grown(
        self,
        name: str,
        tally: Tally | None,
        place: int | None,
        values: Mapping[str, Number | str],
        *,
        is_new: bool,
    ) -> int:
        """Return the size with an event; texts count twice, for the letters that are escaped."""
        grown = self.size + (11 if is_new else 0)
        mask = tally.mask if tally else 0
        if tally is None:
            grown += 2 * len(name.encode()) + 40
        if place is not None:
            grown += max(0, _letters(place // 8 + 1) - _letters(_bytes(mask)))
        for key, value in values.items():
            known = tally.kept.get(key) if tally else None
            if known is None:
                grown += 2 * len(key.encode()) + 140
            was = len(known.last.encode()) if known and isinstance(known.last, str) else 0
            if isinstance(value, str):
                grown += max(0, 2 * (len(value.encode()) - was))
        return grown

    @property
    def document(self) -> dict[str, Any]:
        """Return the ledger as JSON values."""
        names = {
            name: [
                tally.count,
                b64encode(tally.mask.to_bytes(_bytes(tally.mask), "little")).decode(),
                {
                    key: [
                        None if kept.total is None else str(kept.total),
                        kept.last,
                        _milliseconds(kept.last_at),
                    ]
                    for key, kept in tally.kept.items()
                },
            ]
            for name, tally in self.tallies.items()
        }
        return {"u": b64encode(b"".join(self.users)).decode(), "n": names, "s": self.size}


def ledger_of(document: Mapping[str, Any]) -> Ledger:
    """Return the ledger that `Ledger.document` made *document* of."""
    ledger = Ledger()
    users = b64decode(document["u"])
    ledger.users = {
        users[start : start + _USER]: start // _USER for start in range(0, len(users), _USER)
    }
    for name, (count, mask, kept) in document["n"].items():
        ledger.tallies[name] = Tally(
            count,
            int.from_bytes(b64decode(mask), "little"),
            {
                key: Kept(_number(total), last, _instant(at))
                for key, (total, last, at) in kept.items()
            },
        )
    ledger.size = document["s"]
    return ledger


def _value(raw: object) -> Number | str | None:
    """Return what a signal can be computed from: a number, or a short text; None for the rest."""
    if isinstance(raw, str):
        text = raw.strip()
        return text if text and len(text) <= LONGEST_TEXT and text.isprintable() else None
    if isinstance(raw, bool) or not isinstance(raw, int | float | Decimal):
        return None
    try:
        found = parse_number(raw)
    except ValueError:
        return None
    too_fine = isinstance(found, Decimal) and int(found.as_tuple().exponent) < _FINEST
    return None if too_fine else found


def _sum(total: Number, value: Number) -> Number:
    return _EXACT.add(Decimal(total), Decimal(value))


def total_of(parts: Iterable[Number]) -> Number:
    """Return the exact sum of *parts*."""
    total: Number = 0
    for part in parts:
        total = _sum(total, part)
    return total


def _number(text: str | None) -> Number | None:
    return None if text is None else Decimal(text)


def _bytes(mask: int) -> int:
    return (mask.bit_length() + 7) // 8


def _letters(count: int) -> int:
    """Return how long so many bytes are in base64."""
    return (count + 2) // 3 * 4


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _milliseconds(at: datetime) -> int:
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def _instant(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)
