"""get_portfolio, get_trend, get_segments, get_csm_performance, get_renewals, get_cohorts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any, ClassVar

from pydantic import PlainValidator

from vitals.domain.change import Change, is_visible
from vitals.domain.errors import FieldError, ValidationError
from vitals.domain.instants import iso, start_of
from vitals.domain.model import CHURNED, CONTACT
from vitals.domain.reports.book import Book
from vitals.domain.reports.cohorts import MONTH, QUARTER, cohort_figures
from vitals.domain.reports.document import Line, plain, said
from vitals.domain.reports.groups import spelled_filters
from vitals.domain.reports.managers import manager_figures
from vitals.domain.reports.movement import movers
from vitals.domain.reports.portfolio import portfolio_figures
from vitals.domain.reports.renewals import CATEGORIES, renewal_figures
from vitals.domain.reports.segments import segment_figures
from vitals.domain.reports.trends import METRICS, MOVERS, RANGES, Overlays, first_day, trend_figures
from vitals.usecases.context import Answer, Context
from vitals.usecases.fields import Day, Short, one_of, refuse, split, whole
from vitals.usecases.inputs import Warning_, read
from vitals.usecases.report_book import filled_book, ids_of, with_histories
from vitals.usecases.report_input import Days, Filtered, customer_meant

MOST_ACCOUNTS = 1000
"""So many renewals are listed, the soonest; the Renewal Forecast has them all."""
LOOKED_AT, PAGE, MOST_DONE = 10_000, 500, 20
"""Among so many changes, the latest, read so many at a time, so many are looked for that somebody
made: a night's decay alone may change every customer.
"""
_OURS = frozenset({"decay", "rescore", "model"})
"""Causes that nobody's doing is behind."""
MOST_LINES = 5
"""So many managers, or customers, are laid over a trend."""


def _names(raw: object) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(split(raw)))
    if len(found) > MOST_LINES:
        refuse("out_of_range", f"must be at most {MOST_LINES}")
    return found


Names = Annotated[tuple[str, ...], PlainValidator(_names, json_schema_input_type=list[str] | str)]


class PortfolioInput(Filtered):
    """Whom it is about, and how many *days* back it compares with."""

    days: Days = 30


class PerformanceInput(Filtered):
    """As of the portfolio; a week back."""

    days: Days = 7


class TrendInput(Filtered):
    """A *metric* over a *range*, a *secondary* one beside it, lines of managers and customers."""

    aliases: ClassVar[Mapping[str, str]] = {"managers": "overlay_managers"} | {
        "customers": "overlay_customers"
    }

    metric: Short = METRICS[0]
    secondary: Short | None = None
    range: Annotated[str, one_of(*RANGES)] = "90d"
    overlay_managers: Names = ()
    overlay_customers: Names = ()


class RenewalsInput(Filtered):
    """Renewals *since* a day *until* another, of a forecast category."""

    aliases: ClassVar[Mapping[str, str]] = {"from": "since", "to": "until"}

    since: Day | None = None
    until: Day | None = None
    forecast_category: Annotated[str, one_of(*CATEGORIES)] | None = None


class CohortsInput(Filtered):
    """Cohorts of a month or a quarter, and how many months on."""

    cohort_period: Annotated[str, one_of(MONTH, QUARTER)] = MONTH
    months_out: Annotated[int, whole(1, 60)] = 12


def get_portfolio(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return how the portfolio stands, and whom to call first (IQ-179, IQ-180, LU-065)."""
    parsed, warnings, _ = read(PortfolioInput, given)
    book = filled_book(context, parsed.filters, parsed.days)
    return _answer("get_portfolio", book, portfolio_figures(book), warnings)


def get_segments(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return the figures of every tag, tier and stage (IQ-184)."""
    parsed, warnings, _ = read(PortfolioInput, given)
    book = filled_book(context, parsed.filters, parsed.days)
    return _answer("get_segments", book, segment_figures(book), warnings)


def get_csm_performance(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return the managers' books side by side (IQ-186)."""
    parsed, warnings, _ = read(PerformanceInput, given)
    book = filled_book(context, parsed.filters, parsed.days)
    activity, whole = _activity(context, book)
    if not whole:
        message = f"is of the latest {LOOKED_AT} changes; earlier ones were not looked through"
        warnings.append({"code": "cut_off", "field": "activity", "message": message})
    found = manager_figures(book) | {"activity": activity}
    return _answer("get_csm_performance", book, found, warnings)


def _activity(context: Context, book: Book) -> tuple[list[dict[str, Any]], bool]:
    """Return what people and integrations did last with the accounts of *book*, newest first.

    And whether that is all there is to tell: False if as much was looked through as may be.
    """
    names = {each.customer.id: each.customer.manager for each in book.accounts}
    since = start_of(book.today - timedelta(days=book.period), book.where)
    done: list[Change] = []
    seen = 0
    for change in context.customers.feed(context.tenant, since=since, page=PAGE):
        seen += 1
        if change.customer_id in names and change.cause not in _OURS and is_visible(change):
            done.append(change)
        if len(done) == MOST_DONE or seen == LOOKED_AT:
            break
    told = [
        {
            "at": iso(change.at),
            "manager": names[change.customer_id],
            "customer_id": change.customer_id,
            "name": change.name,
            "action": change.action,
            "contact": dict(change.contact) if change.contact else None,
            "score_before": change.score_before,
            "score_after": change.score_after,
        }
        for change in done
    ]
    return told, len(done) == MOST_DONE or seen < LOOKED_AT


def get_renewals(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return what renews by month, what of it is at risk, and the soonest by name (LU-066)."""
    parsed, warnings, _ = read(RenewalsInput, given)
    if parsed.since and parsed.until and parsed.since > parsed.until:
        raise ValidationError([FieldError("until", "out_of_range", "is before since")])
    if parsed.until and parsed.until < context.moment.today:
        # Renewals of before today are overdue, whatever is asked for.
        raise ValidationError([FieldError("until", "out_of_range", "is before today")])
    book = filled_book(context, parsed.filters, 30)
    found = renewal_figures(book, parsed.since, parsed.until, parsed.forecast_category)
    listed = found["accounts"]
    found |= {
        "accounts": listed[:MOST_ACCOUNTS],
        "accounts_listed": min(len(listed), MOST_ACCOUNTS),
    }
    return _answer("get_renewals", book, found, warnings)


def get_trend(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return a metric day by day, what moved it, and who (IQ-185).

    1 reading of the roster, 1 query of days, 1 more for each manager and customer laid over it,
    and for each of those who moved most.
    """
    parsed, warnings, _ = read(TrendInput, given)
    # Days since contact change by themselves: no day's figures count them.
    numeric = [
        each.name for each in context.model.signals if each.options is None and each.name != CONTACT
    ]
    known = (*METRICS, *(name for name in numeric if name not in METRICS))
    errors = [
        FieldError(field, "unknown_value", f"must be one of: {', '.join(known)}")
        for field in ("metric", "secondary")
        if getattr(parsed, field) is not None and getattr(parsed, field) not in known
    ]
    if errors:
        raise ValidationError(errors)
    today = context.moment.today
    days = max(1, (today - first_day(parsed.range, today)).days)
    book = filled_book(context, parsed.filters, days, daily=True, managers=parsed.overlay_managers)
    customers = [customer_meant(context, each) for each in parsed.overlay_customers]
    fell, rose = movers(book, MOVERS)
    with_histories(context, book, [*customers, *ids_of((*fell, *rose))])
    overlays = Overlays(managers=parsed.overlay_managers, customers=tuple(customers))
    found = trend_figures(book, parsed.metric, parsed.secondary, overlays)
    return _answer("get_trend", book, {"range": parsed.range, **found}, warnings)


def get_cohorts(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return how many of those who came together stayed, month by month (LU-067)."""
    parsed, warnings, _ = read(CohortsInput, given)
    book = filled_book(context, parsed.filters, 30)
    customers = [each.customer for each in (*book.accounts, *book.churned)]
    found = cohort_figures(
        customers, book.today, parsed.cohort_period, parsed.months_out, where=book.where
    )
    return _answer("get_cohorts", book, found, [*warnings, *_unseen(parsed, found)])


def _unseen(parsed: CohortsInput, found: Mapping[str, Any]) -> list[Warning_]:
    """Return warnings of who left and is not among the cohorts."""
    told = {}
    if found["late"]:
        told["since"] = (
            f"{found['late']} customers have been on record for a shorter time than they are "
            "customers: who left before is not known, so they count from then on"
        )
    if parsed.filters.lifecycles and CHURNED not in parsed.filters.lifecycles:
        told["lifecycle"] = "leaves out who churned, so nobody is seen to leave"
    return [
        {"code": "incomplete", "field": field, "message": message}
        for field, message in told.items()
    ]


def _answer(
    action: str, book: Book, figures: Mapping[str, Any], warnings: list[Warning_]
) -> Answer:
    data = {
        "as_of": iso(book.as_of),
        "time_zone": book.model.time_zone,
        "model_version": book.model.version,
        "filters": {name: list(values) for name, values in spelled_filters(book).items()},
        "compared_with": book.then.isoformat() if book.then else None,
        **_told(figures),
    }
    return {"action": action, "data": data, "warnings": warnings}


def _told(value: Any) -> Any:
    """Return *value* with every sentence, date and tuple in it as JSON has them."""
    if isinstance(value, Mapping):
        return {name: _told(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_told(each) for each in value]
    if isinstance(value, Line):
        return said(value)
    return plain(value) if isinstance(value, date) else value
