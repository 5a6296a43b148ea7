"""The invented portfolio: who the companies are, and how each of their years goes."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from local.demo.names import names

SEED = 20
YEAR = 365
TIERS = ("enterprise", "mid", "smb")
MANAGERS = (
    "Amara Osei", "Jonas Weidmann", "Sofia Lindqvist", "Théo Marchetti", "Priya Raman",
    "Marek Dvořák",
)  # fmt: skip
GROWING, STABLE, FADING, RESCUED, CHURNED = "growing", "stable", "fading", "rescued", "churned"
ARCHETYPES = (GROWING, STABLE, FADING, RESCUED, CHURNED)

_OF_TIERS = (12, 33, 55)  # percent
_OF_ARCHETYPES = (25, 42, 16, 9, 8)
_SEATS = {"enterprise": (120, 620), "mid": (30, 150), "smb": (5, 45)}
_PRICE = {"enterprise": 45, "mid": 39, "smb": 29}  # a month for each seat
_BOOKS = {  # how often each manager has an account of the tier
    "enterprise": (6, 5, 1, 0, 0, 0),
    "mid": (2, 2, 5, 4, 2, 1),
    "smb": (0, 0, 2, 4, 6, 6),
}
_REGIONS = ("dach", "nordics", "uk-ie", "france", "benelux", "apac")
_MARKS = ("reference", "multi-year", "analytics-addon", "api", "pilot")
_NEW = 15  # percent of those who grow or stay came during the year


@dataclass(frozen=True, slots=True)
class Company:
    """One customer of the demonstration. Days are counted from the first of the history.

    It *joins* on a day (0: it was there before); on another its use *turns*, as its *archetype*
    says; on a third it *renews*, or churns. *vigour* is its use at first, 0 to 100.
    """

    number: int
    name: str
    tier: str
    manager: str
    tags: tuple[str, ...]
    mrr: int
    since: date
    joins: int
    renews: int
    archetype: str
    turns: int
    vigour: int

    @property
    def external_id(self) -> str:
        """What the CRM calls it."""
        return f"crm-{self.number:04}"

    @property
    def leaves(self) -> int | None:
        """The day on which it is a customer no more."""
        return self.renews if self.archetype == CHURNED else None

    def chance(self, what: str) -> Random:
        """Return the company's own chance in *what*: the same in every run."""
        return seeded(f"{self.number} {what}")


def seeded(what: str) -> Random:
    """Return a source of chance for *what*: the same in every run."""
    return Random(f"{SEED} {what}")  # noqa: S311 - it has to be known beforehand, not secret


def portfolio(first: date, count: int = 200) -> tuple[Company, ...]:
    """Return *count* companies (up to names.MOST) whose history begins on the *first* day."""
    return tuple(
        _company(number, name, first)
        for number, name in enumerate(names(count, seeded("names")), start=1)
    )


def _company(number: int, name: str, first: date) -> Company:
    chance = seeded(f"company {number}")
    [tier] = chance.choices(TIERS, _OF_TIERS)
    [archetype] = chance.choices(ARCHETYPES, _OF_ARCHETYPES)
    [manager] = chance.choices(MANAGERS, _BOOKS[tier])
    seats = min(chance.randint(*_SEATS[tier]), chance.randint(*_SEATS[tier]))
    is_new = chance.randrange(100) < _NEW and archetype in {GROWING, STABLE}
    renews = chance.randint(70, YEAR - 10) if archetype == CHURNED else chance.randrange(YEAR)
    joins = renews if is_new else 0
    since = first + timedelta(days=renews)
    if not is_new:
        since = date(since.year - chance.choice((1, 1, 2, 2, 3, 4, 6)), since.month, 1)
        since += timedelta(days=chance.randrange(28))
        # Nobody was there before they came.
        since = min(since, first)
    return Company(
        number=number,
        name=name,
        tier=tier,
        manager=manager,
        tags=(chance.choice(_REGIONS), *chance.sample(_MARKS, chance.choice((0, 0, 1, 1, 2)))),
        mrr=seats * _PRICE[tier],
        since=since,
        joins=joins,
        renews=renews,
        archetype=archetype,
        turns=max(0, renews - chance.randint(80, 160))
        if archetype == CHURNED
        else chance.randint(60, 250),
        vigour=chance.randint(*_AT_FIRST[archetype]),
    )


_AT_FIRST = {
    GROWING: (45, 70),
    STABLE: (52, 92),
    FADING: (60, 85),
    RESCUED: (60, 80),
    CHURNED: (48, 70),
}
