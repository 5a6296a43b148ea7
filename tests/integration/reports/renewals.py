"""What an oracle expects of renewals, month by month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from tests.integration.reports.agreement import Given, Month, Percent, Said
from tests.integration.reports.folio import Folio
from tests.integration.reports.numbers import Row, percent, sure
from tests.integration.reports.parts import (
    about,
    answer,
    call,
    calls,
    document,
    figure,
    table,
)
from tests.integration.reports.seen import Seen, low_first, paid


class Renewals:
    """What renews from *first* to *last*, of a *category* or of all."""

    def __init__(
        self,
        folio: Folio,
        first: date | None = None,
        last: date | None = None,
        category: str | None = None,
    ) -> None:
        today = folio.today
        self.folio = folio
        self.first = first or today
        year_on = date(today.year + 1, today.month, 1) - timedelta(days=1)
        if self.first > year_on:
            year_on = date(self.first.year + 1, self.first.month, 1) - timedelta(days=1)
        self.last = last or year_on
        accounts = [each for each in folio.accounts if category in (None, self.kind(each))]
        due = {each.id: each.view["renewal_date"] for each in accounts}
        dated = [(date.fromisoformat(due[each.id]), each) for each in accounts if due[each.id]]
        dated.sort(key=lambda pair: (pair[0], low_first(pair[1])))
        self.dated = dated
        self.undated = [each for each in accounts if not due[each.id]]
        self.overdue = [each for day, each in dated if day < today]
        self.before = [each for day, each in dated if today <= day < self.first]
        self.total = [each for day, each in dated if self.first <= day <= self.last]
        self.later = [each for day, each in dated if day > self.last]
        self.listed = [*self.overdue, *self.total]
        every = (self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1))
        self.months = sorted({day.replace(day=1) for day in every})

    def in_month(self, month: date) -> list[Seen]:
        return [each for day, each in self.dated
                if day.replace(day=1) == month and each in self.total]  # fmt: skip

    @staticmethod
    def kind(each: Seen) -> str:
        if each.score is None:
            return "unknown"
        return {"critical": "at_risk", "at_risk": "at_risk", "watch": "best_case"}.get(
            each.status, "commit"
        )

    def of(self, kind: str, accounts: Sequence[Seen]) -> list[Seen]:
        return [each for each in accounts if self.kind(each) == kind]

    def flags(self, each: Seen) -> list[str]:
        told = {
            "renewal_overdue": (each.days or 0) < 0,
            "at_risk": each.at_risk,
            "unscored": each.score is None,
            "falling": each.momentum == "falling",
            "contact_overdue": each.overdue,
            "quiet": each.quiet > self.folio.settings["quiet_after"],
            "low_confidence": each.low_confidence,
        }
        return [flag for flag, holds in told.items() if holds]

    def shown(self, accounts: Sequence[Seen]) -> Row:
        return {
            "renewals": len(accounts),
            "mrr": paid(accounts),
            "categories": {
                kind: {
                    "renewals": len(self.of(kind, accounts)),
                    "mrr": paid(self.of(kind, accounts)),
                }
                for kind in ("commit", "best_case", "at_risk", "unknown")
            },
        }


def renewal_forecast(folio: Folio) -> Row:
    """What renews in twelve months."""
    renewals = Renewals(folio)
    total, late = renewals.total, renewals.overdue
    words = {"commit": "Commit", "best_case": "Best case", "at_risk": "At risk",
             "unknown": "Unknown"}  # fmt: skip
    by_kind = {kind: paid(renewals.of(kind, total)) for kind in words}
    months = {month: renewals.in_month(month) for month in renewals.months}
    top = max(months, key=lambda month: (paid(months[month]), -month.toordinal()))
    share = percent(by_kind["at_risk"], paid(total))
    rule = folio.settings["momentum"]
    forecast = Said()
    if share is not None:
        *some, unknown = by_kind.values()
        forecast = Said(*some, Percent(share), unknown)
    return document(
        folio,
        [
            Said(len(total), paid(total), folio.today, renewals.last),
            forecast,
            Said(len(late), paid(late)) if late else None,
            call(folio, renewals.listed),
        ],
        {
            "kpis": {
                "renewals": figure(len(total)),
                "mrr": figure(paid(total)),
                **{kind: figure(amount) for kind, amount in by_kind.items()},
                "overdue": figure(len(late)),
                "overdue_mrr": figure(paid(late)),
            },
            "month_chart": {
                "labels": list(months),
                "series": {
                    kind: [paid(renewals.of(kind, found)) for found in months.values()]
                    for kind in words
                },
                "says": Said(
                    Month(top), paid(months[top]), paid(renewals.of("at_risk", months[top]))
                )
                if paid(total)
                else Said(),
            },
            "months": table(
                "month renewals mrr commit best_case at_risk unknown",
                [
                    {
                        "month": month,
                        "renewals": len(found),
                        "mrr": paid(found),
                        **{kind: paid(renewals.of(kind, found)) for kind in words},
                    }
                    for month, found in months.items()
                ],
            ),
            "accounts": table(
                "renewal_date days_until_renewal name manager tier mrr score status forecast flags",
                [
                    about(each)
                    | {
                        "forecast": words[renewals.kind(each)],
                        "flags": [flag.replace("_", " ") for flag in renewals.flags(each)],
                    }
                    for each in renewals.listed
                ],
            ),
            "priority_accounts": calls(folio, renewals.listed),
        },
        [
            Said(),
            Said(
                rule["points"], rule["days"], folio.settings["quiet_after"],
                Percent(100 * sure(folio.settings["low_confidence_below"])),
            ),
            Said(
                len(renewals.later),
                renewals.last,
                *([len(renewals.undated)] if renewals.undated else []),
            ),
            Said(),
        ],
        (folio.today, renewals.last),
        compares=False,
    )  # fmt: skip


def get_renewals(
    folio: Folio,
    since: date | None = None,
    until: date | None = None,
    forecast_category: str | None = None,
) -> Row:
    """Renewals by month."""
    found = Renewals(folio, since, until, forecast_category)
    return answer(
        folio,
        {
            "from": found.first,
            "to": found.last,
            "forecast_category": forecast_category,
            "total": found.shown(found.total),
            "overdue": found.shown(found.overdue),
            "months": [
                {"month": f"{month:%Y-%m}", **found.shown(found.in_month(month))}
                for month in found.months
            ],
            "outside": {
                "before": found.shown(found.before),
                "later": found.shown(found.later),
                "undated": found.shown(found.undated),
            },
            "accounts": [
                {
                    "id": each.id,
                    "name": each.name,
                    "manager": each.manager,
                    "tier": each.tier,
                    "renewal_date": Given(each.view["renewal_date"]),
                    "days_until_renewal": each.days,
                    "mrr": each.paid,
                    "score": each.score,
                    "status": each.status,
                    "forecast_category": found.kind(each),
                    "risk_flags": found.flags(each),
                }
                for each in found.listed
            ],
            "accounts_listed": len(found.listed),
        },
    )
