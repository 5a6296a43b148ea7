"""Customer Health: one customer in depth (IQ-141)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from vitals.domain.model import CHURNED
from vitals.domain.numbers import Number
from vitals.domain.reports.accounts import costs, reasons
from vitals.domain.reports.book import Account, Book
from vitals.domain.reports.customer_tables import lift_table, signal_table
from vitals.domain.reports.document import (
    AVERAGE,
    BAND,
    CONTRIBUTIONS,
    DAY,
    DAYS,
    DOWN,
    INDEX,
    INSTANT,
    MONEY,
    NAME,
    NUMBER,
    PERCENT,
    POINTS,
    SCORE,
    TEXT,
    UP,
    WORD,
    Chart,
    Document,
    Figure,
    Figures,
    Line,
    Plain,
    Prose,
    Series,
)
from vitals.domain.reports.framing import report
from vitals.domain.reports.headlines import compared_with
from vitals.domain.reports.history import (
    change_table,
    listed_of,
    score_chart,
    unread,
)
from vitals.domain.reports.movement import OVERRIDE, moved_by
from vitals.domain.reports.score_changes import ScoreChanges
from vitals.domain.reports.score_history import account_meant
from vitals.domain.view import customer_view

Seen = Mapping[str, Any]
"""The customer as every answer shows it."""


def build(book: Book) -> Document:
    """Return the report on the customer that *book* is about.

    Raises LookupError if it does not hold it.
    """
    account = account_meant(book)
    standing = account.standing
    seen = customer_view(
        account.customer, standing.model, book.as_of, standing.where, book.portfolio_mrr
    )
    moves = moved_by(book, account)
    changes = ScoreChanges.of(book.histories.get(account.customer.id, ()))
    since = book.first_day
    return report(
        book,
        "customer_health",
        headlines=_headlines(book, account, seen, moves),
        sections=(
            _kpis(book, account, seen),
            _facts(account),
            _priority(seen),
            _contributions(seen),
            signal_table(account, seen, moves),
            score_chart(book, account),
            lift_table(seen),
            _outlook(account, seen),
            change_table(
                book,
                changes.listed,
                name="changes",
                title="Score changes of the period, newest first",
                named=False,
                note=listed_of(changes, since),
            ),
        ),
        reading=(
            Line(
                "A contribution is weight × points over all weight that has a value; they sum "
                "to the score to four decimals, with what a score set by hand adds. Change is "
                "that of the contribution, as it was last published before the day compared."
            ),
            Line(
                "What would lift the band is the smallest change of one signal alone; effort "
                "is that change in the signal's own points, 0 to 100."
            ),
            *unread(book),
        ),
        table="signals",
        period=(since, book.today),
    )


def _headlines(
    book: Book, account: Account, seen: Seen, moves: Sequence[tuple[str, Number]]
) -> list[Line]:
    name = (NAME, account.customer.name)
    lines = [Line("{} has no score: none of its signals has a value that counts.", (name,))]
    if account.score is not None:
        values = (name, (SCORE, account.score), (BAND, account.status))
        lines = [Line("{} scores {}: {}.", values)]
        if account.moved is not None:
            was = ((POINTS, account.moved), (DAY, book.then))
            lines = [Line("{} scores {}: {}; {} since {}.", (*values, *was))]
    if account.customer.lifecycle == CHURNED:
        lines.append(Line("It churned on {}.", ((DAY, account.customer.churned_on),)))
    if moves:
        signal, change = moves[0]
        lines.append(
            Line("{} moved it most: {} points.", ((WORD, signal), (POINTS, change))),
        )
    why = reasons(account, costs(account))
    if why:
        lines.append(Line("To look at first: {}.", ((TEXT, why),)))
    lines += _next_band(seen)
    return lines if len(lines) > 1 else [*lines, compared_with(book)]


def _next_band(seen: Seen) -> list[Line]:
    """Return when the band changes if nobody calls, if it does."""
    if seen["next_band_change_at"] is None:
        return []
    at = datetime.fromisoformat(seen["next_band_change_at"])
    values = ((BAND, seen["next_band_change_to"]), (INSTANT, at))
    return [Line("If nobody calls, it becomes {} on {}.", values)]


def _kpis(book: Book, account: Account, seen: Seen) -> Figures:
    customer, was = account.customer, account.was
    band_then = book.band_then(was) if was is not None else None
    coverage = Decimal(seen["coverage"]) * 100
    shape: tuple[tuple[str, str, str, Plain, Plain, str | None, str], ...] = (
        ("score", "Score", SCORE, account.score, was, UP, _set_by_hand(account)),
        ("status", "Band", BAND, account.status, band_then, None, ""),
        (
            "coverage",
            "Coverage",
            PERCENT,
            int(coverage) if coverage == int(coverage) else coverage,
            None,
            UP,
            "the share of the weight that has a value",
        ),
        (
            "momentum",
            "Momentum",
            POINTS,
            seen["momentum"],
            None,
            UP,
            f"in {account.standing.model.momentum_days} days: {seen['momentum_direction']}",
        ),
        ("mrr", "MRR", MONEY, customer.mrr, None, UP, ""),
        ("arr", "ARR", MONEY, customer.arr, None, UP, ""),
        ("renewal_date", "Renewal", DAY, customer.renewal_date, None, None, ""),
        ("days_until_renewal", "Renews in", DAYS, account.renewal_in, None, None, ""),
        ("cadence_status", "Contact", WORD, account.cadence, None, None, ""),
        (
            "quiet_days",
            "Since the last contact",
            DAYS,
            account.standing.quiet_days,
            None,
            DOWN,
            "" if customer.last_contact_on else "never contacted: since it was created",
        ),
    )
    return Figures(
        name="kpis",
        title="Key figures",
        figures=tuple(
            Figure(
                name=name,
                label=label,
                kind=kind,
                value=value,
                previous=previous,
                better=better,
                note=note,
            )
            for name, label, kind, value, previous, better, note in shape
        ),
    )


def _set_by_hand(account: Account) -> str:
    return "set by hand" if account.customer.active_override(account.standing.at) else ""


def _facts(account: Account) -> Figures:
    customer = account.customer
    shape: tuple[tuple[str, str, str, Plain], ...] = (
        ("name", "Customer", NAME, customer.name),
        ("manager", "Manager", TEXT, customer.manager),
        ("tier", "Tier", WORD, customer.tier),
        ("lifecycle", "Stage", WORD, customer.lifecycle),
        ("tags", "Tags", TEXT, customer.tags or None),
        ("sentiment", "Sentiment", WORD, customer.sentiment),
        ("since", "Customer since", DAY, customer.since),
        ("last_contact_on", "Last contact", DAY, customer.last_contact_on),
        ("next_touch", "Next touch", DAY, customer.next_touch),
    )
    figures = tuple(
        Figure(name=name, label=label, kind=kind, value=value) for name, label, kind, value in shape
    )
    return Figures(name="facts", title="The account", figures=figures)


def _priority(seen: Seen) -> Figures:
    """Return the priority and its parts (AMB-48); None where there is none."""
    parts = seen["priority"] or {}
    shape = (
        ("priority", "Priority", parts.get("score"), "risk × revenue share × renewal factor"),
        ("risk", "Risk", parts.get("risk"), "(100 − score) / 100"),
        ("revenue_share", "Revenue share", parts.get("revenue_share"), "of all MRR"),
        ("renewal_factor", "Renewal factor", parts.get("renewal_factor"), "by the renewal date"),
    )
    return Figures(
        name="priority",
        title="Priority and its parts",
        figures=tuple(
            Figure(name=name, label=label, kind=INDEX, value=value, note=note)
            for name, label, value, note in shape
        ),
    )


def _contributions(seen: Seen) -> Chart | None:
    """Return each signal's part of the score, and what a score set by hand adds."""
    parts = [(each["signal"], each["contribution"]) for each in seen["contributions"]]
    parts += [(OVERRIDE, each["contribution"]) for each in seen["adjustments"]]
    if not parts:
        return None
    parts.sort(key=lambda part: (part[0] == OVERRIDE, -part[1], part[0]))
    return Chart(
        name="contributions",
        title="What the score is made of",
        chart=CONTRIBUTIONS,
        labels=tuple(signal for signal, _ in parts),
        label_kind=WORD,
        kind=POINTS,
        series=(
            Series(name="points", label="Points", values=tuple(points for _, points in parts)),
        ),
        says=_sum_of(parts, seen["score_exact"]),
    )


def _sum_of(parts: Sequence[tuple[str, Number]], total: Number) -> Line:
    """Return what *parts* sum to, and the largest of them."""
    name, most = max(parts, key=lambda part: part[1])
    if not most:
        return Line("No signal gives it a point.")
    if len(parts) == 1:
        return Line("All of it, {}, comes from {}.", ((AVERAGE, total), (WORD, name)))
    values = ((NUMBER, len(parts)), (AVERAGE, total), (WORD, name), (AVERAGE, most))
    return Line("{} parts sum to {}; the largest is {} with {}.", values)


def _outlook(account: Account, seen: Seen) -> Prose:
    lines = _next_band(seen) or [Line("Time alone does not change the band.")]
    override = account.customer.active_override(account.standing.at)
    if override:
        values: tuple[tuple[str, Plain], ...] = (
            (SCORE, override.value),
            (INSTANT, override.set_at),
            (NUMBER, seen["computed_score"]),
        )
        lines.append(Line("The score {} was set by hand on {}; computed, it is {}.", values))
    if seen["low_confidence"]:
        lines.append(Line("Too little of the weight has a value to be confident of the score."))
    for each in seen["missing"]:
        lines.append(Line("{} has no value that counts.", ((WORD, each["signal"]),)))
    return Prose(name="outlook", title="What comes next, and what is not known", lines=tuple(lines))
