"""What an oracle expects of score histories, and of one customer in depth."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from tests.integration.reports.agreement import Given, Points, Said
from tests.integration.reports.courses import day_scores
from tests.integration.reports.folio import Folio
from tests.integration.reports.numbers import Row, exact, sure
from tests.integration.reports.parts import change_rows, document, figure, points, table
from tests.integration.reports.portfolio import band_then
from tests.integration.reports.seen import Seen


def score_changes(folio: Folio) -> Row:
    """Every change of a score of anybody."""
    begin = folio.then or folio.today - timedelta(days=folio.period)
    since = folio.since(begin)
    changes = [
        change
        for each in (*folio.accounts, *folio.churned)
        for change in each.visible(since)
        if change["old"]["score"] != change["new"]["score"]
    ]
    changes.sort(key=lambda change: (change["at"], change["id"]), reverse=True)
    who = len({change["customer_id"] for change in changes})
    lines = [Said(len(changes), who, begin) if changes else Said(begin)]
    return document(
        folio,
        _extremes(folio, lines, changes),
        changes_sections(folio, changes, begin, named=True),
        [Said(), Said(), *([Said()] if folio.churned else [])],
        (begin, folio.today),
        compares=False,
    )


def _extremes(folio: Folio, lines: list[Said], changes: Sequence[Row]) -> list[Said]:
    for sign in (-1, 1):
        moves = [sign * (points(change) or 0) for change in changes]
        most = max(moves, default=0)
        if most > 0:
            change = changes[moves.index(most)]
            at, scores = Given(change["at"]), (change["old"]["score"], change["new"]["score"])
            lines.append(Said(change["name"], Points(sign * most), *scores, at, change["cause"]))
    return lines if len(lines) > 1 else [*lines, Said(folio.then) if folio.then else Said()]


def changes_sections(folio: Folio, changes: Sequence[Row], first: date, *, named: bool) -> Row:
    """Return the figures and tables of some changes of scores."""
    moves = [points(change) or 0 for change in changes]
    causes = sorted({change["cause"] for change in changes})
    rows = []
    for cause in causes:
        own = [move for move, each in zip(moves, changes, strict=True) if each["cause"] == cause]
        rows.append(
            {
                "cause": cause,
                "changes": len(own),
                "rises": sum(move > 0 for move in own),
                "falls": sum(move < 0 for move in own),
            }
        )
    rows.sort(key=lambda row: -row["changes"])
    turned = [each for each in changes if each["old"]["status"] != each["new"]["status"]]
    return {
        "kpis": {
            "changes": figure(len(changes)),
            "rises": figure(sum(move > 0 for move in moves)),
            "falls": figure(sum(move < 0 for move in moves)),
            "band_changes": figure(len(turned)),
        },
        "changes": table(
            CHANGE if named else CHANGE.replace("name ", ""),
            change_rows(folio, changes),
            *([len(changes), first] if changes else []),
        ),
        "causes": table("cause changes rises falls", rows),
    }


CHANGE = (
    "at name score_before score_after change status_after cause by signal_1 change_1 signal_2 "
    "change_2"
)


def _course(folio: Folio, each: Seen, first: date) -> Row:
    """Return the chart of one customer's score."""
    every = 7 if (folio.today - first).days > 180 else 1
    days = [folio.today]
    while days[0] - timedelta(days=every) >= first:
        days.insert(0, days[0] - timedelta(days=every))
    scores = day_scores(each, days)
    if each.was is not None:
        days, scores = [first - timedelta(days=1), *days], [each.was, *scores]
    known = [(day, score) for day, score in zip(days, scores, strict=True) if score is not None]
    only = [score for _, score in known]
    said = Said()
    if len(set(only)) == 1:
        said = Said(only[0], max(known[0][0], first))
    elif known:
        said = Said(
            known[0][1], max(known[0][0], first), known[-1][1], known[-1][0], min(only), max(only)
        )
    return {"labels": days, "series": {"score": scores}, "says": said}


def score_history(folio: Folio, customer_id: str) -> Row:
    """Every change of one customer's score."""
    [each] = [one for one in (*folio.accounts, *folio.churned) if one.id == customer_id]
    first = folio.then or folio.today - timedelta(days=folio.period)
    changes = [
        change
        for change in each.visible(folio.since(first))
        if change["old"]["score"] != change["new"]["score"]
    ]
    sections = changes_sections(folio, changes, first, named=False)
    sections["kpis"] = {"score": figure(each.score, each.was), **sections["kpis"]}
    chart = {"score_line": _course(folio, each, first)}
    shown = {"kpis": sections.pop("kpis"), **chart, **sections}
    score = [] if each.score is None else [each.score]
    line = Said(each.name, *score, len(changes), first)
    found = document(
        folio, _extremes(folio, [line], changes), shown, [Said(), Said()], (first, folio.today)
    )
    return found | {"subject": each.name}


def customer_health(folio: Folio, customer_id: str) -> Row:
    """One customer in depth."""
    [each] = [one for one in (*folio.accounts, *folio.churned) if one.id == customer_id]
    view = folio.raw.whole[customer_id]
    first = folio.then or folio.today - timedelta(days=folio.period)
    changes = [
        change
        for change in each.visible(folio.since(first))
        if change["old"]["score"] != change["new"]["score"]
    ]
    coverage = sure(view["coverage"]) * 100
    text = {name: Given(view[name]) for name in (
        "manager", "tier", "lifecycle", "sentiment", "since", "last_contact_on", "next_touch",
    )}  # fmt: skip
    by_hand = each.view["override"] is not None
    parts = _parts(view)
    found = document(
        folio,
        _health_lines(folio, each, view),
        {
            "kpis": {
                "score": figure(each.score, each.was),
                "status": figure(each.status, _band(folio, each.was)),
                "coverage": figure(coverage),
                "momentum": figure(_moved_in(each), None, folio.settings["momentum"]["days"]),
                "mrr": figure(each.paid),
                "arr": figure(exact(view["arr"])),
                "renewal_date": figure(Given(view["renewal_date"])),
                "days_until_renewal": figure(each.days),
                "cadence_status": figure(each.cadence),
                "quiet_days": figure(each.quiet),
            },
            "facts": {
                "name": figure(each.name),
                "manager": figure(text["manager"]),
                "tier": figure(text["tier"]),
                "lifecycle": figure(text["lifecycle"]),
                "tags": figure(view["tags"] or None),
                "sentiment": figure(text["sentiment"]),
                "since": figure(text["since"]),
                "last_contact_on": figure(text["last_contact_on"]),
                "next_touch": figure(text["next_touch"]),
            },
            "priority": {
                "priority": figure(each.parts["priority"]),
                "risk": figure(each.parts["risk"], None, 100, 100),
                "revenue_share": figure(each.parts["revenue_share"]),
                "renewal_factor": figure(each.parts["renewal_factor"]),
            },
            "contributions": {
                "labels": [name for name, _ in parts],
                "series": {"points": [part for _, part in parts]},
                "says": _largest(parts),
            }
            if parts
            else None,
            "signals": _signals(each, view, by_hand=by_hand),
            "score_line": _course(folio, each, first),
            "lifts": _lifts(view),
            "outlook": _outlook(view),
            "changes": table(
                CHANGE.replace("name ", ""),
                change_rows(folio, changes),
                *([len(changes), first] if changes else []),
            ),
        },
        [Said(), Said(0, 100)],
        (first, folio.today),
    )
    return found | {"subject": each.name}


def _band(folio: Folio, score: int | None) -> str | None:
    return None if score is None else band_then(folio, score)


def _moved_in(each: Seen) -> int | None:
    then = each.score_on(each.folio.today - timedelta(days=each.folio.settings["momentum"]["days"]))
    return None if then is None or each.score is None else each.score - then


def _parts(view: Row) -> list[tuple[str, Fraction]]:
    parts = [(part["signal"], sure(part["contribution"])) for part in view["contributions"]]
    parts.sort(key=lambda part: (-part[1], part[0]))
    if view["override"]:
        rest = view["override"]["value"] - sum((part for _, part in parts), start=Fraction(0))
        parts.append(("override", Fraction(rest)))
    return parts


def _largest(parts: Sequence[tuple[str, Fraction]]) -> Said:
    total = sum((part for _, part in parts), start=Fraction(0))
    most = max(part for _, part in parts)
    if not most:
        return Said()
    name = next(name for name, part in parts if part == most)
    return Said(total, name) if len(parts) == 1 else Said(len(parts), total, name, most)


def _signals(each: Seen, view: Row, *, by_hand: bool) -> Row:
    lost = {name: cost for name, cost, _, _ in each.costs}
    changes: dict[str, Any] = dict(each.moved_by)
    unmoved = 0 if changes else None
    none = dict.fromkeys(("value", "points", "weight", "contribution", "lost"))
    rows: list[Row] = []
    for part in sorted(
        view["contributions"], key=lambda part: (-part["contribution"], part["signal"])
    ):
        name = part["signal"]
        rows.append({**part, "lost": lost.get(name), "change": changes.pop(name, unmoved)})
    override = changes.pop("override", None)
    shown = [row["signal"] for row in rows]
    rest = [each["signal"] for each in view["missing"] if each["signal"] not in shown]
    rest += [name for name in changes if name not in rest]
    rows += [{"signal": name, **none, "change": changes.get(name)} for name in rest]
    if by_hand or override is not None:
        added = _parts(view)[-1][1] if by_hand else None
        rows.append({"signal": "override", **none, "contribution": added, "change": override})
    columns = "signal value points weight contribution lost change"
    note = () if view["score_exact"] is None else (exact(view["score_exact"]),)
    return table(columns, rows, *note)


def _lifts(view: Row) -> Row:
    path = view["path_to_next_band"]
    rows = [
        {"signal": way["signal"], "value": way["from"], "to": way["to"], "effort": way["effort"]}
        for way in (path["options"] if path else ())
    ]
    note = (path["band"], path["score"]) if path else ()
    return table("signal value to effort", rows, *note)


def _next_band(view: Row) -> list[Said]:
    if view["next_band_change_at"] is None:
        return []
    return [Said(view["next_band_change_to"], Given(view["next_band_change_at"]))]


def _health_lines(folio: Folio, each: Seen, view: Row) -> list[Said]:
    lines = [Said(each.name)]
    if each.score is not None:
        lines = [Said(each.name, each.score, each.status)]
        if each.moved is not None:
            lines = [Said(each.name, each.score, each.status, Points(each.moved), folio.then)]
    if each.stage == "churned":
        lines.append(Said(Given(view["churned_on"])))
    if each.moved_by:
        signal, change = each.moved_by[0]
        lines.append(Said(signal, Points(change)))
    if each.reasons:
        lines.append(Said(each.reasons))
    lines += _next_band(view)
    return lines if len(lines) > 1 else [*lines, Said(folio.then) if folio.then else Said()]


def _outlook(view: Row) -> list[Said]:
    lines = _next_band(view) or [Said()]
    if view["override"]:
        override = view["override"]
        computed = exact(view["computed_score"])
        lines.append(Said(override["value"], Given(override["set_at"]), computed))
    lines += [Said()] if view["low_confidence"] else []
    return [*lines, *[Said(each["signal"]) for each in view["missing"]]]
