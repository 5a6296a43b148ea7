"""At-Risk Accounts: who scores under Watch, the most urgent first (IQ-135)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from vitals.domain.reports.accounts import (
    OVERDUE,
    Cost,
    Ranked,
    by_urgency,
    costs,
    mean_costs,
    newly_at_risk,
    percent,
    reasons,
    total_mrr,
)
from vitals.domain.reports.book import Account, Book
from vitals.domain.reports.document import (
    COUNT,
    DAY,
    DOWN,
    MONEY,
    PERCENT,
    WORD,
    Document,
    Figure,
    Figures,
    Line,
    Table,
)
from vitals.domain.reports.framing import WITHOUT_CHURNED, report
from vitals.domain.reports.headlines import at_risk_headline, call_headline, noun
from vitals.domain.reports.sections import (
    ACCOUNT,
    HEALTH,
    MANAGER,
    MOVED,
    MRR,
    PARTS,
    QUIET,
    REASON,
    RENEWS_IN,
    RENEWS_ON,
    STATUS,
    TIER,
    chart_of_costs,
    fields_of,
    kpis,
    priority_parts,
)

NEAR = 90
"""Days; a renewal within them is named as near."""
_AT_RISK = (ACCOUNT, MANAGER, TIER, HEALTH, STATUS, MOVED, MRR, RENEWS_IN, QUIET)
_PRIORITY = (ACCOUNT, HEALTH, MRR, RENEWS_ON)


def build(book: Book) -> Document:
    """Return the At-Risk Accounts of *book*: all of them by urgency, each with its reasons."""
    ranked = by_urgency(each for each in book.accounts if each.at_risk)
    accounts = [each.account for each in ranked]
    found = [costs(account) for account in accounts]
    headlines = [
        at_risk_headline(book),
        _newly(book),
        call_headline(book, accounts),
        _held_down(found),
    ]
    return report(
        book,
        "at_risk_accounts",
        headlines=[line for line in headlines if line is not None],
        sections=[
            _figures(book, accounts),
            chart_of_costs("What holds them down", mean_costs(found)),
            _table(ranked, found),
            _priorities(ranked),
        ],
        reading=(
            Line(
                "The most urgent account comes first: by priority, then by the lowest score. "
                "It is held down by the signals that cost its score most points."
            ),
            WITHOUT_CHURNED,
        ),
        table="accounts",
    )


def _newly(book: Book) -> Line:
    """Return the sentence on who was not at risk on the day that is compared with."""
    if book.then is None:
        return Line("No earlier day is known: who is newly at risk cannot be told.")
    new = newly_at_risk(book)
    if not new:
        return Line("Nobody is newly at risk since {}.", ((DAY, book.then),))
    return Line(
        f"{{}} of them {noun(len(new), 'was', 'were')} not at risk on {{}}: {{}} MRR.",
        ((COUNT, len(new)), (DAY, book.then), (MONEY, total_mrr(new))),
    )


def _held_down(found: Sequence[Sequence[Cost]]) -> Line | None:
    """Return the sentence on the signal that costs most accounts more points than any other."""
    first = Counter(own[0].signal for own in found if own and own[0].units)
    if not first:
        return None
    signal, count = min(first.items(), key=lambda pair: (-pair[1], pair[0]))
    who = noun(len(found), "account", "accounts")
    return Line(
        f"{{}} is what costs most points in {{}} of {{}} {who}.",
        ((WORD, signal), (COUNT, count), (COUNT, len(found))),
    )


def _figures(book: Book, accounts: Sequence[Account]) -> Figures:
    at_risk_mrr = total_mrr(accounts)
    near = [each for each in accounts if 0 <= _days(each) <= NEAR]
    overdue = sum(each.cadence == OVERDUE for each in accounts)
    then = book.figures_then
    return Figures(
        name="kpis",
        title="Key figures",
        figures=(
            *kpis(book, "at_risk", "revenue_at_risk"),
            Figure(
                name="share_at_risk",
                label="Share of MRR at risk",
                kind=PERCENT,
                value=percent(at_risk_mrr, book.figures.mrr),
                previous=percent(then.at_risk_mrr, then.mrr) if then else None,
                better=DOWN,
            ),
            Figure(
                name="critical",
                label="Critical",
                kind=COUNT,
                value=sum(each.status == "critical" for each in accounts),
                better=DOWN,
            ),
            Figure(
                name="renewing_mrr",
                label="MRR to renew in 90 days",
                kind=MONEY,
                value=total_mrr(near),
                better=DOWN,
                note="of those at risk",
            ),
            Figure(
                name="overdue_contacts",
                label="Overdue contacts",
                kind=COUNT,
                value=overdue,
                better=DOWN,
                note="of those at risk",
            ),
        ),
    )


def _days(account: Account) -> int:
    days = account.renewal_in
    return -1 if days is None else days


def _table(ranked: Sequence[Ranked], found: Sequence[Sequence[Cost]]) -> Table:
    return Table(
        name="accounts",
        title="Accounts at risk",
        columns=(*_AT_RISK, PARTS[-1], REASON),
        rows=tuple(
            (
                *fields_of(each.account, _AT_RISK),
                each.priority["score"] if each.priority else None,
                reasons(each.account, own),
            )
            for each, own in zip(ranked, found, strict=True)
        ),
        empty="Nobody is at risk.",
    )


def _priorities(ranked: Sequence[Ranked]) -> Table:
    return Table(
        name="priorities",
        title="How the priorities come about",
        columns=(*_PRIORITY, *PARTS),
        rows=tuple((*fields_of(each.account, _PRIORITY), *priority_parts(each)) for each in ranked),
        empty="Nobody is at risk.",
    )
