"""The tables of the managers: leaderboard, movement, workload, and each one's accounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vitals.domain.reports.accounts import by_urgency
from vitals.domain.reports.book import Book
from vitals.domain.reports.document import (
    AVERAGE,
    COUNT,
    INDEX,
    MONEY,
    PERCENT,
    POINTS,
    TEXT,
    WORD,
    Column,
    Line,
    Plain,
    Table,
)
from vitals.domain.reports.groups import GROUP_COLUMNS, group_fields
from vitals.domain.reports.managers import CONTACT_DAYS, HEAVY, RENEWAL_DAYS, manager_names
from vitals.domain.reports.sections import ACCOUNT, HEALTH, MANAGER, MOVED, MRR, RENEWS_IN, STATUS
from vitals.domain.snapshot import WITHOUT

Row = dict[str, Any]


def leaderboard_table(board: Sequence[Row]) -> Table:
    """Return the managers, the best average first."""
    return Table(
        name="leaderboard",
        title="Leaderboard",
        columns=(
            Column("rank", "Rank", COUNT),
            MANAGER,
            *GROUP_COLUMNS,
            Column("overdue_contacts", "Overdue contacts", COUNT, beneath=True),
            Column("contacted", f"Contacted in {CONTACT_DAYS} days", COUNT, beneath=True),
            Column("renewals", f"Renewals in {RENEWAL_DAYS} days", COUNT, beneath=True),
            Column("renewals_at_risk_mrr", "Renewing MRR at risk", MONEY, beneath=True),
            Column("lost", "Lost", COUNT, beneath=True),
            Column("lost_mrr", "Lost MRR", MONEY, beneath=True),
        ),
        rows=tuple(
            (
                row["rank"],
                row["manager"] or None,
                *group_fields(row),
                row["overdue_contacts"],
                row["contacted"],
                row["renewals"]["accounts"],
                row["renewals"]["at_risk_mrr"],
                row["lost"]["accounts"],
                row["lost"]["mrr"],
            )
            for row in board
        ),
        empty="No managers.",
    )


def movement_table(board: Sequence[Row]) -> Table:
    """Return how each manager's book moved, like for like."""
    moved = [(row, row["trend"]) for row in board if row["trend"]]
    return Table(
        name="manager_movement",
        title="What moved each book",
        columns=(
            MANAGER,
            Column("compared", "Accounts compared", COUNT),
            Column("average_then", "Was", AVERAGE),
            Column("average_now", "Is", AVERAGE),
            Column("change", "Change", POINTS),
            Column("improved", "Improved", COUNT),
            Column("declined", "Declined", COUNT),
        ),
        rows=tuple(
            (
                row["manager"] or None,
                trend["accounts"],
                trend["then"],
                trend["now"],
                trend["change"],
                trend["improved"],
                trend["declined"],
            )
            for row, trend in moved
        ),
        empty="No account has a score both of an earlier day and of today.",
    )


def workload_table(work: Row) -> Table:
    """Return each manager's share against an even one."""
    return Table(
        name="workload",
        title="Workload balance",
        columns=(
            MANAGER,
            Column("accounts", "Accounts", COUNT),
            Column("accounts_percent", "Of the accounts, %", PERCENT),
            Column("accounts_over_even", "Over an even share", POINTS),
            Column("mrr", "MRR", MONEY),
            Column("mrr_percent", "Of the MRR, %", PERCENT),
            Column("mrr_over_even", "Over an even share", POINTS),
            Column("load", "Load", TEXT),
        ),
        rows=tuple(
            (
                row["manager"],
                row["accounts"],
                row["accounts_percent"],
                row["accounts_over_even"],
                row["mrr"],
                row["mrr_percent"],
                row["mrr_over_even"],
                "heavy" if row["heavy"] else None,
            )
            for row in work["rows"]
        ),
        note=Line(
            "An even share is {}, of {} managers; {} of that in accounts is a heavy load.",
            ((PERCENT, work["even_percent"]), (COUNT, work["managers"]), (PERCENT, HEAVY)),
        )
        if len(work["rows"]) > 1
        else None,
        empty="No managers.",
    )


def account_table(book: Book) -> Table:
    """Return each manager's accounts, the most urgent first; those of none last."""
    names = manager_names(book)
    rows = []
    for ranked in by_urgency(book.accounts):
        account, customer = ranked.account, ranked.account.customer
        name = names[customer.manager or WITHOUT]
        row: tuple[Plain, ...] = (
            name or None,
            customer.name,
            account.score,
            account.status,
            account.moved,
            customer.mrr,
            account.renewal_in,
            account.cadence,
            ranked.priority["score"] if ranked.priority else None,
        )
        rows.append((name == WITHOUT, name, row))
    rows.sort(key=lambda row: row[:2])
    return Table(
        name="accounts",
        title="Each manager's accounts, most urgent first",
        columns=(
            MANAGER,
            ACCOUNT,
            HEALTH,
            STATUS,
            MOVED,
            MRR,
            RENEWS_IN,
            Column("cadence", "Contact", WORD),
            Column("priority", "Priority", INDEX),
        ),
        rows=tuple(row for _, _, row in rows),
    )
