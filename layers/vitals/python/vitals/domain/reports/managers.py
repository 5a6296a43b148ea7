"""Managers: their books side by side, and where each needs help (IQ-186)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from vitals.domain.numbers import Number, published_ratio
from vitals.domain.reports.accounts import OVERDUE, percent
from vitals.domain.reports.book import Account, Book
from vitals.domain.reports.document import COUNT, DAY, MONEY, PERCENT, POINTS, TEXT, Line
from vitals.domain.reports.groups import Group, spelled
from vitals.domain.reports.movement import difference
from vitals.domain.snapshot import WITHOUT

CONTACT_DAYS: Final = 7
RENEWAL_DAYS: Final = 90
"""Contacts of so many days, today among them, are recent; renewals within so many are near."""
HIGH_AT_RISK: Final = 30
HIGH_OVERDUE: Final = 25
"""From so many percent of a manager's accounts on, it is a focus area."""
DECLINE: Final = 2
ENOUGH: Final = 3
"""So is a fall of so many points on average; none of less than so many accounts."""
HEAVY: Final = 150
"""A workload of so many percent of an even share is heavy."""

AT_RISK, CONTACTS, DECLINING, UNASSIGNED = "at_risk", "overdue", "declining", "unassigned"
"""The kinds of focus areas."""


@dataclass(slots=True)
class Own:
    """The accounts of one manager in figures."""

    group: Group = field(default_factory=Group)
    overdue: int = 0
    overdue_mrr: Number = 0
    contacted: int = 0
    renewals: Group = field(default_factory=Group)
    lost: int = 0
    lost_mrr: Number = 0

    def count(self, account: Account) -> None:
        """Count one more."""
        self.group.count(account)
        if account.cadence == OVERDUE:
            self.overdue += 1
            self.overdue_mrr += account.mrr
        last = account.customer.last_contact_on
        if last is not None and (account.standing.today - last).days < CONTACT_DAYS:
            self.contacted += 1
        renewal_in = account.renewal_in
        if renewal_in is not None and 0 <= renewal_in <= RENEWAL_DAYS:
            self.renewals.count(account)


def manager_figures(book: Book) -> dict[str, Any]:
    """Return the managers of *book* in figures, from one pass over its accounts.

    `leaderboard` goes by average score, the best first; equal ones share a rank. Names that differ
    by case alone are one manager; "" are the accounts of none, who have no rank and come last.
    `trend` is of the same accounts on `book.then` and now. `lost` are those of `Book.gone`, whom
    nothing else counts, None where that is not known. `workload` compares shares of the managed
    accounts with an even one; `focus` are the areas that need help, those with most revenue at
    stake first.
    """
    own = _divided(book)
    order = sorted(own, key=lambda name: _place(name, own[name].group))
    board: list[dict[str, Any]] = []
    for place, name in enumerate(order, 1):
        row = _row(book, name, own[name])
        ranked = name != WITHOUT and row["average_score"] is not None
        tied = bool(board) and board[-1]["average_score"] == row["average_score"]
        row["rank"] = (board[-1]["rank"] if tied else place) if ranked else None
        board.append(row)
    return {
        "leaderboard": board,
        "workload": _workload(
            {
                name: own[name].group
                for name in order
                if name != WITHOUT and own[name].group.customers
            }
        ),
        "focus": _focus(book, own),
    }


def manager_names(book: Book) -> dict[str, str]:
    """Return how each manager of *book* is called, by every spelling of the name.

    Those as well who have lost all their accounts.
    """
    counts = Counter(each.customer.manager or WITHOUT for each in book.accounts)
    for customer in book.gone:
        counts[customer.manager or WITHOUT] += 1
    spelling = spelled(counts)
    return {name: spelling[name.casefold()] for name in counts}


def _divided(book: Book) -> dict[str, Own]:
    names = manager_names(book)
    own = {name: Own() for name in sorted(names.values())}
    for account in book.accounts:
        own[names[account.customer.manager or WITHOUT]].count(account)
    for customer in book.gone:
        each = own[names[customer.manager or WITHOUT]]
        each.lost += 1
        each.lost_mrr += customer.mrr or 0
    return own


def _place(name: str, group: Group) -> tuple[bool, bool, Number, Number, str]:
    average = group.average
    return name == WITHOUT, average is None, -(average or 0), -group.mrr, name


def _row(book: Book, name: str, own: Own) -> dict[str, Any]:
    renewals = own.renewals
    return {
        "rank": None,
        "manager": name,
        **own.group.shown(),
        "overdue_contacts": own.overdue,
        "overdue_percent": percent(own.overdue, own.group.customers),
        "contacted": own.contacted,
        "renewals": {
            "accounts": renewals.customers,
            "mrr": renewals.mrr,
            "at_risk": renewals.at_risk,
            "at_risk_mrr": renewals.at_risk_mrr,
        },
        "lost": {
            "accounts": own.lost if book.knows_gone else None,
            "mrr": own.lost_mrr if book.knows_gone else None,
        },
    }


def _workload(groups: dict[str, Group]) -> dict[str, Any]:
    """Return each manager's share of the managed accounts and their MRR, against an even one."""
    accounts = sum(group.customers for group in groups.values())
    mrr = sum((group.mrr for group in groups.values()), start=0)
    even = published_ratio(100, len(groups)) if groups else None
    rows: list[dict[str, Any]] = []
    for name, group in groups.items():
        of_accounts = percent(group.customers, accounts)
        of_mrr = percent(group.mrr, mrr)
        heavy = Fraction(100 * group.customers * len(groups), accounts) >= HEAVY
        rows.append(
            {
                "manager": name,
                "accounts": group.customers,
                "accounts_percent": of_accounts,
                "accounts_over_even": _over(of_accounts, even),
                "mrr": group.mrr,
                "mrr_percent": of_mrr,
                "mrr_over_even": _over(of_mrr, even),
                "heavy": heavy,
            }
        )
    rows.sort(key=lambda row: (-row["accounts"], -row["mrr"], row["manager"]))
    return {"managers": len(groups), "even_percent": even, "rows": rows}


def _over(share: Number | None, even: Number | None) -> Number | None:
    return None if share is None or even is None else difference(share, even)


def _focus(book: Book, own: dict[str, Own]) -> list[dict[str, Any]]:
    """Return what passes a threshold, with the figures that say so."""
    found = []
    for name, each in own.items():
        if name == WITHOUT:
            found += [_unassigned(each.group)] if each.group.customers else []
            continue
        if each.group.customers < ENOUGH:
            continue
        found += [area for area in (_risky(name, each), _overdue(name, each)) if area]
        declining = _declining(book, name, each)
        found += [declining] if declining else []
    found.sort(key=lambda area: (-area["mrr"], area["kind"], area["manager"]))
    return found


def _risky(name: str, own: Own) -> dict[str, Any] | None:
    group = own.group
    if 100 * group.at_risk < HIGH_AT_RISK * group.customers:
        return None
    share = percent(group.at_risk, group.customers)
    line = Line(
        "{}: {} of the accounts are at risk, {} of {}; they pay {} MRR.",
        (
            (TEXT, name),
            (PERCENT, share),
            (COUNT, group.at_risk),
            (COUNT, group.customers),
            (MONEY, group.at_risk_mrr),
        ),
    )
    return _area(
        AT_RISK,
        name,
        line,
        value=share,
        threshold=HIGH_AT_RISK,
        accounts=group.at_risk,
        mrr=group.at_risk_mrr,
    )


def _overdue(name: str, own: Own) -> dict[str, Any] | None:
    count = own.group.customers
    if 100 * own.overdue < HIGH_OVERDUE * count:
        return None
    share = percent(own.overdue, count)
    line = Line(
        "{}: overdue contacts {} of {}, {}; these accounts pay {} MRR.",
        (
            (TEXT, name),
            (COUNT, own.overdue),
            (COUNT, count),
            (PERCENT, share),
            (MONEY, own.overdue_mrr),
        ),
    )
    return _area(
        CONTACTS,
        name,
        line,
        value=share,
        threshold=HIGH_OVERDUE,
        accounts=own.overdue,
        mrr=own.overdue_mrr,
    )


def _declining(book: Book, name: str, own: Own) -> dict[str, Any] | None:
    group = own.group
    fallen = group.total_then - group.total_both
    if group.both < ENOUGH or fallen < DECLINE * group.both or group.trend is None:
        return None
    change = group.trend["change"]
    line = Line(
        "{}: the average moved by {} points since {}; {} of {} accounts declined, they pay {} MRR.",
        (
            (TEXT, name),
            (POINTS, change),
            (DAY, book.then),
            (COUNT, group.declined),
            (COUNT, group.both),
            (MONEY, group.declined_mrr),
        ),
    )
    return _area(
        DECLINING,
        name,
        line,
        value=change,
        threshold=-DECLINE,
        accounts=group.declined,
        mrr=group.declined_mrr,
    )


def _unassigned(group: Group) -> dict[str, Any]:
    line = Line(
        "Without a manager: {} of the accounts, which pay {} MRR.",
        ((COUNT, group.customers), (MONEY, group.mrr)),
    )
    return _area(
        UNASSIGNED,
        WITHOUT,
        line,
        value=group.customers,
        threshold=1,
        accounts=group.customers,
        mrr=group.mrr,
    )


def _area(
    kind: str,
    manager: str,
    line: Line,
    *,
    value: Number | None,
    threshold: int,
    accounts: int,
    mrr: Number,
) -> dict[str, Any]:
    return {
        "kind": kind,
        "manager": manager,
        "value": value,
        "threshold": threshold,
        "accounts": accounts,
        "mrr": mrr,
        "line": line,
    }
