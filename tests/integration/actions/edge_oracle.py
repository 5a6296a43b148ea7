"""The edges once more, slow and plain: levels by rule, after every write and at every midnight."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.unit import oracle

from vitals.domain.customer import Customer
from vitals.domain.model_document import DEFAULT_MODEL

Facts = dict[str, Any]
DAY = timedelta(days=1)
AT_RISK = ("critical", "at_risk")
OVERDUE = {tier: given["overdue"] for tier, given in DEFAULT_MODEL["cadence"].items()}


@dataclass(frozen=True)
class Look:
    """What one rule looks for: its level of the facts, and when it may tell."""

    level: Callable[[Facts], Any]
    manager: str | None = None
    rearm: int | None = None
    cooldown: timedelta = timedelta()
    once: bool = False
    """A level that was told of is not told of again, ever."""
    moves: bool = False
    """Only a change of the stage itself is news."""
    improves: tuple[Any, Any] | None = None


def below(limit: int) -> Callable[[Facts], Any]:
    return lambda facts: (facts["score"] is not None and facts["score"] < limit) or None


def renewal(days: int) -> Callable[[Facts], Any]:
    def level(facts: Facts) -> Any:
        left = facts["renewal_in"]
        return facts["renewal_date"] if left is not None and 0 <= left <= days else None

    return level


def quiet(limit: Callable[[Facts], int]) -> Callable[[Facts], Any]:
    return lambda facts: facts["contacted"] if facts["quiet"] > limit(facts) else None


def detractor(facts: Facts) -> Any:
    nps = facts["nps"]
    return (nps is not None and nps < 7) or None


def stage(facts: Facts) -> Any:
    return facts["lifecycle"] if facts["lifecycle"] in ("atrisk", "churned") else None


def dropped(points: int) -> Callable[[Facts], Any]:
    def level(facts: Facts) -> Any:
        if facts["score"] is None or facts["top"] is None:
            return None
        return (facts["top"] - facts["score"] > points) or None

    return level


def custom(facts: Facts) -> Any:
    left = facts["renewal_in"]
    low = facts["score"] is not None and facts["score"] < 60
    soon = left is not None and 0 <= left <= 60
    return (low and facts["tier"] == "enterprise" and soon) or None


LOOKS: Mapping[str, tuple[tuple[str, Look], ...]] = {
    "below": (("health_below_threshold", Look(below(50))),),
    "rearmed": (("health_below_threshold", Look(below(50), rearm=60)),),
    "at risk": (
        (
            "account_at_risk",
            Look(
                lambda facts: facts["status"] if facts["status"] in AT_RISK else None,
                improves=AT_RISK,
            ),
        ),
    ),
    "renewal": (("renewal_approaching", Look(renewal(30), once=True)),),
    "quiet": (("no_contact", Look(quiet(lambda _: 14), once=True)),),
    "cadence": (
        ("no_contact", Look(quiet(lambda facts: OVERDUE[facts["tier"] or "mid"] - 1), once=True)),
    ),
    "unhappy": (("nps_detractor", Look(detractor)),),
    "stage": (("lifecycle_change", Look(stage, moves=True)),),
    "drop": (("rapid_score_drop", Look(dropped(15))),),
    "custom": (("condition", Look(custom)),),
    "of Ana": (
        ("health_below_threshold", Look(below(50), manager="ana")),
        ("lifecycle_change", Look(stage, manager="ana", moves=True)),
        ("no_contact", Look(quiet(lambda _: 10), manager="ana", once=True)),
    ),
    "rearmed for Ana": (("health_below_threshold", Look(below(50), manager="ana", rearm=60)),),
    "cooling": (
        ("health_below_threshold", Look(below(55), cooldown=timedelta(hours=60))),
        ("no_contact", Look(quiet(lambda _: 5), cooldown=timedelta(hours=60), once=True)),
    ),
}
"""By the name of the rule: each of its events."""

Told = tuple[str, str, str, datetime]
"""Rule, event, customer, instant."""


@dataclass
class Known:
    """What is known of one customer."""

    customer: Customer
    at: datetime
    levels: dict[tuple[str, str], Any] = field(default_factory=dict)
    stage: str | None = None
    scores: list[tuple[date, int | None]] = field(default_factory=list)
    told: set[tuple[str, str, Any]] = field(default_factory=set)
    disarmed: set[tuple[str, str]] = field(default_factory=set)
    last: dict[str, datetime] = field(default_factory=dict)


@dataclass
class Oracle:
    """All alerts that there must be, and which of them are still open."""

    zone: str
    rules: frozenset[str] = frozenset(LOOKS)
    known: dict[str, Known] = field(default_factory=dict)
    alerts: set[Told] = field(default_factory=set)
    open: set[Told] = field(default_factory=set)

    def wrote(self, customer: Customer) -> None:
        """A version of a customer was written."""
        at = customer.updated_at
        known = self.known.get(customer.id)
        if known is None or known.customer.deleted_at is not None:
            known = known or Known(customer, at)
            self.known[customer.id] = known
            known.levels, known.stage = {}, None
            known.disarmed.clear()
            self._publish(known, customer)
            self._look(known, at, customer.score, customer.status, new=True)
            return
        if customer.deleted_at is not None:
            known.customer, known.at = customer, at
            self.open = {each for each in self.open if each[2] != customer.id}
            return
        self.pass_time(customer.id, at)
        just_before = max(known.at, at - timedelta(milliseconds=1))
        self._look(known, just_before, *self._scored(known.customer, just_before))
        self._publish(known, customer)
        self._look(known, at, customer.score, customer.status)

    def pass_time(self, customer_id: str, until: datetime) -> None:
        """Look at a customer at each midnight up to an instant."""
        known = self.known[customer_id]
        if known.customer.deleted_at is None:
            for midnight in self._midnights(known.at, until):
                self._look(known, midnight, *self._scored(known.customer, midnight))

    def _publish(self, known: Known, customer: Customer) -> None:
        known.customer = customer
        known.scores.append((self._day(customer.updated_at), customer.score))

    def _scored(self, customer: Customer, at: datetime) -> tuple[int | None, str]:
        override = customer.override
        if override is not None and (override.expires_at is None or override.expires_at > at):
            return override.value, oracle.band(DEFAULT_MODEL, override.value)
        values = dict(customer.signals)
        if customer.last_contact_on is not None:
            values["days"] = max(0, (self._day(at) - customer.last_contact_on).days)
        found = oracle.score(DEFAULT_MODEL, None, values)
        return found.value, found.band

    def _look(
        self, known: Known, at: datetime, score: int | None, status: str, *, new: bool = False
    ) -> None:
        facts = self._facts(known, at, score, status)
        is_moved = not new and known.stage != facts["lifecycle"]
        for rule in self.rules:
            looks = LOOKS[rule]
            news = []
            for event, look in looks:
                level = self._edge(known, (rule, event), look, facts, at)
                if level is not None and (is_moved or not look.moves):
                    news.append((event, level))
            if news and not self._is_cooling(known, rule, looks[0][1], at):
                self._tell(known, rule, news, at)
            for event, look in looks:
                if look.rearm is not None and score is not None and score >= look.rearm:
                    known.disarmed.discard((rule, event))
        known.at, known.stage = at, facts["lifecycle"]

    def _edge(
        self, known: Known, key: tuple[str, str], look: Look, facts: Facts, at: datetime
    ) -> Any:
        """Return the level that began, or None; what ceased is closed."""
        in_scope = look.manager in (None, facts["manager"])
        level, old = look.level(facts) if in_scope else None, known.levels.get(key)
        known.levels[key] = level
        if not in_scope:
            known.disarmed.discard(key)
        is_edge = level not in (None, old) and (old, level) != look.improves
        if old is not None and (is_edge or level is None):
            self._close(*key, known.customer.id, at)
        is_told = key in known.disarmed or (look.once and (*key, level) in known.told)
        return level if is_edge and not is_told else None

    def _tell(self, known: Known, rule: str, news: list[tuple[str, Any]], at: datetime) -> None:
        known.last[rule] = at
        for event, level in news:
            known.told.add((rule, event, level))
            known.disarmed |= {(rule, event)} if dict(LOOKS[rule])[event].rearm else set()
            told = (rule, event, known.customer.id, at)
            self.alerts.add(told)
            self.open.add(told)

    def _facts(self, known: Known, at: datetime, score: int | None, status: str) -> Facts:
        customer, today = known.customer, self._day(at)
        contacted = customer.last_contact_on or self._day(customer.created_at)
        before = [value for day, value in known.scores if day < today - 7 * DAY]
        since = [value for day, value in known.scores if day >= today - 7 * DAY]
        tops = [value for value in (*before[-1:], *since) if value is not None]
        return {
            "score": score,
            "status": status,
            "lifecycle": customer.lifecycle,
            "tier": customer.tier,
            "manager": (customer.manager or "").casefold(),
            "nps": customer.signals.get("nps"),
            "renewal_date": customer.renewal_date,
            "renewal_in": (customer.renewal_date - today).days if customer.renewal_date else None,
            "contacted": contacted,
            "quiet": (today - contacted).days,
            "top": max(tops, default=None),
        }

    @staticmethod
    def _is_cooling(known: Known, rule: str, look: Look, at: datetime) -> bool:
        last = known.last.get(rule)
        return last is not None and at - last < look.cooldown

    def _close(self, rule: str, event: str, customer_id: str, at: datetime) -> None:
        over = {each for each in self.open if each[:3] == (rule, event, customer_id)}
        self.open -= {each for each in over if each[3] < at}

    def _day(self, at: datetime) -> date:
        return at.astimezone(ZoneInfo(self.zone)).date()

    def _midnights(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Every first instant of a local day, found by walking in quarters of an hour."""
        day = self._day(after) + DAY
        while True:
            at = datetime.combine(day, time(), UTC) - timedelta(hours=15)
            while self._day(at) < day:
                at += timedelta(minutes=15)
            if at > until:
                return
            if at > after:
                yield at
            day += DAY
