"""The ten reports: what each is called, what it is for, and who makes it (IQ-134 to 143)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import cast

from vitals.domain.reports.book import Book
from vitals.domain.reports.document import Document


@dataclass(frozen=True, slots=True)
class Report:
    """One report; it is made by `build` of the module of its *name*.

    *days* is how far it looks back if nobody says otherwise. *daily*: it needs each day's figures
    of the period, not the first alone. *managers*: those of so many managers beside. *feed*: it
    needs the period's changes of scores. *movers*: it needs the histories of so many accounts that
    fell most, and that rose most. *of_one*: it is about one customer, whose history it needs;
    *may_be*: it can be.
    """

    name: str
    title: str
    purpose: str
    days: int = 30
    daily: bool = False
    managers: int = 0
    feed: bool = False
    movers: int = 0
    of_one: bool = False
    may_be: bool = False

    def build(self, book: Book) -> Document:
        """Return the report's document on *book*."""
        module = import_module(f"vitals.domain.reports.{self.name}")
        return cast("Callable[[Book], Document]", module.build)(book)


REPORTS = (
    Report("portfolio_summary", "Portfolio Summary", "How the whole book stands, and what moved it",
           movers=5),
    Report("at_risk_accounts", "At-Risk Accounts", "Who scores under Watch, most urgent first"),
    Report("renewal_forecast", "Renewal Forecast", "What renews when, and what of it is at risk"),
    Report("csm_performance", "CSM Performance", "The managers' books side by side", days=7),
    Report("segment_analysis", "Segment Analysis", "Health by tier, stage and tag"),
    Report("trend", "Trend", "How the score went, and who moved it", days=90, daily=True,
           managers=4, movers=10),
    Report("churn_risk", "Churn Risk", "Who may leave, and which signals say so"),
    Report("customer_health", "Customer Health", "One customer in depth", days=90, of_one=True),
    Report("score_history", "Score History", "Every change of a score, and what made it", days=90,
           feed=True, may_be=True),
    Report("weekly_digest", "Weekly Digest", "What a week changed, and whom to call", days=7,
           movers=5),
)  # fmt: skip
BY_NAME = {report.name: report for report in REPORTS}
