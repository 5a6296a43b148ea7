"""The tables of the segments: figures side by side, accounts by band, whom to call first."""

from __future__ import annotations

from typing import Any

from vitals.domain.reports.accounts import by_urgency, costs, reasons
from vitals.domain.reports.book import Account, Book
from vitals.domain.reports.document import (
    AVERAGE,
    COUNT,
    POINTS,
    SEGMENT,
    TEXT,
    Column,
    Plain,
    Table,
)
from vitals.domain.reports.groups import BAND_LABELS, GROUP_COLUMNS, group_fields
from vitals.domain.reports.sections import CALLED, REASON, fields_of
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
            *GROUP_COLUMNS,
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
        *group_fields(row),
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
            *CALLED,
            REASON,
        ),
        rows=tuple(
            (kind, name or None, *fields_of(account, CALLED), reasons(account, costs(account)))
            for (kind, name), account in found
            if account is not None
        ),
    )


def _fold(kind: str, name: str) -> str:
    """Return what a segment's spellings share: those of a tag alone differ."""
    return name.casefold() if kind == TAG else name
