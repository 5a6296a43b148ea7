"""get_health_summary, list_at_risk: the health of all customers, and of those to worry about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Annotated, Any, ClassVar

from vitals.domain.customer import Customer
from vitals.domain.dimensions import shares
from vitals.domain.errors import FieldError, InvalidCursorError, ValidationError
from vitals.domain.health import WORDS, word_of
from vitals.domain.instants import iso, local_day, parse_instant, start_of, zone
from vitals.domain.listing import Listing, Row, comes_after, matches, ordered
from vitals.domain.model import STATUSES
from vitals.domain.numbers import Number, parse_number, published_ratio, ratio, round_half_up
from vitals.domain.scoring import known_weight
from vitals.usecases.context import Answer, Context
from vitals.usecases.cursor import cursor, digest, place_of
from vitals.usecases.fields import Folded, whole
from vitals.usecases.get_distribution import Tally
from vitals.usecases.health_history import LONGEST, DayOrInstant
from vitals.usecases.inputs import Input, read
from vitals.usecases.paging import LONGEST_ID, Page, filled

MOST = 200
"""So many customers a page has at most."""
_READ_AHEAD = 50


class AtRiskInput(Page):
    """Under which *threshold*, fallen since when, of which owners, and the page."""

    aliases: ClassVar[Mapping[str, str]] = {"manager": "owner_id"}

    threshold: Annotated[int, whole(1, 100)] = 50
    since: DayOrInstant | None = None
    owner_id: Folded = frozenset()
    limit: Annotated[int, whole(1, MOST)] = 50


@dataclass(frozen=True, slots=True)
class Fallen:
    """A customer under the threshold, with the fall that took it there if that was asked for."""

    row: Row
    crossed_at: datetime | None = None
    score_before: int | None = None


def get_health_summary(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return how all customers' scores spread, with their MRR, the average and the median (PE-012).

    Average and median are exact to one decimal; shares to four, summing to exactly 1, or all 0
    where there is nothing to share. *coverage* is the mean of all customers'. One read of the
    roster; customers in the trash are left out.
    """
    _, warnings, _ = read(Input, given)
    bands, words = Tally(), Tally(revenue=dict.fromkeys(WORDS, 0))
    known: Counter[tuple[int, int]] = Counter()
    for customer in context.customers.roster(context.tenant):
        if customer.deleted_at is None:
            score, band = context.published(customer)
            bands.add(customer, score, band)
            words.add(customer, score, word_of(score))
            known[_known(context, customer)] += 1
    customers = bands.counts.total()
    return {
        "action": "get_health_summary",
        "data": {
            "as_of": iso(context.now),
            "customers": customers,
            "scored": bands.scores.total(),
            "unscored": customers - bands.scores.total(),
            "average_score": _average(bands),
            "median_score": median(bands.scores),
            "coverage": _mean(known),
            "mrr": parse_number(sum(bands.revenue.values())),
            "statuses": _spread(words, WORDS),
            "bands": _spread(bands, STATUSES),
        },
        "warnings": warnings,
    }


def _known(context: Context, customer: Customer) -> tuple[int, int]:
    """Return how much of the weight has a value, and all of it."""
    model = context.model_of(customer.model_version)
    values = customer.taken(model, local_day(context.now, zone(model.time_zone)))
    return known_weight(model, customer.profile(model), values)


def _mean(known: Counter[tuple[int, int]]) -> Number | None:
    if not known:
        return None
    total = sum(
        (Fraction(present, of) * count for (present, of), count in known.items() if of),
        Fraction(0),
    )
    mean = total / known.total()
    return published_ratio(mean.numerator, mean.denominator)


def _average(tally: Tally) -> Number | None:
    """Return the mean of the scores to one decimal, halves up."""
    scored = tally.scores.total()
    return published_ratio(round_half_up(tally.total * 10, scored), 10) if scored else None


def median(scores: Counter[int]) -> Number | None:
    """Return the middle of *scores*, given with how often each is there; of an even number of
    them the mean of the two in the middle. None of none.
    """
    count = scores.total()
    if not count:
        return None
    middle = ((count - 1) // 2, count // 2)
    found: list[int] = []
    seen = 0
    for score in sorted(scores):
        seen += scores[score]
        found += [score] * (sum(place < seen for place in middle) - len(found))
    return published_ratio(sum(found), 2)


def _spread(tally: Tally, names: tuple[str, ...]) -> dict[str, Any]:
    counts = [tally.counts[name] for name in names]
    revenue = [tally.revenue[name] for name in names]
    cents = [int(Fraction(*ratio(each)) * 100) for each in revenue]
    rows = zip(names, counts, shares(counts), revenue, shares(cents), strict=True)
    return {
        name: {"customers": count, "share": share, "mrr": mrr, "mrr_share": mrr_share}
        for name, count, share, mrr, mrr_share in rows
    }


def list_at_risk(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return one page of the customers whose score is under a threshold, the lowest first.

    With `since`, only those whose score was at it or above at some time since then, each with when
    it last fell under it (PE-013, AMB-42). Reads the roster; with `since` 1 query more for each
    customer that may have fallen. All pages are as of the first one's instant. Raises
    ValidationError, InvalidCursorError.
    """
    parsed, warnings, _ = read(AtRiskInput, given)
    query = digest("at_risk", parsed.threshold, _iso_or_none(parsed.since), parsed.owner_id)
    place = _place(parsed.cursor, query) if parsed.cursor else None
    if place is not None:
        context = replace(context, now=place[2])
    since = _since(context, parsed.since)
    listing = Listing(sort="score", descending=False, managers=parsed.owner_id)
    rows = ordered(list(_under(context, listing, parsed.threshold)), listing)
    if place is not None:
        rows = [row for row in rows if comes_after(row, listing, place[0], place[1])]
    falls = (_fallen(context, row, parsed.threshold, since) for row in rows)
    page = filled(
        falls,
        parsed.limit,
        lambda each: _shown(context, each),
        lambda each: since is None or each.crossed_at is not None,
        (lambda: True) if since is None else context.has_time,
    )
    last = page.last.row if page.last else None
    behind = None
    if last is not None:
        behind = cursor(query, (last.score, last.customer.id, context.now))
    return {
        "action": "list_at_risk",
        "data": page.shown,
        "has_more": behind is not None,
        "next_cursor": behind,
        "limit": parsed.limit,
        "offset": 0,
        "as_of": iso(context.now),
        "threshold": parsed.threshold,
        "warnings": warnings,
        "shape": parsed.shape,
    }


def _iso_or_none(given: date | datetime | None) -> str | None:
    """Return how *given* is told apart from another day or instant."""
    return given.isoformat() if given else None


def _place(given: str, query: str) -> tuple[int, str, datetime]:
    score, customer_id, as_of = place_of(given, query, int, str, str)
    try:
        if len(customer_id) > LONGEST_ID:
            raise ValueError("no id is so long")
        return score, customer_id, parse_instant(as_of)
    except ValueError:
        raise InvalidCursorError("cursor was not issued here: start without one") from None


def _since(context: Context, given: date | datetime | None) -> datetime | None:
    if given is None:
        return None
    since = given if isinstance(given, datetime) else start_of(given, context.where)
    if context.now - since > timedelta(days=LONGEST):
        message = f"must be at most {LONGEST} days ago"
        raise ValidationError([FieldError("since", "out_of_range", message)])
    return since


def _under(context: Context, listing: Listing, threshold: int) -> Iterator[Row]:
    today = context.moment.today
    for customer in context.customers.roster(context.tenant):
        row = Row(customer, *context.published(customer))
        if row.score is not None and row.score < threshold and matches(row, listing, today):
            yield row


def _fallen(context: Context, row: Row, threshold: int, since: datetime | None) -> Fallen:
    """Return *row* with its last fall under *threshold*, if that was after *since*."""
    customer = row.customer
    if since is None:
        return Fallen(row)
    if customer.score is not None and customer.score >= threshold:
        # Time alone took it there, and no change has published that yet.
        return Fallen(row, _turned(context, customer, threshold, since), customer.score)
    if customer.score_changed_at is None or customer.score_changed_at < since:
        return Fallen(row)
    crossed = None
    for change in context.customers.history(
        context.tenant, customer.id, before_version=customer.version + 1, page=_READ_AHEAD
    ):
        if change.at < since:
            break
        if change.score_after is not None and change.score_before != change.score_after:
            crossed = change.at
        if change.score_before is not None and change.score_before >= threshold:
            return Fallen(row, crossed, change.score_before)
    return Fallen(row)


def _turned(
    context: Context, customer: Customer, threshold: int, since: datetime
) -> datetime | None:
    """Return when time alone took *customer* under *threshold* after *since*, if it did then."""
    model = context.model_of(customer.model_version)
    where = zone(model.time_zone)
    begun = max(since, customer.updated_at)

    def is_under(at: datetime) -> bool:
        score, _ = customer.published_at(model, at, where)
        return score is not None and score < threshold

    if is_under(begun):
        return None
    day = local_day(begun, where)
    ends = customer.override.expires_at if customer.override else None
    turns = [
        start_of(day + timedelta(days=number), where)
        for number in range(1, (local_day(context.now, where) - day).days + 1)
    ]
    instants = sorted([*turns, *([ends] if ends else [])])
    return next((at for at in instants if begun < at <= context.now and is_under(at)), None)


def _shown(context: Context, fallen: Fallen) -> dict[str, Any]:
    return context.view(fallen.row.customer, whole=False) | {
        "crossed_at": iso(fallen.crossed_at) if fallen.crossed_at else None,
        "score_before": fallen.score_before,
    }
