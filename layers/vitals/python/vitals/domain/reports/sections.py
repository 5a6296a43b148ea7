"""Sections that several reports share: key figures, whom to call first, who moved, how to read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from vitals.domain.numbers import Number
from vitals.domain.reports.accounts import (
    Ranked,
    costs,
    first_to_call,
    reasons,
    total_mrr,
)
from vitals.domain.reports.book import Account, Book
from vitals.domain.reports.document import (
    AVERAGE,
    BAND,
    CONTRIBUTIONS,
    COUNT,
    DAY,
    DAYS,
    DOWN,
    INDEX,
    MONEY,
    NAME,
    POINTS,
    SCORE,
    TEXT,
    UP,
    WORD,
    Chart,
    Column,
    Figure,
    Line,
    Plain,
    Series,
    Table,
)
from vitals.domain.reports.movement import DRIVERS, drivers, moved_by

FIRST: Final = 10
"""So many accounts are named as those to call first."""

Row = tuple[Plain, ...]
ACCOUNT = Column("name", "Customer", NAME)
MANAGER = Column("manager", "Manager", TEXT)
TIER = Column("tier", "Tier", WORD)
HEALTH = Column("score", "Score", SCORE)
STATUS = Column("status", "Band", BAND)
WAS = Column("score_then", "Was", SCORE)
MOVED = Column("moved", "Change", POINTS)
MRR = Column("mrr", "MRR", MONEY)
RENEWS_ON = Column("renewal_date", "Renewal", DAY)
RENEWS_IN = Column("days_until_renewal", "Renews in", DAYS)
PARTS = (
    Column("risk", "Risk", INDEX),
    Column("revenue_share", "Revenue share", INDEX),
    Column("renewal_factor", "Renewal factor", INDEX),
    Column("priority", "Priority", INDEX),
)
REASON = Column("reason", "Why", TEXT, beneath=True)
MOVED_BY = (
    Column("signal_1", "Moved most by", WORD, beneath=True),
    Column("change_1", "Its part", POINTS, beneath=True),
    Column("signal_2", "Then by", WORD, beneath=True),
    Column("change_2", "Its part", POINTS, beneath=True),
)
"""The signals that moved a score most, as `movement.drivers` gives them."""
QUIET = Column("quiet_days", "Days quiet", DAYS)
CONTACT = Column("last_contact_on", "Last contact", DAY)
FIELDS: Final[Mapping[str, Callable[[Account], Plain]]] = {
    "name": lambda account: account.customer.name,
    "manager": lambda account: account.customer.manager,
    "tier": lambda account: account.customer.tier,
    "mrr": lambda account: account.customer.mrr,
    "score_then": lambda account: account.was,
    "score": lambda account: account.score,
    "status": lambda account: account.status,
    "moved": lambda account: account.moved,
    "renewal_date": lambda account: account.customer.renewal_date,
    "days_until_renewal": lambda account: account.renewal_in,
    "last_contact_on": lambda account: account.customer.last_contact_on,
    "quiet_days": lambda account: account.standing.quiet_days,
}
"""How an account has each of these columns."""
CALLED = (ACCOUNT, MANAGER, HEALTH, STATUS, MRR, RENEWS_IN)
"""What is said of an account that is to be called, before why."""
_MOVER = (ACCOUNT, MANAGER, MRR, WAS, HEALTH, STATUS, MOVED)

KPIS: Final = (
    ("average_score", "Average score", AVERAGE, "average", UP, "of those with a score"),
    ("customers", "Customers", COUNT, "customers", UP, ""),
    ("mrr", "MRR", MONEY, "mrr", UP, ""),
    ("arr", "ARR", MONEY, "arr", UP, ""),
    ("at_risk", "At risk", COUNT, "at_risk", DOWN, "customers in Critical and At risk"),
    ("revenue_at_risk", "MRR at risk", MONEY, "at_risk_mrr", DOWN, "what those at risk pay"),
)
"""Figures that a day's can be compared with: name, label, kind, attribute, better, note."""


def call_table(book: Book, accounts: Sequence[Account] | None = None) -> Table:
    """Return the first accounts to call, of *accounts* or of the whole book, and why."""
    found = book.accounts if accounts is None else accounts
    return Table(
        name="priority_accounts",
        title="Call first",
        columns=(*CALLED, *PARTS, REASON),
        rows=tuple(map(_call_row, first_to_call(found, FIRST, book.portfolio_mrr))),
    )


def priority_parts(ranked: Ranked) -> Row:
    """Return the parts of a priority in the order of PARTS, None for those of none."""
    parts = ranked.priority
    if parts is None:
        return None, None, None, None
    return parts["risk"], parts["revenue_share"], parts["renewal_factor"], parts["score"]


def mover_table(book: Book, name: str, title: str, accounts: Sequence[Account]) -> Table:
    """Return *accounts* with their scores then and now, and the signals that moved them most."""
    return Table(
        name=name,
        title=title,
        columns=(*_MOVER, *MOVED_BY),
        rows=tuple(_mover_row(book, account) for account in accounts),
        empty="Nobody.",
    )


def account_table(
    name: str, title: str, columns: Sequence[Column], accounts: Sequence[Account]
) -> Table:
    """Return *accounts* in their order, by columns of FIELDS."""
    return Table(
        name=name,
        title=title,
        columns=tuple(columns),
        rows=tuple(fields_of(account, columns) for account in accounts),
        empty="Nobody.",
    )


def fields_of(account: Account, columns: Sequence[Column]) -> Row:
    """Return what *account* has in *columns* of FIELDS."""
    return tuple(FIELDS[column.name](account) for column in columns)


def chart_of_costs(title: str, means: Sequence[tuple[str, Number]]) -> Chart | None:
    """Return the chart of *means*, the points that each signal costs; None where none does."""
    if not means or not means[0][1]:
        return None
    signal, most = means[0]
    return Chart(
        name="costs",
        title=title,
        chart=CONTRIBUTIONS,
        labels=tuple(signal for signal, _ in means),
        label_kind=WORD,
        kind=POINTS,
        series=(Series(name="costs", label="Points", values=tuple(-lost for _, lost in means)),),
        says=Line(
            "{} costs most: on the mean {} points of a score, of 100.",
            ((WORD, signal), (AVERAGE, most)),
        ),
    )


def kpis(book: Book, *names: str) -> tuple[Figure, ...]:
    """Return the figures of KPIS called *names*, beside those of the day that is compared with."""
    now, then = book.figures, book.figures_then
    return tuple(
        Figure(
            name=name,
            label=label,
            kind=kind,
            value=getattr(now, field),
            previous=getattr(then, field) if then is not None else None,
            better=better,
            note=note,
        )
        for name, label, kind, field, better, note in KPIS
        if name in names
    )


def came_and_went(book: Book) -> tuple[Figure, ...]:
    """Return how many came and how many went since the day that is compared with, and their MRR.

    None where that is not known. What those paid who went is as it was last known; of a purged
    customer nothing is.
    """
    joined, gone = total_mrr(book.joined), sum(each.mrr or 0 for each in book.gone)
    came, went = book.then is not None, book.knows_gone
    shape: tuple[tuple[str, str, str, Plain, bool, str, str], ...] = (
        ("joined", "New customers", COUNT, len(book.joined), came, UP, ""),
        ("joined_mrr", "New MRR", MONEY, joined, came, UP, "what new customers pay"),
        ("left", "Lost customers", COUNT, len(book.lost), went, DOWN, ""),
        (
            "left_mrr",
            "Lost MRR",
            MONEY,
            gone,
            went,
            DOWN,
            "what they paid, as last known",
        ),
    )
    return tuple(
        Figure(
            name=name,
            label=label,
            kind=kind,
            value=value if known else None,
            better=better,
            note=note,
        )
        for name, label, kind, value, known, better, note in shape
    )


def _call_row(ranked: Ranked) -> Row:
    account = ranked.account
    why = reasons(account, costs(account))
    return (*fields_of(account, CALLED), *priority_parts(ranked), why)


def _mover_row(book: Book, account: Account) -> Row:
    by: list[Plain] = [part for pair in drivers(moved_by(book, account)) for part in pair]
    by += [None] * (2 * DRIVERS - len(by))
    return (*fields_of(account, _MOVER), *by)
