"""A book: the accounts that a report is about, as of an instant, and how they stood before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from functools import cached_property
from typing import Any

from vitals.domain.change import Change
from vitals.domain.customer import Customer
from vitals.domain.instants import local_day, zone
from vitals.domain.model import AT_RISK_BANDS, CHURNED, ScoringModel
from vitals.domain.numbers import Number
from vitals.domain.operations import (
    cadence_status,
    days_until_renewal,
    expansion_estimate,
    priority,
)
from vitals.domain.reports.score_changes import ScoreChanges
from vitals.domain.scoring import Contribution, contributions
from vitals.domain.snapshot import Figures
from vitals.domain.standing import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which customers a report is about: OR within one, AND across; empty ones let all pass.

    Managers and tags are case-folded.
    """

    managers: frozenset[str] = frozenset()
    tiers: frozenset[str] = frozenset()
    lifecycles: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()

    def pass_(self, customer: Customer) -> bool:
        """Tell whether *customer* is meant."""
        return (
            (not self.lifecycles or customer.lifecycle in self.lifecycles)
            and (not self.tiers or customer.tier in self.tiers)
            and (not self.managers or (customer.manager or "").casefold() in self.managers)
            and (not self.tags or not self.tags.isdisjoint(tag.casefold() for tag in customer.tags))
        )

    def shown(self) -> dict[str, tuple[str, ...]]:
        """Return the filters that are set, by their parameters' names."""
        parts = {
            "manager": self.managers,
            "tier": self.tiers,
            "lifecycle": self.lifecycles,
            "tag": self.tags,
        }
        return {name: tuple(sorted(values)) for name, values in parts.items() if values}


class Account:
    """One customer of a book, with all that reports say of it; found when it is first asked for."""

    __slots__ = ("_book", "customer", "score", "standing", "status")

    def __init__(self, book: Book, customer: Customer, model: ScoringModel) -> None:
        self._book = book
        self.customer = customer
        self.standing = Standing(customer, model, book.as_of)
        self.score, self.status = self.standing.published

    @property
    def mrr(self) -> Number:
        """Monthly revenue; 0 for none known."""
        return self.customer.mrr or 0

    @property
    def at_risk(self) -> bool:
        """Whether its band is one of the two lowest."""
        return self.status in AT_RISK_BANDS

    @property
    def priority(self) -> dict[str, Any] | None:
        """The priority and its parts (AMB-48); None without a score or revenue."""
        model, today = self.standing.model, self.standing.today
        return priority(self.customer, model, self.score, self._book.portfolio_mrr, today)

    @property
    def cadence(self) -> str:
        """The cadence's state: on_track, due_soon or overdue."""
        standing = self.standing
        return cadence_status(self.customer, standing.model, standing.contacted, standing.today)

    @property
    def renewal_in(self) -> int | None:
        """Days until the renewal, negative once it has passed."""
        return days_until_renewal(self.customer, self.standing.today)

    @property
    def expansion(self) -> Number | None:
        """The MRR that it may add (IQ-102)."""
        return expansion_estimate(self.customer, self.standing.model, self.status)

    @property
    def contributions(self) -> list[Contribution]:
        """What each signal gives the score."""
        standing = self.standing
        model = standing.model
        profile = self.customer.profile(model)
        values = self.customer.taken(model, standing.today)
        computed = self.customer.computed(model, standing.today)
        return contributions(model, profile, values, computed)

    @property
    def was(self) -> int | None:
        """The score at the period's beginning; None if it had none, or was not there."""
        return self._book.scores_then.get(self.customer.id)

    @property
    def moved(self) -> int | None:
        """By how many points the score moved since then; None where either is unknown."""
        was = self.was
        return None if was is None or self.score is None else self.score - was

    @property
    def is_new(self) -> bool:
        """Whether it was not there at the period's beginning, of which something is known."""
        return self._book.then is not None and self.customer.id not in self._book.scores_then


@dataclass
class Book:
    """What a report is made of.

    *accounts* are those of *filters* as of *as_of*, without those that churned (unless a filter
    asks for that stage) or are in the trash; *churned* are those that did, *trashed* those that
    are there. *model* is the newest model, *portfolio_mrr* what all customers pay.

    *period* is how many days the report looks back. *then* is the day that it compares with: the
    latest known one at or before the period's beginning, else the first known; None if no day is.
    *figures_then* are that day's figures of the same filters, None where a day's figures are not
    divided by these; *scores_then* everybody's scores of that day by id, whoever *filters* mean.
    *model_then* is the model's version that scored them, if the newest one, which is there since
    *model_since*, scores otherwise.
    *daily* are the days' figures of the period, oldest first, by what they are of: "" is the book
    itself. *histories* are the visible changes of some customers, newest first; *feed* are those
    of a score in the period, of everybody. Where the bound on what one report reads cut either,
    *read_from* is the instant of the oldest change that was read. *actors* are the names of the
    keys that changes name. *about* is the id of the customer that the report is about.
    """

    as_of: datetime
    model: ScoringModel
    portfolio_mrr: Number = 0
    filters: Filters = field(default_factory=Filters)
    subject: str = ""
    period: int = 30
    then: date | None = None
    figures_then: Figures | None = None
    scores_then: Mapping[str, int | None] = field(default_factory=dict)
    daily: Mapping[str, Sequence[tuple[date, Figures]]] = field(default_factory=dict)
    model_then: ScoringModel | None = None
    model_since: datetime | None = None
    histories: Mapping[str, Sequence[Change]] = field(default_factory=dict)
    actors: Mapping[str, str] = field(default_factory=dict)
    feed: ScoreChanges | None = None
    read_from: datetime | None = None
    about: str | None = None
    accounts: list[Account] = field(default_factory=list)
    churned: list[Account] = field(default_factory=list)
    trashed: list[Customer] = field(default_factory=list)

    @cached_property
    def where(self) -> tzinfo:
        """The tenant's time zone."""
        return zone(self.model.time_zone)

    @cached_property
    def today(self) -> date:
        """The day there."""
        return local_day(self.as_of, self.where)

    @property
    def first_day(self) -> date:
        """The day that the period begins with, or what was read of its changes."""
        began = self.then or self.today - timedelta(days=self.period)
        return max(began, local_day(self.read_from, self.where)) if self.read_from else began

    def add(self, customer: Customer, model: ScoringModel) -> None:
        """Take *customer*, whose own model version is *model*, in if the filters mean it."""
        if not self.filters.pass_(customer):
            return
        if customer.deleted_at is not None:
            self.trashed.append(customer)
        elif customer.lifecycle == CHURNED and CHURNED not in self.filters.lifecycles:
            self.churned.append(Account(self, customer, model))
        else:
            self.accounts.append(Account(self, customer, model))

    def band_then(self, score: int) -> str:
        """Return the band in which *score* was on the day that is compared with."""
        return (self.model_then or self.model).band(score)

    def account(self, customer_id: str) -> Account | None:
        """Return the account of a customer, churned or not."""
        everybody = (*self.accounts, *self.churned)
        return next((each for each in everybody if each.customer.id == customer_id), None)

    @cached_property
    def figures(self) -> Figures:
        """The figures of the accounts as of now, counted as a day's are."""
        found = Figures()
        for each in self.accounts:
            found.count(each.customer, each.score, each.status)
        return found

    @cached_property
    def joined(self) -> list[Account]:
        """Those who were not there at the period's beginning."""
        # Scores of a day are of those who had not churned: one who did is not new by that.
        return [
            each for each in self.accounts if each.is_new and each.customer.lifecycle != CHURNED
        ]

    @property
    def knows_gone(self) -> bool:
        """Whether it is known who left: not of a stage, as nobody knows who had it then."""
        return self.then is not None and not self.filters.lifecycles

    @cached_property
    def gone(self) -> list[Customer]:
        """Those who were there at the period's beginning, and churned or were deleted since.

        Nobody where that is not known. A customer that was purged is known by nothing but its
        score then: `lost` has it.
        """
        if not self.knows_gone:
            return []
        found = [each.customer for each in self.churned] + self.trashed
        return [each for each in found if each.id in self.scores_then]

    @property
    def lost(self) -> list[int | None]:
        """The scores at the period's beginning of those who were there and are not any more.

        With filters: of those of `gone` alone.
        """
        if self.filters.shown():
            return [self.scores_then[each.id] for each in self.gone]
        here = {each.customer.id for each in self.accounts}
        return [score for key, score in self.scores_then.items() if key not in here]
