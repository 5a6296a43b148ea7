"""The risk of a book's accounts: an uncalibrated index, and what it is made of (AMB-49)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from vitals.domain.numbers import Number
from vitals.domain.reports.accounts import Cost, costs, low_first
from vitals.domain.reports.book import Account, Book

RANGES: Final = (*((low, low + 9) for low in range(0, 90, 10)), (90, 100))
"""The ranges of the risk index whose accounts are counted together."""


@dataclass(slots=True)
class Weighed:
    """One signal over a book: in how many accounts it costs most, and what those pay."""

    accounts: int = 0
    mrr: Number = 0


@dataclass(slots=True)
class Risks:
    """The accounts of a book by risk, the highest first, each with what its signals cost."""

    accounts: list[Account]
    costs: list[list[Cost]]
    counts: list[int] = field(default_factory=lambda: [0] * len(RANGES))
    mrrs: list[Number] = field(default_factory=lambda: [0] * len(RANGES))
    first: dict[str, Weighed] = field(default_factory=dict)


def risk_index(score: int | None) -> int | None:
    """Return the uncalibrated risk index of a *score*, 0 to 100; None without one."""
    return None if score is None else 100 - score


def risks(book: Book) -> Risks:
    """Return the accounts of *book* by risk."""
    accounts = sorted(book.accounts, key=low_first)
    found = Risks(accounts, [costs(account) for account in accounts])
    for account, own in zip(accounts, found.costs, strict=True):
        index = risk_index(account.score)
        if index is None:
            continue
        place = min(index // 10, len(RANGES) - 1)
        found.counts[place] += 1
        found.mrrs[place] += account.mrr
        if own and own[0].units:
            weighed = found.first.setdefault(own[0].signal, Weighed())
            weighed.accounts += 1
            weighed.mrr += account.mrr
    return found
