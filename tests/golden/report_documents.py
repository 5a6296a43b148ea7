"""The golden reports: an invented small portfolio, and its ten documents, written out as JSON.

`PYTHONPATH=layers/vitals/python .venv/bin/python -m tests.golden.report_documents` writes them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.builders import a_model, an_id

from vitals.domain.change import Change
from vitals.domain.customer import Customer, Override
from vitals.domain.instants import start_of, zone
from vitals.domain.model import CHURNED
from vitals.domain.mutation import Reason, settled
from vitals.domain.patch import Moment
from vitals.domain.reports.book import Book
from vitals.domain.reports.catalogue import BY_NAME, REPORTS, Report
from vitals.domain.reports.document import Document, document_view
from vitals.domain.reports.movement import movers
from vitals.domain.reports.score_changes import ScoreChanges
from vitals.domain.snapshot import Figures
from vitals.domain.standing import Standing

FOLDER = Path(__file__).parent / "reports"
WIDTH = 100
SENTENCE = 90
"""Text that is longer is no label."""
AS_OF = datetime(2026, 5, 4, 7, 30, tzinfo=UTC)
MODEL = a_model(time_zone="Europe/Berlin")
ZONE = zone("Europe/Berlin")
TODAY = date(2026, 5, 4)
LONG = "Gesellschaft für nachhaltige Lager-, Förder- und Verpackungstechnik Nordwest mbH"
ABOUT = "Nordlicht Reisen"
_SYNC = Reason(action="upsert_account")
_TURN = Reason(action="decay", cause="decay")


def _call(channel: str) -> Reason:
    return Reason(action="log_contact", cause="contact", contact={"channel": channel})


@dataclass(frozen=True)
class Step:
    """What became of a company *ago* days before, at ten in the morning there."""

    ago: int
    facts: Mapping[str, Any]
    reason: Reason = _SYNC


def _ago(days: int) -> date:
    return TODAY - timedelta(days=days)


COMPANIES: Mapping[str, tuple[Step, ...]] = {
    "Aurora Analytics": (
        Step(200, {"mrr": 8200, "arr": 98400, "tier": "enterprise", "manager": "Mara Lind",
                   "tags": ("vip", "emea"), "renewal_date": _ago(-41), "since": date(2024, 3, 1),
                   "last_contact_on": _ago(205),
                   "signals": {"logins": 28, "adoption": 88, "tickets": 0, "nps": 9,
                               "growth": "strong"}}),
        Step(60, {"last_contact_on": _ago(60)}, _call("call")),
        Step(3, {"last_contact_on": _ago(3)}, _call("meeting")),
    ),
    "Birke & Sohn": (
        Step(150, {"mrr": Decimal("450.50"), "tier": "smb", "manager": "Jonas Weber",
                   "tags": ("emea",), "renewal_date": _ago(12), "last_contact_on": _ago(150),
                   "signals": {"logins": 12, "adoption": 55, "tickets": 2, "nps": 7}}),
        Step(20, {"signals": {"logins": 4, "adoption": 40, "tickets": 4, "nps": 5}}),
    ),
    ABOUT: (
        Step(180, {"mrr": 3100, "tier": "mid", "manager": "Mara Lind", "tags": ("vip",),
                   "renewal_date": _ago(-24), "since": date(2023, 9, 15), "sentiment": "cautious",
                   "last_contact_on": _ago(180),
                   "signals": {"logins": 25, "adoption": 80, "tickets": 1, "nps": 8,
                               "growth": "mild"}}),
        Step(70, {"last_contact_on": _ago(70)}, _call("call")),
        Step(40, {"signals": {"logins": 15, "adoption": 80, "tickets": 3, "nps": 8,
                              "growth": "mild"}}),
        Step(4, {"signals": {"logins": 6, "adoption": 45, "tickets": 4, "nps": 3,
                             "growth": "none"}}),
    ),
    LONG: (
        Step(120, {"mrr": 12750, "tier": "enterprise", "manager": "Jonas Weber",
                   "renewal_date": _ago(-75), "last_contact_on": _ago(120),
                   "signals": {"logins": 9, "adoption": 35, "tickets": 3, "nps": 6}}),
        Step(15, {"signals": {"logins": 18, "adoption": 62, "tickets": 1, "nps": 7}}),
        Step(5, {"last_contact_on": _ago(5)}, _call("email")),
    ),
    "東雲テクノロジー": (
        Step(95, {"mrr": 1800, "tier": "mid", "manager": "mara lind", "tags": ("apac",),
                  "renewal_date": _ago(-160), "last_contact_on": _ago(95),
                  "signals": {"logins": 16, "adoption": 58, "tickets": 1, "nps": 7}}),
        Step(10, {"override": Override(82, "key-1", AS_OF - timedelta(days=10),
                                       "the contract was extended", None, True)}),
    ),
    "Kestrel Post": (
        Step(30, {"mrr": 640, "tier": "smb", "renewal_date": _ago(-330)}),
    ),
    "Lumen Verlag": (
        Step(5, {"tier": "smb", "manager": "Jonas Weber", "lifecycle": "onboarding",
                 "last_contact_on": _ago(5), "signals": {"logins": 20, "adoption": 30}}),
    ),
    "Odeon Kino": (
        Step(140, {"mrr": 990, "tier": "smb", "manager": "Mara Lind", "last_contact_on": _ago(140),
                   "signals": {"logins": 2, "adoption": 12, "tickets": 5, "nps": 2}}),
        Step(6, {"lifecycle": CHURNED, "churned_on": _ago(6)},
             Reason(action="upsert_account", lifecycle_given=True)),
    ),
}  # fmt: skip
"""Who became a customer when, and what was written of each since."""


class Past:
    """The company called *name* at every instant, with the changes that led there."""

    def __init__(self, number: int, name: str, steps: tuple[Step, ...]) -> None:
        self._versions: list[tuple[datetime, Customer]] = []
        self.changes: list[Change] = []
        self._number = number
        planned = {start_of(_ago(step.ago), ZONE) + timedelta(hours=10): step for step in steps}
        turns = [start_of(_ago(ago), ZONE) for ago in range(steps[0].ago)]
        for at in sorted([*planned, *turns]):
            self._settle(at, name, planned.get(at))

    def _settle(self, at: datetime, name: str, step: Step | None) -> None:
        before = self._versions[-1][1] if self._versions else None
        after = before or Customer(
            id=an_id(self._number), tenant_id="t", name=name, created_at=at, updated_at=at
        )
        if step is not None:
            after = replace(after, **step.facts)
        moment = Moment(at, ZONE, "CRM sync" if step else "schedule", "CRM sync")
        reason = step.reason if step else _TURN
        after, change = settled(before, after, MODEL, reason, moment)
        if change is not None:
            self._versions.append((at, after))
            self.changes.insert(0, replace(change, id=f"{self._number}-{change.version}"))

    def at(self, instant: datetime) -> Customer | None:
        """Return the company as it was stored at *instant*."""
        versions = [customer for at, customer in self._versions if at <= instant]
        return versions[-1] if versions else None


def _portfolio() -> list[Past]:
    return [Past(number, *each) for number, each in enumerate(COMPANIES.items(), 1)]


def book_of(report: Report) -> Book:
    """Return the portfolio's book for *report*, with all that it needs of the days before."""
    pasts = _portfolio()
    stored = [customer for past in pasts if (customer := past.at(AS_OF)) is not None]
    book = Book(
        as_of=AS_OF,
        model=MODEL,
        portfolio_mrr=sum((each.mrr or 0 for each in stored), start=0),
        subject="Halyard Software",
        period=report.days,
        then=_ago(report.days),
    )
    for customer in stored:
        book.add(customer, MODEL)
    known = [_day(pasts, _ago(ago)) for ago in range(report.days, -1, -1)]
    book.figures_then, book.scores_then = known[0]
    if report.daily:
        days = zip(range(report.days, -1, -1), known, strict=True)
        book.daily = {"": [(_ago(ago), figures) for ago, (figures, _) in days]}
    since = start_of(_ago(report.days), ZONE)
    histories = {
        an_id(number): [change for change in past.changes if change.at >= since]
        for number, past in enumerate(pasts, 1)
    }
    fell, rose = movers(book, report.movers)
    book.histories = {each.customer.id: histories[each.customer.id] for each in (*fell, *rose)}
    if report.feed:
        feed = [change for changes in histories.values() for change in changes]
        newest_first = sorted(feed, key=lambda change: (change.at, change.id), reverse=True)
        book.feed = ScoreChanges.of(newest_first)
    if report.of_one:
        book.about = next(each.id for each in stored if each.name == ABOUT)
        book.histories = histories
    return book


def _day(pasts: list[Past], day: date) -> tuple[Figures, dict[str, int | None]]:
    """Return the figures and scores of *day*, as its turn counts them."""
    at = start_of(day, ZONE)
    figures, scores = Figures(), {}
    for past in pasts:
        customer = past.at(at)
        if customer is not None and customer.lifecycle != CHURNED:
            score, status = Standing(customer, MODEL, at).published
            figures.count(customer, score, status)
            scores[customer.id] = score
    return figures, scores


def document_of(name: str) -> Document:
    """Return the report called *name* on the portfolio."""
    return BY_NAME[name].build(book_of(BY_NAME[name]))


def golden(document: Document) -> str:
    """Return *document* as the golden file holds it: JSON, a row a line."""
    return "\n".join(_lines(document_view(document))) + "\n"


def _lines(value: Any, indent: int = 0, key: str = "", end: str = "") -> Iterator[str]:
    """Yield *value* as JSON: in one line what fits, or is a row or a figure."""
    space = " " * indent
    line = space + key + json.dumps(value, ensure_ascii=False, default=float) + end
    leaf = not isinstance(value, dict | list) or not value
    if leaf or len(line) <= WIDTH or _is_row(value):
        yield line
        return
    inner = list(value.items()) if isinstance(value, dict) else [(None, each) for each in value]
    yield space + key + ("{" if isinstance(value, dict) else "[")
    for place, (name, each) in enumerate(inner, 1):
        named = "" if name is None else f"{json.dumps(name)}: "
        yield from _lines(each, indent + 1, named, "," if place < len(inner) else "")
    yield space + ("}" if isinstance(value, dict) else "]") + end


def _is_row(value: Any) -> bool:
    """Tell whether *value* is a row, a figure, a line of a chart, or its labels or values."""
    if isinstance(value, dict):
        nested = any(isinstance(each, dict) for each in value.values())
        return not nested and not {"section", "report"} & value.keys()
    return not any(isinstance(each, dict) or len(str(each)) > SENTENCE for each in value)


def main() -> None:
    """Write every document anew."""
    FOLDER.mkdir(exist_ok=True)
    for report in REPORTS:
        path = FOLDER / f"{report.name}.json"
        path.write_text(golden(document_of(report.name)), encoding="utf-8")


if __name__ == "__main__":
    main()
