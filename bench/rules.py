"""Line 7: fifty rules over one write of a customer, over the same comparisons written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, timedelta
from functools import partial
from typing import Any

from bench.overnight import DAY, MODEL, ordinary
from bench.portfolio import MANAGERS, NOW, signals
from bench.report import Line
from bench.timing import compared

from vitals.domain.condition_text import parse
from vitals.domain.customer import Customer
from vitals.domain.edges import Step, edges
from vitals.domain.recent import Step as Moved
from vitals.domain.rule import (
    CONDITION,
    DETRACTOR,
    DETRACTOR_BELOW,
    DROP,
    HEALTH_BELOW,
    NO_CONTACT,
    RENEWAL,
    Rule,
    Trigger,
)
from vitals.domain.standing import DROP_DAYS, Standing

_AT = NOW + timedelta(hours=1)
_BELOW, _SCORES = (30, 40, 50, 60, 70), (20, 35, 45, 55, 65)
_SILENT, _RENEWALS = (7, 14, 30, 45, 60), (15, 30, 45, 60, 90)
_DROPS, _FALLS = (3, 5, 8, 12, 20), (1, 2, 4, 6, 10)
_TICKETS, _LOGINS, _AMOUNTS = (3, 4, 5, 6, 7), (2, 5, 8, 12, 18), (500, 2000, 5000, 9000, 15_000)

Write = tuple[Customer, Customer]


def line(count: int = 2000, runs: int = 15) -> list[Line]:
    """Return what fifty rules cost a write: half of them events, half of them conditions."""
    writes = [_write(number) for number in range(count)]
    rules = fifty()
    if evaluated(rules, writes) != by_hand(writes):
        raise AssertionError("the rules and the comparisons by hand do not agree")
    comparison = compared(partial(evaluated, rules, writes), partial(by_hand, writes), runs)
    ours, floor = comparison.per(count)
    return [
        Line(
            what="7. Fifty rules over a write",
            measured=f"{ours * 1e6:,.1f} µs ({len(rules) / ours:,.0f} evaluations/s)",
            floor=f"{floor * 1e6:,.1f} µs: comparisons by hand",
            ratio=comparison.ratio,
        )
    ]


def fifty() -> list[Rule]:
    """Return the rules: of each kind five that differ by their limit, a few of one's customers."""
    events = (
        *(Trigger(HEALTH_BELOW, limit) for limit in _BELOW),
        *(Trigger(NO_CONTACT, limit) for limit in _SILENT),
        *(Trigger(RENEWAL, limit) for limit in _RENEWALS),
        *(Trigger(DROP, limit) for limit in _DROPS),
    )
    texts = (
        *(f"health_score < {n} AND tier = 'enterprise' AND renewal_within <= 60" for n in _SCORES),
        *(f"tickets >= {n} OR nps <= 6" for n in _TICKETS),
        *(f"mrr >= {n} AND days_since_contact > 30" for n in _AMOUNTS),
        *(f"logins < {n} AND adoption < 40 AND lifecycle != 'churned'" for n in _LOGINS),
        *(f"tags has 'emea' AND momentum <= -{n}" for n in _FALLS),
    )
    conditions = (Trigger(CONDITION, condition=parse(text)) for text in texts)
    owned = [_rule(Trigger(DETRACTOR), frozenset({name.casefold()})) for name in MANAGERS]
    return [*map(_rule, events), *owned, *map(_rule, conditions)]


def _rule(trigger: Trigger, managers: frozenset[str] = frozenset()) -> Rule:
    since = NOW - DAY
    return Rule(
        id="R", tenant_id="T", name="R", triggers=(trigger,), enabled_at=since, managers=managers
    )


def _write(number: int) -> Write:
    """Return customer *number* before and after what a product reports of it."""
    before = ordinary(number)
    after = replace(before, signals=signals(number + 5), updated_at=_AT, version=before.version + 1)
    score, status = after.published_at(MODEL, _AT, UTC)
    moved = (*before.recent, (_AT.date(), score, score))
    return before, replace(after, score=score, status=status, score_changed_at=_AT, recent=moved)


def evaluated(rules: Sequence[Rule], writes: Sequence[Write]) -> int:
    """Return how often one of *rules* fired."""
    found = 0
    for before, after in writes:
        stood = Standing(before, MODEL, _AT, stored=True)
        fired, _ = edges(rules, [Step(stood, Standing(after, MODEL, _AT, stored=True), "key")])
        found += len(fired)
    return found


def by_hand(writes: Sequence[Write]) -> int:
    """Return the same without a rule."""
    today = _AT.date()
    found = 0
    for before, after in writes:
        held, holds = _held(_facts(before, today)), _held(_facts(after, today))
        found += sum(now and not was for was, now in zip(held, holds, strict=True))
    return found


@dataclass(slots=True)
class _Facts:
    customer: Customer
    silent: int
    renewal: int | None
    drop: int | None
    momentum: int | None


def _facts(customer: Customer, today: date) -> _Facts:
    contacted = customer.last_contact_on or customer.created_at.date()
    renewal = (customer.renewal_date - today).days if customer.renewal_date else None
    moved: Sequence[Moved] = customer.recent
    if not moved and customer.score_changed_at:
        moved = [(customer.score_changed_at.date(), customer.score, customer.score)]
    first = today - timedelta(days=DROP_DAYS)
    score, top, then = customer.score, None, None
    for day, high, last in moved:
        if day <= first:
            then = last
        if day < first:
            top = last
        elif high is not None and (top is None or high > top):
            top = high
    return _Facts(
        customer,
        (today - contacted).days,
        renewal if renewal is not None and renewal >= 0 else None,
        None if score is None or top is None else top - score,
        None if score is None or then is None else score - then,
    )


def _held(facts: _Facts) -> list[bool]:
    customer, renewal, drop, momentum = facts.customer, facts.renewal, facts.drop, facts.momentum
    score, manager = customer.score, (customer.manager or "").casefold()
    value: dict[str, Any] = dict(customer.signals)
    nps, tickets = value.get("nps"), value.get("tickets")
    logins, adoption = value.get("logins"), value.get("adoption")
    emea = "emea" in {tag.casefold() for tag in customer.tags}
    soon = customer.tier == "enterprise" and renewal is not None and renewal <= 60
    unhappy = nps is not None and nps < DETRACTOR_BELOW
    unused = adoption is not None and adoption < 40 and customer.lifecycle != "churned"
    return [
        *(score is not None and score < limit for limit in _BELOW),
        *(facts.silent > limit for limit in _SILENT),
        *(renewal is not None and renewal <= limit for limit in _RENEWALS),
        *(drop is not None and drop > limit for limit in _DROPS),
        *(unhappy and manager == name.casefold() for name in MANAGERS),
        *(score is not None and score < limit and soon for limit in _SCORES),
        *((tickets is not None and tickets >= limit) or unhappy for limit in _TICKETS),
        *(bool(customer.mrr and customer.mrr >= n and facts.silent > 30) for n in _AMOUNTS),
        *(logins is not None and logins < limit and unused for limit in _LOGINS),
        *(momentum is not None and momentum <= -limit and emea for limit in _FALLS),
    ]
