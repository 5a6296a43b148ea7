"""A year of each company, day by day: what its CRM, its product and its managers report."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from random import Random
from typing import Any

from local.demo.portfolio import (
    CHURNED,
    FADING,
    GROWING,
    MANAGERS,
    RESCUED,
    STABLE,
    YEAR,
    Company,
)

Record = dict[str, Any]
Write = tuple[str, Record]
"""An action and what it is called with."""

_EVERY = {"enterprise": 13, "mid": 27, "smb": 52}  # days from contact to contact
_NOTED = {"enterprise"}  # who logs each contact with what came of it
_BUSY = MANAGERS[-1]  # calls half as often as the others
_CHANNELS = ("call", "call", "email", "email", "meeting")
_NOTES = (
    "Went through open questions.",
    "Quarterly review with their team.",
    "Showed the new dashboards.",
    "They plan to roll out to a second site.",
    "Talked about the renewal.",
    "Training for new colleagues.",
)
_RESCUE_NOTES = ("Recovery plan agreed.", "Weekly check-in on the recovery plan.")
_SYNC = {"enterprise": 7, "mid": 14, "smb": 14}  # days from one report of its use to the next
_TOLD = 21  # days until somebody says how an account is going to grow
_SLIDE = 90  # days from the turn to the bottom
_SURVEY = 182  # days from survey to survey
_SETTLED = 30  # days until a new customer is on board
_ANSWERS = 3  # of four surveys


def year_of(companies: Iterable[Company], first: date, days: int = YEAR) -> list[list[Write]]:
    """Return the writes of each of *days* days from the *first*, the nightly batch first.

    The batch holds what is known of a company that day in one record.
    """
    batches: list[dict[int, Record]] = [defaultdict(dict) for _ in range(days)]
    singles: list[list[Write]] = [[] for _ in range(days)]
    for company in companies:
        for day, record in _records(company, first, days):
            batches[day][company.number] |= {"external_id": company.external_id, **record}
        for day, (action, data) in _answers(company, days):
            singles[day].append((action, {"external_id": company.external_id, **data}))
        for day, contact in _contacts(company, days):
            data = {"external_id": company.external_id, **contact}
            if company.tier in _NOTED:
                singles[day].append(("log_contact", data))
            else:
                # Of the others the CRM's sync tells that there was one.
                batches[day][company.number] |= {
                    "external_id": company.external_id,
                    "last_contact_date": (first + timedelta(days=day)).isoformat(),
                }
    return [
        [("batch_upsert", {"customers": list(batch.values())}), *writes] if batch else writes
        for batch, writes in zip(batches, singles, strict=True)
    ]


def vigour(company: Company, day: int) -> int:
    """Return how much of the product *company* uses on *day*, 0 to 100, but for what is chance."""
    if company.archetype == STABLE:
        return company.vigour
    if company.archetype == GROWING:
        return min(96, company.vigour + day * 40 // YEAR)
    since = max(day - company.turns, 0)
    bottom = 18 + company.number % 3 * 9
    fallen = min(since, _SLIDE) * (company.vigour - bottom) // _SLIDE
    back = min(max(since - _SLIDE - 20, 0) // 2, 55) if company.archetype == RESCUED else 0
    return company.vigour - fallen + back


def usage(company: Company, day: int, chance: Random) -> Record:
    """Return what the product reports of *company* on *day*."""
    level = vigour(company, day)
    return {
        "logins": _within(level * 30 // 100 + chance.randint(-2, 2), 30),
        "adoption": _within(level + chance.randint(-4, 4), 100),
        "tickets": max(0, (82 - level) // 18 + chance.choice((-1, 0, 0, 0, 1))),
    }


def _records(company: Company, first: date, days: int) -> Iterator[tuple[int, Record]]:
    """Yield (day, record) of what the CRM and the product report of *company*."""
    chance = company.chance("use")
    end = days if company.leaves is None else min(company.leaves, days)
    if company.joins >= days:
        return
    yield company.joins, _introduced(company, first)
    yield company.joins, usage(company, company.joins, chance)
    if company.joins:
        yield from _below(days, company.joins + _SETTLED, {"lifecycle": "active"})
    pause = _SYNC[company.tier]
    for day in range(company.number % pause, end, pause):
        if day > company.joins:
            yield day, usage(company, day, chance)
    told = max(company.turns, company.joins) + _TOLD
    yield from _below(end, told, {"growth": _outlook(company)})
    if company.archetype == CHURNED:
        gone = {"lifecycle": "churned", "note": "Did not renew.", "renewal_date": None}
        yield from _below(days, company.renews, gone)
    elif company.renews > company.joins:
        # The contract is signed some days late, now and then.
        late = chance.choice((0, 0, 0, 2, 6))
        yield from _below(days, company.renews + late, _renewed(company, first, chance))


def _introduced(company: Company, first: date) -> Record:
    """Return the company as the CRM knows it when it comes."""
    chance = company.chance("first")
    renewal = first + timedelta(days=company.renews)
    is_new = company.joins > 0
    found: Record = {
        "name": company.name,
        "tier": company.tier,
        "manager": company.manager,
        "tags": list(company.tags),
        "mrr": company.mrr,
        "since": company.since.isoformat(),
        "renewal_date": (_year_after(renewal) if is_new else renewal).isoformat(),
        "last_contact_date": (
            first + timedelta(days=company.joins - (0 if is_new else chance.randrange(25)))
        ).isoformat(),
        "growth": "mild" if company.vigour > chance.randint(50, 80) else "none",
    }
    if is_new:
        return found | {"lifecycle": "onboarding"}
    return found | {"nps": _opinion(company, 0, chance)}


def _renewed(company: Company, first: date, chance: Random) -> Record:
    percent = {GROWING: (104, 125), FADING: (80, 97)}.get(company.archetype, (100, 106))
    return {
        "renewal_date": _year_after(first + timedelta(days=company.renews)).isoformat(),
        "mrr": company.mrr * chance.randint(*percent) // 100,
    }


def _contacts(company: Company, days: int) -> Iterator[tuple[int, Record]]:
    """Yield (day, contact) by the tier's cadence, if somebody has the time."""
    chance = company.chance("contacts")
    end = days if company.leaves is None else min(company.leaves, days)
    day = company.joins + chance.randrange(1, _EVERY[company.tier])
    while day < end:
        is_fading = company.archetype in {FADING, CHURNED} and day > company.turns
        is_rescue = company.archetype == RESCUED and day > company.turns + _SLIDE
        yield (
            day,
            {
                "channel": chance.choice(_CHANNELS),
                "who": company.manager,
                "note": chance.choice(_RESCUE_NOTES if is_rescue else _NOTES),
            },
        )
        pause = _EVERY[company.tier] * chance.randint(70, 130) // 100
        day += pause * (2 if is_fading or company.manager == _BUSY else 1) // (1 + is_rescue)


def _answers(company: Company, days: int) -> Iterator[tuple[int, Write]]:
    """Yield (day, write) of each survey that somebody answers."""
    chance = company.chance("surveys")
    end = days if company.leaves is None else min(company.leaves, days)
    for day in range(company.joins + chance.randint(10, _SURVEY), end, _SURVEY):
        field, value = "nps", _opinion(company, day, chance)
        if chance.randrange(4) >= _ANSWERS:
            field, value = "csat", 1 + value * 4 // 10
        yield day, ("update_health", {"field": field, "value": value})


def _opinion(company: Company, day: int, chance: Random) -> int:
    return _within(vigour(company, day) // 11 + 2 + chance.choice((-1, 0, 0, 1)), 10)


def _outlook(company: Company) -> str:
    return {GROWING: "strong", RESCUED: "mild", FADING: "none", CHURNED: "none"}.get(
        company.archetype, "mild"
    )


def _below(end: int, day: int, record: Mapping[str, Any]) -> Iterator[tuple[int, Record]]:
    if day < end:
        yield day, dict(record)


def _within(value: int, most: int) -> int:
    return min(max(value, 0), most)


def _year_after(day: date) -> date:
    return day + timedelta(days=YEAR)
