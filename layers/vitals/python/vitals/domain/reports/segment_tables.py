"""The tables of the segments: figures side by side, accounts by band, whom to call first."""

from __future__ import annotations

from typing import Any

from vitals.domain.reports.accounts import by_urgency, costs, reasons
from vitals.domain.reports.book import Account, Book
from vitals.domain.reports.document import (
    AVERAGE,
    COUNT,
    MONEY,
    PERCENT,
    POINTS,
    SEGMENT,
    TEXT,
    Column,
    Plain,
    Table,
)
from vitals.domain.reports.groups import BAND_LABELS
from vitals.domain.reports.sections import (
    ACCOUNT,
    HEALTH,
    MANAGER,
    MRR,
    REASON,
    RENEWS_IN,
    STATUS,
)
from vitals.domain.reports.segments import STAGE, TAG, TIER
from vitals.domain.snapshot import WITHOUT

Rows = list[tuple[str, dict[str, Any]]]
"""Segments as shown, each with its kind."""


def segment_table(rows: Rows) -> Table:
    """Return the figures of *rows*, and beneath each how those compared moved."""
    return Table(
        name="segments",
        title="Segments side by side",
        columns=(
            Column("by", "By", TEXT),
            Column("segment", "Segment", SEGMENT),
            Column("accounts", "Accounts", COUNT),
            Column("mrr", "MRR", MONEY),
            Column("average_score", "Average score", AVERAGE),
            Column("at_risk", "At risk", COUNT),
            Column("at_risk_percent", "At risk, %", PERCENT),
            Column("at_risk_mrr", "MRR at risk", MONEY),
            Column("compared", "Compared", COUNT, beneath=True),
            Column("average_then", "Was", AVERAGE, beneath=True),
            Column("average_now", "Is", AVERAGE, beneath=True),
            Column("change", "Change", POINTS, beneath=True),
        ),
        rows=tuple(_row(kind, row) for kind, row in rows),
        empty="No segments.",
    )


def _row(kind: str, row: dict[str, Any]) -> tuple[Plain, ...]:
    trend = row["trend"] or {}
    return (
        kind,
        row["segment"] or None,
        row["accounts"],
        row["mrr"],
        row["average_score"],
        row["at_risk"],
        row["at_risk_percent"],
        row["at_risk_mrr"],
        trend.get("accounts"),
        trend.get("then"),
        trend.get("now"),
        trend.get("change"),
    )


def band_table(rows: Rows) -> Table:
    """Return how many accounts of *rows* are in which band, but of those at risk no more."""
    return Table(
        name="segment_bands",
        title="Accounts by band",
        columns=(
            Column("by", "By", TEXT),
            Column("segment", "Segment", SEGMENT),
            *(Column(band, label, COUNT) for band, label in BAND_LABELS.items()),
        ),
        rows=tuple(
            (kind, row["segment"] or None, *(row["bands"][band] for band in BAND_LABELS))
            for kind, row in rows
            if row["at_risk"] is not None
        ),
        empty="No segments.",
    )


def first_calls(book: Book, rows: Rows) -> Table:
    """Return the most urgent account of each segment, and why, in the order of *rows*."""
    first: dict[tuple[str, str], Account] = {}
    for ranked in by_urgency(book.accounts):
        customer = ranked.account.customer
        own = [(TIER, customer.tier or WITHOUT), (STAGE, customer.lifecycle)]
        own += [(TAG, tag.casefold()) for tag in customer.tags]
        for segment in own:
            first.setdefault(segment, ranked.account)
    keys = [(kind, row["segment"]) for kind, row in rows]
    found = [(key, first.get((key[0], _fold(*key)))) for key in keys]
    return Table(
        name="first_calls",
        title="Whom to call first in each segment",
        columns=(
            Column("by", "By", TEXT),
            Column("segment", "Segment", SEGMENT),
            ACCOUNT,
            MANAGER,
            HEALTH,
            STATUS,
            MRR,
            RENEWS_IN,
            REASON,
        ),
        rows=tuple(
            _call((kind, name or None), account)
            for (kind, name), account in found
            if account is not None
        ),
    )


def _fold(kind: str, name: str) -> str:
    """Return what a segment's spellings share: those of a tag alone differ."""
    return name.casefold() if kind == TAG else name


def _call(segment: tuple[Plain, ...], account: Account) -> tuple[Plain, ...]:
    customer = account.customer
    return (
        *segment,
        customer.name,
        customer.manager,
        account.score,
        account.status,
        customer.mrr,
        account.renewal_in,
        reasons(account, costs(account)),
    )
