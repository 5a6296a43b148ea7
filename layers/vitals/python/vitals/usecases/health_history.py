"""get_health_history, explain_score: how a score went, and what moved it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Annotated, Any, ClassVar

from pydantic import PlainValidator

from vitals.domain.change import Change
from vitals.domain.customer import Customer
from vitals.domain.errors import FieldError, ValidationError
from vitals.domain.health import word_of
from vitals.domain.instants import iso, local_day, parse_instant, start_of
from vitals.domain.score_days import Point, daily, weekly
from vitals.domain.score_explanation import TIME, Cause, Explanation, Stand, explanation
from vitals.usecases.context import Answer, Context
from vitals.usecases.fields import one_of, refuse
from vitals.usecases.find import require_live
from vitals.usecases.health import READ_AHEAD, HealthInput
from vitals.usecases.inputs import read

LONGEST = 400
"""Days: no answer looks back on more."""
DEFAULT_DAYS = 90
EXPLAINED_DAYS = 30
MOST_CAUSES = 500
"""So many causes are told of, the latest."""
_FIRST_YEAR, _LAST_YEAR = 1970, 9990


def _day_or_instant(raw: object) -> date | datetime:
    found = _parsed(raw.strip()) if isinstance(raw, str) else None
    if found is None:
        refuse("must_be_instant", "must be a date or an instant in ISO 8601, like 2026-03-01")
    if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        refuse("out_of_range", f"must be of the years {_FIRST_YEAR} to {_LAST_YEAR}")
    return found


def _parsed(text: str) -> date | datetime | None:
    for reads in (date.fromisoformat, parse_instant):
        try:
            return reads(text)
        except ValueError:
            continue
    return None


DayOrInstant = Annotated[
    date | datetime, PlainValidator(_day_or_instant, json_schema_input_type=str)
]


class SpanInput(HealthInput):
    """Whose health, from a day or an instant to another."""

    aliases: ClassVar[Mapping[str, str]] = {"customer_id": "id", "from": "since", "to": "until"}

    since: DayOrInstant | None = None
    until: DayOrInstant | None = None


class HealthHistoryInput(SpanInput):
    """As of a span; a point a day or a week."""

    granularity: Annotated[str, one_of("daily", "weekly")] = "daily"


def get_health_history(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return the score published at the end of each day, or ISO week, of the tenant's zone.

    The last 90 days unless `from` and `to` say otherwise; an instant counts as its day, days to
    come are left out (LU-044, PE-010). 1 read, and 1 query of the changes back to `from`. Raises
    CustomerNotFoundError; ValidationError for a span that ends before it begins, or is longer
    than 400 days.
    """
    parsed, warnings, _ = read(HealthHistoryInput, given)
    where, today = context.where, context.moment.today
    asked = _day(parsed.until, context) or today
    last = min(asked, today)
    first = _day(parsed.since, context) or last - timedelta(days=DEFAULT_DAYS - 1)
    _refuse_span(asked - first)
    customer = require_live(context, parsed)
    points: list[Point] = []
    if first <= last:
        now = context.published(customer) if last == today else None
        history = _history(context, customer, start_of(first, where))
        points = daily(history, first, last, where, now)
    weeks = parsed.granularity == "weekly"
    data = {
        "customer_id": customer.id,
        "from": first.isoformat(),
        "to": last.isoformat(),
        "granularity": parsed.granularity,
        "time_zone": context.model.time_zone,
        "points": [_point(point) for point in (weekly(points) if weeks else points)],
    }
    return {"action": "get_health_history", "data": data, "warnings": warnings}


def _day(given: date | datetime | None, context: Context) -> date | None:
    return local_day(given, context.where) if isinstance(given, datetime) else given


def _refuse_span(length: timedelta) -> None:
    if length < timedelta(0):
        raise ValidationError([FieldError("to", "out_of_range", "must not be before from")])
    if length > timedelta(days=LONGEST):
        message = f"must be at most {LONGEST} days before to"
        raise ValidationError([FieldError("from", "out_of_range", message)])


def _history(context: Context, customer: Customer, since: datetime) -> list[Change]:
    """Return the changes of *customer*, as it was read, newest first, and one before *since*."""
    found = []
    for change in context.customers.history(
        context.tenant, customer.id, before_version=customer.version + 1, page=READ_AHEAD
    ):
        found.append(change)
        if change.at < since:
            break
    return found


def _point(point: Point) -> dict[str, Any]:
    return {
        "date": point.date.isoformat(),
        "score": point.score,
        "status": word_of(point.score),
        "band": point.band,
        "changes": point.moves,
    }


def explain_score(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return what moved the score from one instant to another, in parts that sum to it exactly.

    From 30 days ago until now unless told otherwise; a date is the start of that day in the
    tenant's zone, what is to come counts as now (PLUS-02). 1 read, and 1 query of the changes back
    to `from`. Raises as get_health_history does.
    """
    parsed, warnings, _ = read(SpanInput, given)
    asked = _instant(parsed.until, context) or context.now
    end = min(asked, context.now)
    start = _instant(parsed.since, context) or end - timedelta(days=EXPLAINED_DAYS)
    _refuse_span(asked - start)
    customer = require_live(context, parsed)
    start = min(start, end)
    found = explanation(customer, _history(context, customer, start), start, end, context.model_of)
    shown = {"customer_id": customer.id, **_explained(found)}
    return {"action": "explain_score", "data": shown, "warnings": warnings}


def _instant(given: date | datetime | None, context: Context) -> datetime | None:
    if given is None or isinstance(given, datetime):
        return given
    return start_of(given, context.where)


def _explained(found: Explanation) -> dict[str, Any]:
    return {
        "from": _stand(found.start),
        "to": _stand(found.end),
        "change": found.change,
        "parts": [asdict(part) for part in found.parts],
        "causes": [_cause(cause, found.end.at) for cause in found.causes[-MOST_CAUSES:]],
        "causes_omitted": max(0, len(found.causes) - MOST_CAUSES),
    }


def _stand(stand: Stand) -> dict[str, Any]:
    return {
        "at": iso(stand.at),
        "score": stand.score,
        "status": word_of(stand.score),
        "score_exact": stand.exact,
        "model_version": stand.model_version,
    }


def _cause(cause: Cause, end: datetime) -> dict[str, Any]:
    change = cause.change
    return {
        "change_id": change.id if change else None,
        "at": iso(change.at if change else end),
        "cause": change.cause if change else TIME,
        "action": change.action if change else None,
        "by": change.by if change else None,
        "score_before": change.score_before if change else None,
        "score_after": change.score_after if change else None,
        "change": cause.moved,
    }
