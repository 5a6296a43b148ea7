"""Accounts in the order in which to call them, and why: priority, lost points and reasons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from heapq import nlargest
from typing import Any, Final, NamedTuple

from vitals.domain.curves import Value
from vitals.domain.model import AT_RISK_BANDS, ScoringModel
from vitals.domain.numbers import (
    PUBLISHED,
    Number,
    Ratio,
    apportion,
    published,
    published_ratio,
)
from vitals.domain.operations import direction, renewal_factor
from vitals.domain.reports.book import Account, Book
from vitals.domain.scoring import counting, known_weight

FALLING: Final = "falling"
OVERDUE: Final = "overdue"
_SPOKEN: Final = {"nps": "NPS", "csat": "CSAT", "days": "days since contact"}
NAMED: Final = 2
"""So many of the signals that cost most are named as a reason."""

_NEAR = Decimal("2e-6")
"""Twice what rounding a priority to eight decimals moves it, times 100 (the risk as points)."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """An account and its priority with all parts (AMB-48), which is found once."""

    account: Account
    priority: Mapping[str, Any] | None


class Cost(NamedTuple):
    """What one signal takes from a score of 100: weight × (100 − points) / all weight.

    It takes *units* of 1/10,000. *value* is None where the model's missing policy gives the points.
    """

    units: int
    signal: str
    value: Value | None
    ratio: Ratio

    @property
    def lost(self) -> Number:
        """The points of the score that it takes, to four decimals."""
        return published(self.units)

    @property
    def points(self) -> Number:
        """The points of the signal itself, 0 to 100, to four decimals."""
        return published_ratio(*self.ratio)


def _most_first(cost: Cost) -> int:
    return -cost.units


def by_urgency(accounts: Iterable[Account]) -> list[Ranked]:
    """Return *accounts*, the most urgent first.

    That is: the highest priority (none comes last), then the lowest score (none comes last), the
    highest MRR, name and id.
    """
    return sorted((Ranked(each, each.priority) for each in accounts), key=_urgency)


def first_to_call(accounts: Sequence[Account], count: int, portfolio_mrr: Number) -> list[Ranked]:
    """Return the first *count* of `by_urgency`, without finding every account's priority."""
    if not 0 < count < len(accounts) or portfolio_mrr <= 0:
        return by_urgency(accounts)[:count]
    rough = [(each, _rough(each, portfolio_mrr)) for each in accounts]
    known = nlargest(count, (found for _, found in rough if found is not None))
    if len(known) < count:
        return by_urgency(accounts)[:count]
    # Two priorities may be equal once rounded: whoever is that near may come first.
    least = known[-1] - _NEAR * portfolio_mrr
    near = [each for each, found in rough if found is not None and found >= least]
    return by_urgency(near)[:count]


def low_first(account: Account) -> tuple[bool, int, Number, str, str]:
    """Return what sorts accounts by score, the lowest first, none last; then by MRR, name, id."""
    customer = account.customer
    score = account.score
    return score is None, score or 0, -account.mrr, customer.name, customer.id


def large_first(account: Account) -> tuple[Number, str, str]:
    """Return what sorts accounts by MRR, the highest first; then by name and id."""
    return -account.mrr, account.customer.name, account.customer.id


def largest(accounts: Sequence[Account]) -> list[Account]:
    """Return *accounts*, the highest MRR first."""
    return sorted(accounts, key=large_first)


def total_mrr(accounts: Sequence[Account]) -> Number:
    """Return what *accounts* pay."""
    return sum(account.mrr for account in accounts)


def newly_at_risk(book: Book) -> list[Account]:
    """Return those at risk whose score was known then, in a band that is not."""
    return [each for each in book.accounts if each.at_risk and _was_at_risk(book, each) is False]


def recovered(book: Book) -> list[Account]:
    """Return those whose score was in a band at risk then, and is in one that is not."""
    return [
        each
        for each in book.accounts
        if each.score is not None and not each.at_risk and _was_at_risk(book, each)
    ]


def _was_at_risk(book: Book, account: Account) -> bool | None:
    """Tell whether *account* was at risk then; None if it had no score."""
    was = account.was
    return None if was is None else book.band_then(was) in AT_RISK_BANDS


def percent(part: Number, whole: Number) -> Number | None:
    """Return *part* of *whole* in percent, to four decimals; None of nothing."""
    if not whole:
        return None
    top, bottom = Decimal(part).as_integer_ratio()
    whole_top, whole_bottom = Decimal(whole).as_integer_ratio()
    return published_ratio(100 * top * whole_bottom, bottom * whole_top)


def costs(account: Account) -> list[Cost]:
    """Return what each signal takes from the computed score, the most first, at four decimals.

    They sum to 100 − the exact score, rounded half-up; none without a computed score. A score set
    by hand changes nothing here.
    """
    standing = account.standing
    customer, model = account.customer, standing.model
    if account.score is None:
        return []
    if customer.override and customer.computed(model, standing.today).exact is None:
        return []
    values = customer.taken(model, standing.today)
    rows = list(counting(model, customer.profile(model), values))
    used, bottom = 0, 1
    for _, _, (_, denominator), weight in rows:
        used += weight
        bottom *= denominator
    parts = [weight * (100 * own - top) * (bottom // own) for _, _, (top, own), weight in rows]
    units = apportion(parts, bottom * used)
    found = [
        Cost(lost, name, value, points)
        for lost, (name, value, points, _) in zip(units, rows, strict=True)
    ]
    found.sort(key=_most_first)
    return found


def mean_costs(found: Iterable[Sequence[Cost]]) -> list[tuple[str, Number]]:
    """Return what each signal takes on the mean of the accounts with *found* costs, most first.

    An account that a signal does not weigh for counts as nothing lost by it.
    """
    units: dict[str, int] = {}
    count = 0
    for own in found:
        count += bool(own)
        for cost in own:
            units[cost.signal] = units.get(cost.signal, 0) + cost.units
    means = [(name, published_ratio(total, count * PUBLISHED)) for name, total in units.items()]
    return sorted(means, key=lambda mean: (-mean[1], mean[0]))


def momentum(account: Account) -> str:
    """Return rising, falling, steady or unknown: where the score goes (IQ-094)."""
    standing = account.standing
    return direction(standing.momentum, standing.model.momentum_points)


def is_low_confidence(account: Account) -> bool:
    """Tell whether less of the weight has a value than the model asks for to be confident."""
    standing = account.standing
    customer, model = account.customer, standing.model
    values = customer.taken(model, standing.today)
    present, total = known_weight(model, customer.profile(model), values)
    least, of = model.low_confidence_below.as_integer_ratio()
    return present * of < least * total


def reasons(account: Account, found: Sequence[Cost]) -> tuple[str, ...]:
    """Return in words why to call *account*, of whose signals *found* are the costs."""
    words = []
    if account.score is None:
        words.append("no score yet")
    elif account.customer.active_override(account.standing.at):
        words.append("score set by hand")
    weak = [_named(cost) for cost in found[:NAMED] if cost.units]
    if weak:
        words.append("held down by " + " and ".join(weak))
    if momentum(account) == FALLING:
        words.append(f"score fell in the last {account.standing.model.momentum_days} days")
    if account.cadence == OVERDUE:
        words.append("contact overdue")
    renewal = _renewal(account.renewal_in, account.standing.model)
    return (*words, renewal) if renewal else tuple(words)


def _renewal(days: int | None, model: ScoringModel) -> str | None:
    """Return the renewal's window, by which the priority's factor goes; None beyond the last."""
    if days is None:
        return None
    if days < 0:
        return "renewal overdue"
    window = next((window for window, _ in model.renewal_windows if days <= window), None)
    return None if window is None else f"renews within {window} days"


def _named(cost: Cost) -> str:
    name = _SPOKEN.get(cost.signal, cost.signal)
    return name if cost.value is not None else f"{name} (no value)"


def _urgency(ranked: Ranked) -> tuple[bool, Number, tuple[bool, int, Number, str, str]]:
    priority = ranked.priority
    score = -priority["score"] if priority else 0
    return priority is None, score, low_first(ranked.account)


def _rough(account: Account, portfolio_mrr: Number) -> Number | None:
    """Return the priority times 100 and *portfolio_mrr*, not rounded, at a fraction of the cost."""
    mrr, score = account.mrr, account.score
    if score is None or not mrr:
        return None
    factor = renewal_factor(account.standing.model, account.renewal_in)
    return (100 - score) * min(mrr, portfolio_mrr) * factor
