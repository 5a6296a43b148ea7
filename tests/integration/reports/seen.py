"""One customer seen by an oracle: what follows of its view and its history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tests.integration.reports.numbers import (
    RISKY,
    Row,
    day_of,
    eight,
    exact,
    four,
    number_of,
    spread,
    sure,
)
from tests.unit import oracle

if TYPE_CHECKING:
    from tests.integration.reports.folio import Folio


class Seen:
    """One customer, and what follows of its view and history."""

    def __init__(self, folio: Folio, view: Row) -> None:
        self.folio, self.view = folio, view
        self.id, self.name, self.manager = view["id"], view["name"], view["manager"]
        self.tier, self.stage, self.score = view["tier"], view["lifecycle"], view["score"]
        self.status, self.paid, self.mrr = view["status"], exact(view["mrr"]), sure(view["mrr"])
        self.at_risk = self.status in RISKY
        self.history = folio.raw.histories[self.id]

    @property
    def was(self) -> int | None:
        return self.folio.scores_then.get(self.id)

    @property
    def moved(self) -> int | None:
        return None if self.was is None or self.score is None else self.score - self.was

    @property
    def days(self) -> int | None:
        day = day_of(self.view["renewal_date"])
        return None if day is None else (day - self.folio.today).days

    @property
    def contacted(self) -> date:
        return day_of(self.view["last_contact_on"]) or self.folio.local(self.view["created_at"])

    @property
    def quiet(self) -> int:
        return max(0, (self.folio.today - self.contacted).days)

    @property
    def cadence(self) -> str:
        bounds = self.folio.settings["cadence"][self.tier or "mid"]
        days = (self.folio.today - self.contacted).days
        if days >= bounds["overdue"]:
            return "overdue"
        return "due_soon" if days >= bounds["due"] else "on_track"

    @property
    def overdue(self) -> bool:
        return self.cadence == "overdue"

    def score_on(self, day: date) -> int | None:
        """Return the score that was published last until the end of *day*."""
        for change in self.history:
            if self.folio.local(change["at"]) <= day:
                score: int | None = change["new"]["score"]
                return score
        return None

    @property
    def momentum(self) -> str:
        rule = self.folio.settings["momentum"]
        then = self.score_on(self.folio.today - timedelta(days=rule["days"]))
        if then is None or self.score is None:
            return "unknown"
        moved = self.score - then
        if abs(moved) < rule["points"]:
            return "steady"
        return "rising" if moved > 0 else "falling"

    @property
    def priority(self) -> dict[str, Fraction] | None:
        if self.score is None or not self.mrr:
            return None
        windows, factors = self.folio.settings["renewal_windows"], {}
        factors = self.folio.settings["renewal_factors"]
        factor = sure(factors["beyond"])
        for name in ("upcoming", "warning", "critical"):
            if self.days is not None and self.days <= windows[name]:
                factor = sure(factors[name])
        risk = Fraction(100 - self.score, 100)
        share = self.mrr / max(self.folio.paid_by_all, self.mrr)
        return {
            "risk": risk,
            "revenue_share": eight(share),
            "renewal_factor": factor,
            "priority": eight(risk * share * factor),
        }

    @property
    def parts(self) -> Row:
        return self.priority or dict.fromkeys(
            ("risk", "revenue_share", "renewal_factor", "priority")
        )

    @property
    def expansion(self) -> Fraction | None:
        if self.status != "expansion" or not self.mrr:
            return None
        share = sure(self.folio.settings["expansion"]["percent"]) / 100
        return Fraction(oracle.half_up(self.mrr * share * 100), 100)

    @cached_property
    def costs(self) -> list[tuple[str, Fraction, Any, Fraction]]:
        """(signal, points of the score that it costs, value, points of its own), the most first."""
        signals = self.folio.settings["signals"]
        given = {part["signal"]: part for part in self.view["contributions"]}
        rows = []
        for name, signal in signals.items():
            if name in given and given[name]["weight"]:
                value = given[name]["value"]
                if not isinstance(value, str):
                    value = exact(value)
                rows.append((name, value, sure(given[name]["weight"]), signal["curve"]))
        used = sum((weight for _, _, weight, _ in rows), start=Fraction(0))
        own = [oracle.points(curve, number_of(value)) for _, value, _, curve in rows]
        parts = [
            weight * (100 - points) / used
            for (_, _, weight, _), points in zip(rows, own, strict=True)
        ]
        total = oracle.half_up(sum(parts, start=Fraction(0)) * 10_000)
        found = [
            (name, lost, value, four(points))
            for (name, value, _, _), lost, points in zip(
                rows, spread(parts, total), own, strict=True
            )
        ]
        return sorted(found, key=lambda cost: -cost[1])

    @property
    def low_confidence(self) -> bool:
        return bool(self.view["low_confidence"])

    @property
    def reasons(self) -> list[str]:
        """In words, why to call."""
        words = []
        if self.score is None:
            words.append("no score yet")
        elif self.view["override"]:
            words.append("score set by hand")
        weak = [name for name, lost, _, _ in self.costs[:2] if lost]
        if weak:
            words_of = {"nps": "NPS", "csat": "CSAT", "days": "days since contact"}
            spoken = [words_of.get(each, each) for each in weak]
            words.append("held down by " + " and ".join(spoken))
        if self.momentum == "falling":
            words.append(f"score fell in the last {self.folio.settings['momentum']['days']} days")
        if self.overdue:
            words.append("contact overdue")
        if self.days is not None and self.days < 0:
            words.append("renewal overdue")
        windows = sorted(self.folio.settings["renewal_windows"].values())
        near = [window for window in windows if self.days is not None and 0 <= self.days <= window]
        return [*words, f"renews within {near[0]} days"] if near else words

    @cached_property
    def moved_by(self) -> list[tuple[str, Fraction]]:
        """(signal, by how much its part of the score moved since that day), the most first."""
        folio = self.folio
        if folio.then is None or self.moved is None:
            return []
        began = folio.raw.passes[folio.then]
        # What was in force then, the records of its day's pass or of the first change since tell.
        parts: Mapping[str, Any] | None = None
        for change in reversed(self.visible(folio.since(folio.then))):
            if datetime.fromisoformat(change["at"]) <= began:
                parts = change["contributions"]["new"]
            elif parts is None:
                parts = change["contributions"]["old"]
        if parts is None:
            return []
        set_to = self._set_by_hand(began)
        before = {name: sure(part) for name, part in parts.items()}
        after = {part["signal"]: sure(part["contribution"]) for part in self.view["contributions"]}
        if set_to:
            before["override"] = set_to["value"] - sum(before.values())
        if self.view["override"]:
            after["override"] = self.view["override"]["value"] - sum(after.values())
        moves = moved(before, after)
        now, then = sum(after.values()), sum(before.values())
        assert sum(change for _, change in moves) == now - then
        return moves

    def _set_by_hand(self, at: datetime) -> Row | None:
        """Return the score that was set by hand and stood at *at*."""
        found: Row | None = None
        for change in reversed(self.history):
            if datetime.fromisoformat(change["at"]) <= at and "override" in change["new"]:
                found = change["new"]["override"]
        if found and found["expires_at"] and datetime.fromisoformat(found["expires_at"]) <= at:
            return None
        return found

    def visible(self, since: datetime) -> list[Row]:
        """Return the changes that whoever reads the customer can see, newest first."""
        return [
            change
            for change in self.history
            if datetime.fromisoformat(change["at"]) >= since
            and (change["changed"] != ["model_version"] or change["contact"])
        ]


def moved(
    before: Mapping[str, Fraction], after: Mapping[str, Fraction]
) -> list[tuple[str, Fraction]]:
    """Return by how much each part moved, the most first."""
    moves = [
        (name, after.get(name, Fraction(0)) - before.get(name, Fraction(0)))
        for name in sorted({*before, *after})
    ]
    return sorted((move for move in moves if move[1]), key=lambda move: (-abs(move[1]), move[0]))


def change_moves(change: Row) -> list[tuple[str, Fraction]]:
    """Return what moved the score in one change, the most first."""
    scores = change["old"]["score"], change["new"]["score"]
    if None in scores:
        return []
    both = []
    for when, score in zip(("old", "new"), scores, strict=True):
        parts = {name: sure(part) for name, part in change["contributions"][when].items()}
        off = score - sum(parts.values())
        if not parts or abs(off) > Fraction(1, 2):
            parts["override"] = Fraction(off)
        both.append(parts)
    return moved(*both)


def urgent(accounts: Iterable[Seen]) -> list[Seen]:
    """Return *accounts* by urgency."""
    return sorted(
        accounts,
        key=lambda each: (
            -(each.parts["priority"] if each.priority else Fraction(-1)),
            *low_first(each),
        ),
    )


def low_first(each: Seen) -> tuple[Any, ...]:
    """Return what sorts by score, the lowest first."""
    return (101 if each.score is None else each.score, -each.mrr, each.name, each.id)


def large_first(each: Seen) -> tuple[Any, ...]:
    """Return what sorts by revenue, the highest first."""
    return (-each.mrr, each.name, each.id)


def paid(accounts: Iterable[Seen]) -> Fraction:
    """Return what *accounts* pay."""
    return sum((each.mrr for each in accounts), start=Fraction(0))


def movers(folio: Folio, count: int) -> tuple[list[Seen], list[Seen]]:
    """Return who fell most and who rose most."""
    fell = [each for each in folio.accounts if (each.moved or 0) < 0]
    rose = [each for each in folio.accounts if (each.moved or 0) > 0]
    return tuple(  # type: ignore[return-value] # two of them
        sorted(found, key=lambda each: (-abs(each.moved or 0), *large_first(each)))[:count]
        for found in (fell, rose)
    )
