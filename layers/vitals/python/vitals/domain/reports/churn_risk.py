"""Churn Risk: who may leave, and which signals say so (IQ-140, AMB-49)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from vitals.domain.numbers import Number
from vitals.domain.reports.accounts import (
    Cost,
    mean_costs,
    percent,
)
from vitals.domain.reports.book import Account, Book
from vitals.domain.reports.document import (
    AVERAGE,
    BARS,
    COUNT,
    DAY,
    DOWN,
    MONEY,
    NAME,
    NUMBER,
    PERCENT,
    TEXT,
    WORD,
    Chart,
    Column,
    Document,
    Figure,
    Figures,
    Line,
    Plain,
    Series,
    Table,
)
from vitals.domain.reports.framing import WITHOUT_CHURNED, at_risk_below, report
from vitals.domain.reports.headlines import at_risk_headline, call_headline, noun
from vitals.domain.reports.movement import difference
from vitals.domain.reports.risk import RANGES, Risks, Weighed, risk_index, risks
from vitals.domain.reports.sections import (
    ACCOUNT,
    MANAGER,
    MRR,
    RENEWS_IN,
    STATUS,
    TIER,
    call_table,
    chart_of_costs,
    kpis,
)

FACTORS: Final = 3
"""So many signals are named behind each account's risk."""


def build(book: Book) -> Document:
    """Return the Churn Risk of *book*: a risk index of every account, and what is behind it.

    It holds no probability: none has been calibrated on what became of customers (AMB-49).
    """
    found = risks(book)
    means = mean_costs(found.costs)
    headlines = [
        _mean_risk(book),
        _highest(found),
        at_risk_headline(book),
        call_headline(book),
        _behind(means),
    ]
    return report(
        book,
        "churn_risk",
        headlines=[line for line in headlines if line is not None],
        sections=[
            _figures(book),
            _distribution_chart(book, found),
            _distribution_table(found),
            chart_of_costs("Which signals cost most points", means),
            _signal_table(found, means),
            _accounts(found),
            call_table(book),
        ],
        reading=(
            Line(
                "The risk index is 100 − score. It is uncalibrated: it orders accounts by risk "
                "and is no probability of churn. None is given, because none has been measured "
                "on customers who left."
            ),
            Line(
                "Behind an index stand the points that each signal costs: weight × (100 − its "
                "points) / all weight. They sum to the index before rounding, unless the score "
                "was set by hand."
            ),
            WITHOUT_CHURNED,
        ),
        table="accounts",
    )


def _mean(average: Number | None) -> Number | None:
    return None if average is None else difference(100, average)


def _mean_risk(book: Book) -> Line:
    now = _mean(book.figures.average)
    then = _mean(book.figures_then.average) if book.figures_then else None
    if now is None:
        return Line("Nobody has a score, so no risk is known.")
    if then is None or book.then is None:
        return Line(
            "The average risk index is {} of 100, uncalibrated; no earlier one is known.",
            ((AVERAGE, now),),
        )
    return Line(
        "The average risk index is {} of 100, uncalibrated; it was {} on {}.",
        ((AVERAGE, now), (AVERAGE, then), (DAY, book.then)),
    )


def _highest(found: Risks) -> Line | None:
    if not found.accounts or found.accounts[0].score is None:
        return None
    account, own = found.accounts[0], found.costs[0]
    values = ((NAME, account.customer.name), (NUMBER, risk_index(account.score)))
    if not own or not own[0].units:
        return Line("{} has the highest risk index, {}.", values)
    return Line(
        "{} has the highest risk index, {}: {} costs it {} points.",
        (*values, (WORD, own[0].signal), (AVERAGE, own[0].lost)),
    )


def _behind(means: Sequence[tuple[str, Number]]) -> Line | None:
    if not means or not means[0][1]:
        return None
    return Line(
        "Over the whole book {} costs most: {} points on the mean.",
        ((WORD, means[0][0]), (AVERAGE, means[0][1])),
    )


def _figures(book: Book) -> Figures:
    now, then = book.figures, book.figures_then
    return Figures(
        name="kpis",
        title="Key figures",
        figures=(
            Figure(
                name="average_risk_index",
                label="Average risk index",
                kind=AVERAGE,
                value=_mean(now.average),
                previous=_mean(then.average) if then else None,
                better=DOWN,
                note="uncalibrated: 100 − score, no probability",
            ),
            *kpis(book, "at_risk", "revenue_at_risk"),
            Figure(
                name="share_at_risk",
                label="Share of MRR at risk",
                kind=PERCENT,
                value=percent(now.at_risk_mrr, now.mrr),
                previous=percent(then.at_risk_mrr, then.mrr) if then else None,
                better=DOWN,
            ),
            Figure(
                name="unscored",
                label="Unscored",
                kind=COUNT,
                value=now.customers - now.scored,
                previous=then.customers - then.scored if then else None,
                better=DOWN,
                note="of unknown risk",
            ),
        ),
    )


def _labels() -> tuple[str, ...]:
    return tuple(f"{low} to {high}" for low, high in RANGES)


def _distribution_chart(book: Book, found: Risks) -> Chart:
    scored, bound = sum(found.counts), 100 - at_risk_below(book.model)
    high = sum((risk_index(account.score) or 0) > bound for account in found.accounts)
    says = Line("No account has a score.")
    if scored:
        # At risk is who scores under Watch: whose index is over 100 less that score.
        says = Line(
            f"{{}} of {{}} scored {noun(scored, 'account', 'accounts')} "
            f"{noun(high, 'has', 'have')} an index over {{}}.",
            ((COUNT, high), (COUNT, scored), (NUMBER, bound)),
        )
    return Chart(
        name="risk_chart",
        title="Accounts by risk index",
        chart=BARS,
        labels=_labels(),
        label_kind=TEXT,
        kind=COUNT,
        series=(Series(name="accounts", label="Accounts", values=tuple(found.counts)),),
        says=says,
    )


def _distribution_table(found: Risks) -> Table:
    total = sum(found.mrrs)
    return Table(
        name="distribution",
        title="MRR by risk",
        columns=(
            Column("risk_index", "Risk index", TEXT),
            Column("accounts", "Accounts", COUNT),
            MRR,
            Column("percent", "Of scored MRR", PERCENT),
        ),
        rows=tuple(
            (label, count, mrr, percent(mrr, total))
            for label, count, mrr in zip(_labels(), found.counts, found.mrrs, strict=True)
        ),
    )


def _signal_table(found: Risks, means: Sequence[tuple[str, Number]]) -> Table:
    none = Weighed()
    return Table(
        name="signals",
        title="Contributing factors",
        columns=(
            Column("signal", "Signal", WORD),
            Column("mean_lost", "Points lost on the mean", AVERAGE),
            Column("accounts", "Costs most in accounts", COUNT),
            Column("mrr", "Their MRR", MONEY),
        ),
        rows=tuple(
            (
                signal,
                mean,
                found.first.get(signal, none).accounts,
                found.first.get(signal, none).mrr,
            )
            for signal, mean in means
        ),
        empty="No signals.",
    )


def _accounts(found: Risks) -> Table:
    factors = tuple(
        column
        for number in range(1, FACTORS + 1)
        for column in (
            Column(f"factor_{number}", f"Factor {number}", WORD, beneath=True),
            Column(f"lost_{number}", "Lost", AVERAGE, beneath=True),
        )
    )
    return Table(
        name="accounts",
        title="Accounts by risk",
        columns=(
            ACCOUNT,
            MANAGER,
            TIER,
            Column("risk_index", "Risk index", NUMBER),
            STATUS,
            MRR,
            RENEWS_IN,
            *factors,
        ),
        rows=tuple(
            _row(account, own) for account, own in zip(found.accounts, found.costs, strict=True)
        ),
        note=Line("The risk index is uncalibrated: 100 − score, no probability."),
    )


def _row(account: Account, own: Sequence[Cost]) -> tuple[Plain, ...]:
    customer = account.customer
    factors: list[Plain] = []
    for cost in own[:FACTORS]:
        factors += [cost.signal, cost.lost] if cost.units else [None, None]
    factors += [None] * (2 * FACTORS - len(factors))
    return (
        customer.name,
        customer.manager,
        customer.tier,
        risk_index(account.score),
        account.status,
        customer.mrr,
        account.renewal_in,
        *factors,
    )
