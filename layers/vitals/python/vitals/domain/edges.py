"""Edges: which rules hold now and did not hold before (AMB-08, AMB-09).

A customer is evaluated from one version to the next: first the midnights between them, at which
time alone may have made something true, then the write. Whoever is not written is evaluated at
midnight by the daily pass. Both give an edge of time the same key, so that it is one alert
whichever finds it first (docs/decisions/0011).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache

from vitals.domain.customer import Customer
from vitals.domain.instants import local_day, start_of, zone
from vitals.domain.model import ScoringModel
from vitals.domain.rule import DROP, FALLING, LIFECYCLE, NO_CONTACT, RENEWAL, Level, Rule, Trigger
from vitals.domain.standing import Standing

LONGEST = timedelta(days=31)
"""A write looks no further back for what time alone made true: every day is passed by then."""
_MOMENT = timedelta(milliseconds=1)
_TIMED = frozenset({RENEWAL, NO_CONTACT, DROP, FALLING})
_TIMED_FIELDS = frozenset({"days_since_contact", "momentum", "cadence_status", "renewal_within"})

ModelOf = Callable[[int], ScoringModel]


@dataclass(frozen=True, slots=True)
class Step:
    """From one standing (None: none) to the next; *key* is the day at midnight, else the change."""

    before: Standing | None
    after: Standing
    key: str


@dataclass(frozen=True, slots=True)
class Fired:
    """One trigger of *rule* that began to hold; *key* tells this occurrence from every other."""

    rule: Rule
    trigger: Trigger
    key: str
    before: Standing | None
    after: Standing

    @property
    def is_initial(self) -> bool:
        """Tell whether there was no score before (AMB-09)."""
        return self.before is None or self.before.published[0] is None


@dataclass(frozen=True, slots=True)
class Cleared:
    """One trigger of *rule* that holds no more of a customer, since *at*."""

    rule: Rule
    trigger: Trigger
    customer_id: str
    at: datetime


def written(before: Customer | None, after: Customer, model_of: ModelOf) -> list[Step]:
    """Return the steps of one write: the time since the version before, then the write itself."""
    at = after.updated_at
    now = Standing(after, model_of(after.model_version), at, stored=True)
    if before is None or before.deleted_at is not None:
        # Whoever comes back from the trash is looked at as if it were new.
        return [Step(None, now, after.change_id)]
    model = model_of(before.model_version)
    steps = passed(before, model, at - LONGEST, at)
    last = steps[-1].after if steps else _published(before, model, at - LONGEST)
    # An override that expired since midnight is found by no midnight. The day may have had such an
    # edge before, so the key is the write's; the moment before it, or what the write ends at once
    # would stay open.
    stood = Standing(before, model, max(last.at, at - _MOMENT))
    since = Step(last, stood, f"{after.change_id}:before")
    return [*steps, since, Step(stood, now, after.change_id)]


def passed(
    customer: Customer,
    model: ScoringModel,
    since: datetime,
    until: datetime,
    *,
    stood_still: bool = False,
) -> list[Step]:
    """Return a step to each of the customer's midnights behind *since*, up to *until*.

    What stood before the first is what was last published; *stood_still*: so is what stands after
    the last.
    """
    steps: list[Step] = []
    last = _published(customer, model, since)
    midnights = _midnights(last.at, until, model.time_zone)
    for midnight in midnights:
        same = stood_still and midnight == midnights[-1]
        standing = Standing(customer, model, midnight, stored=same)
        steps.append(Step(last, standing, standing.today.isoformat()))
        last = standing
    return steps


def rezoned(
    before: Customer, after: Customer, change_id: str, at: datetime, model_of: ModelOf
) -> list[Step]:
    """Return the step of a new time zone that nobody saw: a day that it skips has no midnight."""
    old, new = model_of(before.model_version), model_of(after.model_version)
    if old.time_zone == new.time_zone:
        return []
    return [Step(Standing(before, old, at), Standing(after, new, at), change_id)]


def timed(rules: Iterable[Rule]) -> list[Rule]:
    """Return *rules* with those triggers alone that time can move while a score stands still."""
    found = []
    for rule in rules:
        triggers = tuple(filter(_is_timed, rule.triggers))
        if triggers and rule.enabled:
            found.append(replace(rule, triggers=triggers))
    return found


def _is_timed(trigger: Trigger) -> bool:
    fields = trigger.condition.fields if trigger.condition else frozenset()
    return trigger.event in _TIMED or not fields.isdisjoint(_TIMED_FIELDS)


def edges(rules: Sequence[Rule], steps: Iterable[Step]) -> tuple[list[Fired], list[Cleared]]:
    """Return what began and what ceased to hold on *steps*, in their order.

    A disabled rule looks at nothing, an enabled one at nothing from before it was.
    """
    fired, cleared = [], []
    for step in steps:
        before, after = step.before, step.after
        same = before is not None and before.customer is after.customer
        for rule in rules:
            if not rule.enabled or after.at < rule.enabled_at:
                continue
            is_now = rule.is_for(after.customer.manager)
            was = is_now if same else before is not None and rule.is_for(before.customer.manager)
            if not (was or is_now):
                continue
            for trigger in rule.triggers:
                old = trigger.level(before) if was and before else None
                new = trigger.level(after) if is_now else None
                if old == new:
                    continue
                is_edge = trigger.is_edge(old, new)
                if old is not None and (is_edge or new is None):
                    cleared.append(Cleared(rule, trigger, after.customer.id, after.at))
                if is_edge and (trigger.event != LIFECYCLE or _has_moved(before, after)):
                    fired.append(Fired(rule, trigger, _key(trigger, new, step), before, after))
    return fired, cleared


def _has_moved(before: Standing | None, after: Standing) -> bool:
    """Tell whether the stage itself changed: not for who is new to a rule."""
    return before is not None and before.customer.lifecycle != after.customer.lifecycle


def _key(trigger: Trigger, level: Level, step: Step) -> str:
    """Return what is the same whenever this occurrence is found, and never again after it."""
    if trigger.event == RENEWAL:
        within, day = level
        return f"{within}:{day.isoformat()}"
    if trigger.event == NO_CONTACT:
        return str(level.isoformat())
    return step.key


def _published(customer: Customer, model: ScoringModel, since: datetime) -> Standing:
    return Standing(customer, model, max(customer.updated_at, since), stored=True)


# The daily pass asks for the same midnights again and again.
@lru_cache(maxsize=64)
def _midnights(after: datetime, until: datetime, time_zone: str) -> tuple[datetime, ...]:
    return tuple(_midnights_between(after, until, zone(time_zone)))


def _midnights_between(after: datetime, until: datetime, where: tzinfo) -> Iterator[datetime]:
    day = local_day(after, where)
    while True:
        day += timedelta(days=1)
        midnight = start_of(day, where)
        if midnight > until:
            return
        if midnight > after:
            yield midnight
