"""A book by an oracle: whom filters mean, what the days before were, from raw data alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from tests.integration.reports.numbers import RISKY, Filters, Row, exact, mean, sure
from tests.integration.reports.seen import Seen
from tests.integration.reports.weeks import Raw


def meant(view: Row, filters: Filters) -> bool:
    """Tell whether *filters* mean the customer."""
    own = {
        "manager": [(view["manager"] or "").casefold()],
        "tier": [view["tier"]],
        "lifecycle": [view["lifecycle"]],
        "tag": [tag.casefold() for tag in view["tags"]],
    }
    return all(
        any(value in [name.casefold() for name in names] for value in own[part] if value)
        for part, names in filters.items()
    )


@dataclass(frozen=True)
class Counted:
    """Some customers in figures."""

    customers: int
    mrr: Fraction
    arr: Fraction
    scored: int
    average: Fraction | None
    at_risk: int
    at_risk_mrr: Fraction
    views: Sequence[Row]

    def metric(self, name: str) -> Any:
        """Return one figure, of a signal its mean."""
        if name == "health_score":
            return self.average
        if hasattr(self, name):
            return getattr(self, name)
        return mean(exact(view[name]) for view in self.views)


def counted(views: Sequence[Row]) -> Counted:
    """Count *views* of customers."""
    risky = [view for view in views if view["status"] in RISKY]
    return Counted(
        customers=len(views),
        mrr=sum((sure(view["mrr"]) for view in views), start=Fraction(0)),
        arr=sum((sure(view["arr"]) for view in views), start=Fraction(0)),
        scored=sum(view["score"] is not None for view in views),
        average=mean(view["score"] for view in views),
        at_risk=len(risky),
        at_risk_mrr=sum((sure(view["mrr"]) for view in risky), start=Fraction(0)),
        views=views,
    )


class Folio:
    """The customers that *filters* mean, and the day *period* days before."""

    def __init__(self, raw: Raw, filters: Filters, period: int) -> None:
        self.raw, self.filters, self.period = raw, filters, period
        self.settings = raw.settings
        self.zone = ZoneInfo(raw.settings["time_zone"])
        self.today = raw.now.astimezone(self.zone).date()
        here = [view for view in raw.customers if view["deleted_at"] is None]
        paying = [view for view in here if view["lifecycle"] != "churned"]
        self.paid_by_all = sum((sure(view["mrr"]) for view in paying), start=Fraction(0))
        asked = "churned" in filters.get("lifecycle", ())
        known = [Seen(self, view) for view in here if meant(view, filters)]
        self.accounts = [each for each in known if asked or each.stage != "churned"]
        self.churned = [each for each in known if not asked and each.stage == "churned"]
        self.trashed = [
            view for view in raw.customers if view["deleted_at"] and meant(view, filters)
        ]

    @cached_property
    def then(self) -> date | None:
        """The day that is compared with."""
        wanted = self.today - timedelta(days=self.period)
        before = [day for day in self.raw.days if day <= wanted]
        found = max(before) if before else min(self.raw.days, default=self.today)
        return found if found < self.today else None

    @cached_property
    def scores_then(self) -> dict[str, int | None]:
        """Everybody's score on that day, but of those who had churned."""
        if self.then is None:
            return {}
        return {
            view["id"]: view["score"]
            for view in self.raw.days[self.then]
            if view["lifecycle"] != "churned"
        }

    @cached_property
    def now(self) -> Counted:
        """The accounts in figures."""
        return counted([each.view for each in self.accounts])

    def on(self, day: date | None, filters: Filters | None = None) -> Counted | None:
        """Return the figures of a day; None for a day or filters of which none are kept."""
        filters = self.filters if filters is None else filters
        if day is None or len(filters) > 1 or len(filters.get("tag", ())) > 1:
            return None
        here = [view for view in self.raw.customers if view["deleted_at"] is None]
        return counted(
            [
                view
                for view in (here if day == self.today else self.raw.days[day])
                if meant(view, filters)
                and (view["lifecycle"] != "churned" or "lifecycle" in filters)
            ]
        )

    @cached_property
    def before(self) -> Counted | None:
        """The figures of the day that is compared with."""
        return self.on(self.then)

    @cached_property
    def model_then(self) -> Row | None:
        """The model that scored that day, if another than the newest, which scores otherwise."""
        newest, *_ = self.raw.models
        if self.then is None:
            return None
        began = self.since(self.then)
        model = next(
            each
            for each in self.raw.models
            if each["at"] is None or datetime.fromisoformat(each["at"]) < began
        )
        parts = ("signals", "weights", "bands", "profiles", "profile_rules")
        return None if all(model[part] == newest[part] for part in parts) else model

    @cached_property
    def model_since(self) -> str:
        """When the newest model came."""
        return str(self.raw.models[0]["at"])

    @property
    def knows_gone(self) -> bool:
        """Whether it is known who left."""
        return self.then is not None and "lifecycle" not in self.filters

    @property
    def lost(self) -> list[int | None]:
        """The scores then of those who are not there any more."""
        if self.filters and not self.knows_gone:
            return []
        if self.filters:
            gone = [each.view["id"] for each in self.churned]
            gone += [view["id"] for view in self.trashed]
            return [self.scores_then[each] for each in gone if each in self.scores_then]
        here = [each.id for each in self.accounts]
        return [score for each, score in self.scores_then.items() if each not in here]

    def local(self, instant: str) -> date:
        """Return the tenant's day of an instant."""
        return datetime.fromisoformat(instant).astimezone(self.zone).date()

    def since(self, day: date) -> datetime:
        """Return when *day* began."""
        return datetime.combine(day, time(), self.zone)

    def days(self, every: int, filters: Filters | None = None) -> dict[date, Counted]:
        """Return the figures of the period's days, up to now: of each *every* days the latest."""
        first = self.today - timedelta(days=self.period)
        found = {day: self.on(day, filters) for day in sorted(self.raw.days) if first <= day}
        known = {day: figures for day, figures in found.items() if figures is not None}
        known[self.today] = self.now
        kept: dict[date, Counted] = {}
        for day, figures in known.items():
            weeks = [(self.today - each).days // every for each in kept]
            if (self.today - day).days // every in weeks:
                kept.popitem()
            kept[day] = figures
        return kept
