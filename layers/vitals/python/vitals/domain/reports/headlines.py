"""Sentences that several reports begin with."""

from __future__ import annotations

from collections.abc import Sequence

from vitals.domain.reports.accounts import costs, first_to_call, percent, reasons
from vitals.domain.reports.book import Account, Book
from vitals.domain.reports.document import (
    AVERAGE,
    COUNT,
    DAY,
    INSTANT,
    MONEY,
    NAME,
    PERCENT,
    SCORE,
    TEXT,
    WORD,
    Line,
    Plain,
)
from vitals.domain.reports.movement import drivers, moved_by


def compared_with(book: Book) -> Line:
    """Return the sentence that names the day of the figures that today's stand beside."""
    if book.then is None:
        return Line("No earlier day is known yet, so nothing is compared.")
    if book.figures_then is None:
        return Line(
            "Scores are compared with those of {}; that day's figures are not known for these "
            "filters.",
            ((DAY, book.then),),
        )
    return Line("Changes are since {}.", ((DAY, book.then),))


def model_headline(book: Book) -> list[Line]:
    """Return that another version of the model scored the day that is compared with, if one did."""
    if book.model_then is None:
        return []
    values = (
        (COUNT, book.model.version),
        (INSTANT, book.model_since),
        (COUNT, book.model_then.version),
    )
    return [
        Line(
            "The model is version {} since {}: scores and bands of before are of version {}, and "
            "part of what moved is the model.",
            values,
        )
    ]


def standing_headline(book: Book) -> Line:
    """Return the sentence on how many there are, and what their average was and is."""
    now, then = book.figures, book.figures_then
    who = noun(now.customers, "customer", "customers")
    if now.average is None:
        return Line(f"{{}} {who}, none with a score.", ((COUNT, now.customers),))
    text = f"{{}} {who} with an average score of {{}}"
    values: tuple[tuple[str, Plain], ...] = ((COUNT, now.customers), (AVERAGE, now.average))
    if book.then is None or then is None or then.average is None:
        these = " for these filters" if book.then is not None and then is None else ""
        return Line(f"{text}; no earlier one is known{these}.", values)
    # Both are told, and no difference: that of the exact ones can differ from that of those shown.
    return Line(text + "; it was {} on {}.", (*values, (AVERAGE, then.average), (DAY, book.then)))


def at_risk_headline(book: Book) -> Line:
    """Return the sentence on how many are at risk, what they pay, and what it was before."""
    now, then = book.figures, book.figures_then
    text = f"{{}} {noun(now.at_risk, 'customer is', 'customers are')} at risk, with {{}} MRR"
    values: tuple[tuple[str, Plain], ...] = ((COUNT, now.at_risk), (MONEY, now.at_risk_mrr))
    share = percent(now.at_risk_mrr, now.mrr)
    if share is not None:
        text, values = text + ", {} of all", (*values, (PERCENT, share))
    if book.then is None or then is None:
        return Line(text + ".", values)
    before = ((COUNT, then.at_risk), (MONEY, then.at_risk_mrr), (DAY, book.then))
    return Line(text + "; {} with {} MRR on {}.", (*values, *before))


def call_headline(book: Book, accounts: Sequence[Account] | None = None) -> Line | None:
    """Return the sentence that names the account to call first, if one has a priority."""
    found = book.accounts if accounts is None else accounts
    first = first_to_call(found, 1, book.portfolio_mrr)
    # A priority of nothing is no reason to call.
    if not first or first[0].priority is None or not first[0].priority["score"]:
        return None
    account = first[0].account
    return Line(
        "Call {} first: {} MRR, score {}; {}.",
        (
            (NAME, account.customer.name),
            (MONEY, account.mrr),
            (SCORE, account.score),
            (TEXT, reasons(account, costs(account)) or ("largest share of the revenue",)),
        ),
    )


def mover_headline(book: Book, text: str, account: Account) -> Line:
    """Return the sentence *text* on name, score then, score now, and what moved it most."""
    named = tuple(signal for signal, _ in drivers(moved_by(book, account)))
    values: tuple[tuple[str, Plain], ...] = (
        (NAME, account.customer.name),
        (SCORE, account.was),
        (SCORE, account.score),
    )
    if not named:
        return Line(text + ".", values)
    return Line(text + ", most of it by {}.", (*values, (WORD, named)))


def noun(count: int, one: str, many: str) -> str:
    """Return the word for so many."""
    return one if count == 1 else many
