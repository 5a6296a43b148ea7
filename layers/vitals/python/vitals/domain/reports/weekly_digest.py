"""Weekly Digest: what a week changed, and whom to call (IQ-143)."""

from __future__ import annotations

from collections.abc import Sequence

from vitals.domain.customer import Customer
from vitals.domain.reports.accounts import (
    OVERDUE,
    large_first,
    largest,
    low_first,
    newly_at_risk,
    recovered,
    total_mrr,
)
from vitals.domain.reports.book import Account, Book
from vitals.domain.reports.document import (
    COUNT,
    DAY,
    DOWN,
    MONEY,
    TEXT,
    Column,
    Document,
    Figure,
    Figures,
    Line,
    Table,
)
from vitals.domain.reports.framing import report
from vitals.domain.reports.headlines import (
    call_headline,
    mover_headline,
    noun,
    standing_headline,
)
from vitals.domain.reports.movement import movement_chart, movers
from vitals.domain.reports.sections import (
    ACCOUNT,
    CONTACT,
    HEALTH,
    MANAGER,
    MOVED,
    MRR,
    QUIET,
    RENEWS_IN,
    RENEWS_ON,
    STATUS,
    TIER,
    WAS,
    account_table,
    call_table,
    came_and_went,
    kpis,
    mover_table,
)

MOVERS = 5
"""So many that fell most are named, and so many that rose most."""
SOON = 30
"""Days; a renewal within them is named."""
_WHO = (ACCOUNT, MANAGER, TIER, MRR)
_TURNED = (*_WHO, WAS, HEALTH, STATUS, MOVED)
_RENEWING = (RENEWS_ON, RENEWS_IN, *_WHO, HEALTH, STATUS)
_QUIET = (*_WHO, HEALTH, STATUS, CONTACT, QUIET)


def build(book: Book) -> Document:
    """Return the Weekly Digest of *book*: who moved, came and went, and whom to call first."""
    fell, rose = movers(book, MOVERS)
    joined = largest(book.joined)
    lost = sorted(book.gone, key=lambda each: (-(each.mrr or 0), each.name, each.id))
    risky = largest(newly_at_risk(book))
    well = largest(recovered(book))
    renewing = _renewing(book)
    quiet = _overdue(book)
    headlines = [
        standing_headline(book),
        _moves(book, fell, rose),
        _turns(book, risky, well),
        _came_and_went(book, joined),
        call_headline(book),
    ]
    return report(
        book,
        "weekly_digest",
        headlines=[line for line in headlines if line is not None],
        sections=[
            _figures(book, renewing, quiet),
            movement_chart(book),
            call_table(book),
            mover_table(book, "fell", "Fell most", fell),
            mover_table(book, "rose", "Rose most", rose),
            account_table("newly_at_risk", "New at risk", _TURNED, risky),
            account_table("recovered", "Recovered", _TURNED, well),
            account_table("joined", "New customers", (*_WHO, HEALTH, STATUS), joined),
            _left(lost, book),
            account_table("renewals", "Renewals in the next 30 days", _RENEWING, renewing),
            account_table("overdue_contacts", "Overdue contacts", _QUIET, quiet),
        ],
        reading=(
            Line(
                "New at risk are those whose score was in Watch or above on the day compared "
                "with, recovered those whose was not; new customers are in neither."
            ),
            Line("Who churned counts among the lost alone, unless the filters ask for that stage."),
        ),
        table="priority_accounts",
    )


def _renewing(book: Book) -> list[Account]:
    soon = [
        each
        for each in book.accounts
        if each.renewal_in is not None and 0 <= each.renewal_in <= SOON
    ]
    return sorted(soon, key=lambda each: (each.customer.renewal_date, low_first(each)))


def _overdue(book: Book) -> list[Account]:
    found = [each for each in book.accounts if each.cadence == OVERDUE]
    return sorted(found, key=lambda each: (-each.standing.quiet_days, large_first(each)))


def _moves(book: Book, fell: Sequence[Account], rose: Sequence[Account]) -> Line | None:
    if fell:
        return mover_headline(book, "{} fell most, from {} to {}", fell[0])
    if rose:
        return mover_headline(book, "Nobody fell; {} rose most, from {} to {}", rose[0])
    return None if book.then is None else Line("No score moved since {}.", ((DAY, book.then),))


def _turns(book: Book, risky: Sequence[Account], well: Sequence[Account]) -> Line | None:
    if book.then is None:
        return None
    return Line(
        "{} newly at risk, with {} MRR; {} recovered, with {} MRR.",
        (
            (COUNT, len(risky)),
            (MONEY, total_mrr(risky)),
            (COUNT, len(well)),
            (MONEY, total_mrr(well)),
        ),
    )


def _came_and_went(book: Book, joined: Sequence[Account]) -> Line:
    if book.then is None:
        return Line("No earlier day is known: who came and who went cannot be told.")
    text = f"{{}} {noun(len(joined), 'customer', 'customers')} joined"
    if not book.knows_gone:
        return Line(text + "; who left cannot be told by stage.", ((COUNT, len(joined)),))
    return Line(text + " and {} left.", ((COUNT, len(joined)), (COUNT, len(book.lost))))


def _figures(book: Book, renewing: Sequence[Account], quiet: Sequence[Account]) -> Figures:
    return Figures(
        name="kpis",
        title="The week in figures",
        figures=(
            *kpis(book, "average_score", "customers", "mrr", "at_risk", "revenue_at_risk"),
            *came_and_went(book),
            Figure(
                name="renewals",
                label="Renewals in 30 days",
                kind=COUNT,
                value=len(renewing),
            ),
            Figure(
                name="renewing_mrr",
                label="MRR to renew in 30 days",
                kind=MONEY,
                value=total_mrr(renewing),
            ),
            Figure(
                name="overdue_contacts",
                label="Overdue contacts",
                kind=COUNT,
                value=len(quiet),
                better=DOWN,
            ),
        ),
    )


def _left(lost: Sequence[Customer], book: Book) -> Table:
    purged = len(book.lost) - len(lost)
    return Table(
        name="left",
        title="Lost customers",
        columns=(*_WHO, WAS, Column("how", "How", TEXT)),
        rows=tuple(
            (
                each.name,
                each.manager,
                each.tier,
                each.mrr,
                book.scores_then[each.id],
                "churned" if each.deleted_at is None else "deleted",
            )
            for each in lost
        ),
        note=Line("Of {} more nothing but the score then is known.", ((COUNT, purged),))
        if purged > 0
        else None,
        empty="Nobody." if book.knows_gone else "It cannot be told.",
    )
