"""Trends: a metric day by day, beside another and beside parts of the book (IQ-185)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from typing import Any, Final

from vitals.domain.change import Change
from vitals.domain.instants import local_day, months_after
from vitals.domain.numbers import Number, published_ratio, ratio
from vitals.domain.reports.book import Account, Book
from vitals.domain.reports.document import AVERAGE, COUNT, MONEY, NUMBER
from vitals.domain.reports.movement import difference, moved_by, movers
from vitals.domain.reports.trend_insights import HEALTH_SCORE, Course, insights
from vitals.domain.score_days import closing
from vitals.domain.snapshot import Figures

RANGES: Final = ("7d", "30d", "90d", "6mo", "1yr", "2yr", "ytd")
DAILY_UNTIL: Final = 180
WEEK: Final = 7
"""A range of more days is sampled weekly."""
MOVERS: Final = 10

MANAGER: Final = "manager:"
"""What the days of a manager's figures are found by in a book: the name follows."""

_METRICS: Final[Mapping[str, tuple[str, str, Callable[[Figures], Number | None]]]] = {
    HEALTH_SCORE: ("Health score", AVERAGE, lambda figures: figures.average),
    "customers": ("Customers", COUNT, lambda figures: figures.customers),
    "mrr": ("MRR", MONEY, lambda figures: figures.mrr),
    "arr": ("ARR", MONEY, lambda figures: figures.arr),
    "at_risk": ("Customers at risk", COUNT, lambda figures: figures.at_risk),
    "at_risk_mrr": ("MRR at risk", MONEY, lambda figures: figures.at_risk_mrr),
}
METRICS: Final = tuple(_METRICS)
"""The metrics of a portfolio; every numeric signal is one as well."""
_OF_ONE: Final = frozenset({"mrr", "arr"})

Values = list[Number | None]


@dataclass(frozen=True, slots=True)
class Overlays:
    """What is laid over a trend: *managers* by name, *customers* by id."""

    managers: Sequence[str] = ()
    customers: Sequence[str] = ()


def first_day(name: str, today: date) -> date:
    """Return the first day of the range called *name*, one of RANGES, that ends *today*.

    Raises ValueError for another name.
    """
    if name == "ytd":
        return date(today.year, 1, 1)
    months = {"6mo": 6, "1yr": 12, "2yr": 24}
    days = {"7d": 7, "30d": 30, "90d": 90}
    if name in months:
        return months_after(today, -months[name])
    if name in days:
        return today - timedelta(days=days[name])
    raise ValueError(f"no range {name!r}")


def metric_label(metric: str) -> str:
    """Return what *metric* is called; a signal by its own name."""
    return _METRICS[metric][0] if metric in _METRICS else metric


def metric_kind(metric: str) -> str:
    """Return the kind of *metric*'s values."""
    return _METRICS[metric][1] if metric in _METRICS else NUMBER


def metric_of(figures: Figures, metric: str) -> Number | None:
    """Return the value of *metric*: of a signal its mean to four decimals, over those with it."""
    if metric in _METRICS:
        return _METRICS[metric][2](figures)
    count, total = figures.signals.get(metric, (0, 0))
    numerator, denominator = ratio(total)
    return published_ratio(numerator, denominator * count) if count else None


def trend_figures(
    book: Book,
    metric: str = HEALTH_SCORE,
    secondary: str | None = None,
    overlays: Overlays | None = None,
) -> dict[str, Any]:
    """Return `course_figures`, and as `movers` whose score moved most since then, and by what."""
    fell, rose = movers(book, MOVERS)
    return course_figures(book, metric, secondary, overlays) | {
        "movers": {
            "compared_with": book.then,
            "fell": [_mover(book, each) for each in fell],
            "rose": [_mover(book, each) for each in rose],
        },
    }


def course_figures(
    book: Book,
    metric: str = HEALTH_SCORE,
    secondary: str | None = None,
    overlays: Overlays | None = None,
) -> dict[str, Any]:
    """Return *metric* of the book by day, the last day being now, and what that says.

    A *secondary* metric stands beside it, and over it the same metric of the managers and customers
    of *overlays* (a count has no values of one customer). Days that no figures are known of
    are left out; None is a day without a value. A range over DAILY_UNTIL days has one day in
    `every` 7, the last of each week before now.
    """
    every = WEEK if book.period > DAILY_UNTIL else 1
    known = known_days(book, every)
    days = [day for day, _ in known]
    values = [metric_of(figures, metric) for _, figures in known]
    second = [metric_of(figures, secondary) for _, figures in known] if secondary else None
    over = overlays or Overlays()
    lines = [_of_manager(book, metric, name, days) for name in over.managers]
    lines += [_of_customer(book, metric, each, days) for each in over.customers]
    own = Course(metric, metric_label(metric), metric_kind(metric), days, values)
    others = [
        Course(metric, each["label"], metric_kind(metric), days, each["values"]) for each in lines
    ]
    if secondary and second is not None:
        others.insert(
            0, Course(secondary, metric_label(secondary), metric_kind(secondary), days, second)
        )
    return {
        "metric": metric,
        "secondary": secondary,
        "every": every,
        "days": days,
        "values": values,
        "secondary_values": second,
        "overlays": lines,
        "summary": _summary(values),
        "insights": insights(own, others),
    }


def known_days(book: Book, every: int = 1) -> list[tuple[date, Figures]]:
    """Return the days of the book with their figures, the oldest first, up to now.

    Today's are as of now. Of each *every* days, counted back from today, it is the latest.
    """
    today = book.today
    known = [pair for pair in book.daily.get("", ()) if pair[0] < today]
    known.append((today, book.figures))
    by_span = {(today - day).days // every: (day, figures) for day, figures in known}
    return [by_span[span] for span in sorted(by_span, reverse=True)]


def _of_manager(book: Book, metric: str, name: str, days: Sequence[date]) -> dict[str, Any]:
    figures = dict(book.daily.get(MANAGER + name, ()))
    if book.today not in figures:
        figures[book.today] = _managed(book, name)
    values = [metric_of(figures[day], metric) if day in figures else None for day in days]
    return {"manager": name, "customer_id": None, "label": name, "values": values}


def _of_customer(book: Book, metric: str, customer_id: str, days: Sequence[date]) -> dict[str, Any]:
    account = book.account(customer_id)
    label = account.customer.name if account else customer_id
    values = _line_of(book, account, metric, days) if account else [None] * len(days)
    return {"manager": None, "customer_id": customer_id, "label": label, "values": values}


def _managed(book: Book, manager: str) -> Figures:
    """Return a manager's figures as of now, however the name is cased."""
    figures, fold = Figures(), manager.casefold()
    for each in book.accounts:
        if (each.customer.manager or "").casefold() == fold:
            figures.count(each.customer, each.score, each.status)
    return figures


def _line_of(book: Book, account: Account, metric: str, days: Sequence[date]) -> Values:
    history = book.histories.get(account.customer.id)
    if history is None:
        return [None] * len(days)
    if metric == HEALTH_SCORE:
        return list(score_line(history, days, book.where, account.score))
    customer = account.customer
    now = getattr(customer, metric) if metric in _OF_ONE else customer.signals.get(metric)
    path = metric if metric in _OF_ONE else f"signals.{metric}"
    if metric in _METRICS and metric not in _OF_ONE:
        return [None] * len(days)
    return _fact_line(history, days, book.where, path, now)


def score_line(
    history: Sequence[Change], days: Sequence[date], where: tzinfo, score_now: int | None
) -> list[int | None]:
    """Return the published score at the end of each of *days*, the oldest first.

    *history* are the changes, newest first; before the oldest of them the score was what that
    found. The last of *days* is today, whose score is *score_now*.
    """
    if not history:
        return [score_now] * len(days)
    line = [
        history[place].score_after if place < len(history) else history[-1].score_before
        for place in closing(history, days, where)
    ]
    return [*line[:-1], score_now] if line else []


def _fact_line(
    history: Sequence[Change], days: Sequence[date], where: tzinfo, path: str, now: Any
) -> Values:
    """Return the fact at *path* at the end of each of *days*; None where it was no number."""
    line: Values = []
    value, older = now, 0
    for day in reversed(days):
        while older < len(history) and local_day(history[older].at, where) > day:
            if path in history[older].changed:
                value = history[older].changed[path][0]
            older += 1
        line.append(None if isinstance(value, str) else value)
    return line[::-1]


def _summary(values: Sequence[Number | None]) -> dict[str, Number | None]:
    """Return the first and the last value that is known, the move between, and the extremes."""
    known = [value for value in values if value is not None]
    if not known:
        return dict.fromkeys(("first", "last", "change", "lowest", "highest"))
    return {
        "first": known[0],
        "last": known[-1],
        "change": difference(known[-1], known[0]),
        "lowest": min(known),
        "highest": max(known),
    }


def _mover(book: Book, account: Account) -> dict[str, Any]:
    customer = account.customer
    return {
        "id": customer.id,
        "name": customer.name,
        "manager": customer.manager,
        "mrr": account.mrr,
        "score_then": account.was,
        "score": account.score,
        "status": account.status,
        "change": account.moved,
        "moved_by": [
            {"signal": signal, "change": change} for signal, change in moved_by(book, account)
        ],
    }
