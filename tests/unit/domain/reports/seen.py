"""Portfolios that Hypothesis draws, and what is to be seen in them, by plain loops over fractions.

The reports' figures are found here another way: from the customers themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st
from tests.builders import NOW, TODAY, a_document, a_model, an_id, customer_number
from tests.unit import oracle

from vitals.domain.customer import Customer, Override
from vitals.domain.reports.book import Account, Book, Filters
from vitals.domain.snapshot import Figures

DOCUMENTS = (
    a_document(),
    a_document(missing_policy="zero", low_confidence_below=Decimal("0.9")),
    a_document(
        bands={"critical": 0, "at_risk": 10, "watch": 35, "healthy": 55, "expansion": 70},
        quiet_after=10,
        momentum={"points": 3, "days": 7},
    ),
)
MODELS = tuple(a_model(**document) for document in DOCUMENTS)
THEN = date(2026, 2, 23)
CADENCE = {"enterprise": 21, "mid": 45, "smb": 90, None: 45}
FACTORS = ((30, "1"), (60, "0.7"), (90, "0.4"))


@dataclass(frozen=True)
class Seen:
    """One customer as the rules of the product say that it stands on TODAY."""

    customer: Customer
    document: Mapping[str, Any]
    score: int | None
    status: str
    was: int | None
    parts: Mapping[str, Fraction]
    low_confidence: bool

    @property
    def mrr(self) -> Fraction:
        return Fraction(self.customer.mrr or 0)

    @property
    def at_risk(self) -> bool:
        return self.status in ("critical", "at_risk")

    @property
    def days(self) -> int | None:
        day = self.customer.renewal_date
        return None if day is None else (day - TODAY).days

    @property
    def quiet(self) -> int:
        contacted = self.customer.last_contact_on or self.customer.created_at.date()
        return max(0, (TODAY - contacted).days)

    @property
    def overdue(self) -> bool:
        contacted = self.customer.last_contact_on or self.customer.created_at.date()
        return (TODAY - contacted).days >= CADENCE[self.customer.tier]

    @property
    def momentum(self) -> str:
        then = None
        for day, _, last in self.customer.recent:
            if day <= TODAY - timedelta(days=7):
                then = last
        if then is None or self.score is None:
            return "unknown"
        moved = self.score - then
        if abs(moved) < self.document["momentum"]["points"]:
            return "steady"
        return "rising" if moved > 0 else "falling"

    def priority(self, portfolio: Fraction) -> dict[str, Fraction] | None:
        """Return the priority and its parts, to eight decimals."""
        if self.score is None or not self.mrr:
            return None
        factor = Fraction("0.2")
        for window, own in reversed(FACTORS):
            if self.days is not None and self.days <= window:
                factor = Fraction(own)
        risk = Fraction(100 - self.score, 100)
        share = self.mrr / max(portfolio, self.mrr)
        return {
            "risk": risk,
            "revenue_share": eight(share),
            "renewal_factor": factor,
            "priority": eight(risk * share * factor),
        }

    @property
    def costs(self) -> dict[str, Fraction]:
        """Return what each signal takes from 100, exactly: its weight's worth less its part."""
        weights = {name: Fraction(of["weight"]) for name, of in self.document["signals"].items()}
        used = sum(weights[name] for name in self.parts)
        return {name: 100 * weights[name] / used - part for name, part in self.parts.items()}


def eight(value: Fraction) -> Fraction:
    return Fraction(round(value * 10**8), 10**8)


def four(value: Fraction) -> Fraction:
    return oracle.four_decimals(value)


def mean(seen: Iterable[Seen]) -> Fraction | None:
    scores = [each.score for each in seen if each.score is not None]
    return four(Fraction(sum(scores), len(scores))) if scores else None


def paid(seen: Iterable[Seen]) -> Fraction:
    return sum((each.mrr for each in seen), start=Fraction(0))


def percent(part: Fraction | int, whole: Fraction | int) -> Fraction | None:
    return four(Fraction(100) * part / whole) if whole else None


def urgency(seen: Iterable[Seen], portfolio: Fraction) -> list[Seen]:
    """Return *seen* by urgency: picked one after the other, whom nobody beats."""

    def key(each: Seen) -> tuple[Any, ...]:
        found = each.priority(portfolio)
        score = 101 if each.score is None else each.score
        order = (score, -each.mrr, each.customer.name, each.customer.id)
        return (-found["priority"] if found else Fraction(1), *order)

    left, found = list(seen), []
    while left:
        found.append(min(left, key=key))
        left.remove(found[-1])
    return found


def look(account: Account, scores_then: Mapping[str, int | None]) -> Seen:
    """Return what is to be seen of an account's customer."""
    customer = account.customer
    document = DOCUMENTS[MODELS.index(account.standing.model)]
    values = dict(customer.signals)
    if customer.last_contact_on is not None:
        values["days"] = max(0, (TODAY - customer.last_contact_on).days)
    scored = oracle.score(document, None, values)
    value = customer.override.value if customer.override else scored.value
    return Seen(
        customer=customer,
        document=document,
        score=value,
        status=oracle.band(document, value),
        was=scores_then.get(customer.id),
        parts=scored.parts,
        low_confidence=scored.low_confidence,
    )


def seen_in(book: Book) -> list[Seen]:
    """Return what is to be seen of every account of *book*."""
    return [look(each, book.scores_then) for each in book.accounts]


bounds = st.sampled_from([-1, 0, 1, 29, 30, 31, 60, 61, 90, 91])
days_around = st.none() | (bounds | st.integers(-20, 430)).map(
    lambda count: TODAY + timedelta(days=count)
)
contacts = st.none() | st.integers(-3, 100).map(lambda count: TODAY - timedelta(days=count))
recents = st.none() | st.tuples(st.integers(3, 15), st.none() | st.integers(0, 100))
signals = st.fixed_dictionaries(
    {},
    optional={
        "logins": st.sampled_from([0, 7, 15, 30, Decimal("3.3")]),
        "adoption": st.integers(0, 100),
        "tickets": st.integers(0, 6),
        "nps": st.integers(0, 10),
        "growth": st.sampled_from(["none", "mild", "strong"]),
    },
)


@st.composite
def customers(draw: st.DrawFn, number: int) -> Customer:
    """Draw one customer of a portfolio."""
    by_hand = draw(st.integers(0, 5)) == 0
    recent = draw(recents)
    steps = ((TODAY - timedelta(days=recent[0]), recent[1], recent[1]),) if recent else ()
    return customer_number(
        number,
        name=draw(st.sampled_from(["Acme", "Beta", "Ж" * 80, "Zulu"])),
        signals=draw(signals),
        last_contact_on=draw(contacts),
        override=Override(draw(st.integers(0, 100)), "key-1", NOW) if by_hand else None,
        recent=steps,
        mrr=draw(st.sampled_from([None, 0, 100, 100, 250, Decimal("99.9"), Decimal("0.1")])),
        arr=draw(st.sampled_from([None, 1200, Decimal("0.5")])),
        tier=draw(st.sampled_from([None, "smb", "mid", "enterprise"])),
        lifecycle=draw(st.sampled_from(["active", "active", "won", "trial", "paused", "churned"])),
        manager=draw(st.sampled_from([None, "Ada", "Ben"])),
        renewal_date=draw(days_around),
        created_at=NOW - timedelta(days=draw(st.integers(0, 120))),
        deleted_at=draw(st.sampled_from([None, None, None, NOW])),
    )


amounts = st.sampled_from([0, 100, Decimal("1234.56")])
figures = st.builds(
    Figures,
    customers=st.integers(0, 9),
    mrr=amounts,
    arr=amounts,
    scored=st.integers(0, 9),
    total=st.integers(0, 900),
    at_risk=st.integers(0, 9),
    at_risk_mrr=amounts,
)


@st.composite
def books(draw: st.DrawFn, *, most: int = 14) -> Book:
    """Draw a book: everybody scored by one model or another, with an earlier day or without."""
    count = draw(st.integers(0, most))
    drawn = [draw(customers(number)) for number in range(count)]
    known = draw(st.integers(0, 3)) > 0
    at_then = {
        an_id(number): draw(st.none() | st.integers(0, 100))
        for number in range(count + 2)
        if known and draw(st.integers(0, 3))
    }
    kept = [Filters(), Filters(), Filters(tiers=frozenset({"smb", "mid"}))]
    kept.append(Filters(lifecycles=frozenset({"active", "churned"})))
    model = draw(st.sampled_from(MODELS))
    book = Book(
        as_of=NOW,
        model=model,
        portfolio_mrr=sum((each.mrr or 0 for each in drawn), start=0),
        filters=draw(st.sampled_from(kept)),
        subject="Vitals Ltd",
        then=THEN if known else None,
        figures_then=draw(st.none() | figures) if known else None,
        scores_then=at_then,
    )
    for each in drawn:
        book.add(each, draw(st.sampled_from([model, MODELS[0]])))
    return book


def rows(view: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the rows of a document's table as JSON."""
    [table] = [each for each in view["sections"] if each["name"] == name]
    found: list[dict[str, Any]] = table["rows"]
    return found


def chart(view: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a document's chart as JSON."""
    [found] = [each for each in view["sections"] if each["name"] == name]
    assert found["section"] == "chart"
    return dict(found)


def kpis(view: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the key figures of a document, with what each was before."""
    [found] = [each for each in view["sections"] if each["section"] == "figures"]
    return {each["name"]: (each["value"], each["previous"]) for each in found["figures"]}


def kpis_expected(book: Book) -> dict[str, tuple[Any, Any]]:
    """Return the figures that stand beside those of an earlier day."""
    seen, then = seen_in(book), book.figures_then
    risky = [each for each in seen if each.at_risk]
    arr = sum((Fraction(each.customer.arr or 0) for each in seen), start=Fraction(0))
    average = four(Fraction(then.total, then.scored)) if then and then.scored else None
    return {
        "average_score": (mean(seen), average),
        "customers": (len(seen), then.customers if then else None),
        "mrr": (paid(seen), Fraction(then.mrr) if then else None),
        "arr": (arr, Fraction(then.arr) if then else None),
        "at_risk": (len(risky), then.at_risk if then else None),
        "revenue_at_risk": (paid(risky), Fraction(then.at_risk_mrr) if then else None),
    }


def calls_expected(book: Book, seen: Iterable[Seen]) -> list[dict[str, Any]]:
    """Return who is to be called first of *seen*: names, scores, and priorities with all parts."""
    portfolio = Fraction(book.portfolio_mrr)
    nothing = dict.fromkeys(("risk", "revenue_share", "renewal_factor", "priority"))
    return [
        {
            "name": each.customer.name,
            "manager": each.customer.manager,
            "score": each.score,
            "status": each.status,
            "mrr": each.customer.mrr,
            "days_until_renewal": each.days,
            **(each.priority(portfolio) or nothing),
        }
        for each in urgency(seen, portfolio)[:10]
    ]


def without(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}
