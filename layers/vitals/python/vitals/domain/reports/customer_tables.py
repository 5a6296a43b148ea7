"""The tables of one customer: its signals, and what would lift its band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vitals.domain.numbers import Number
from vitals.domain.reports.accounts import costs
from vitals.domain.reports.book import Account
from vitals.domain.reports.document import (
    BAND,
    NUMBER,
    POINTS,
    SCORE,
    WORD,
    Column,
    Line,
    Plain,
    Table,
)
from vitals.domain.reports.movement import OVERRIDE


def signal_table(
    account: Account, seen: Mapping[str, Any], moves: Sequence[tuple[str, Number]]
) -> Table:
    """Return each signal's part of the score as the customer is *seen*, the largest first.

    *moves* are the changes of the parts over the period. What has no value comes last, and a score
    set by hand as OVERRIDE.
    """
    changes = dict(moves)
    lost = {each.signal: each.lost for each in costs(account)}
    unmoved: Number | None = 0 if moves else None
    rows: list[tuple[Plain, ...]] = [
        (
            part["signal"],
            part["value"],
            part["points"],
            part["weight"],
            part["contribution"],
            lost.get(part["signal"]),
            changes.pop(part["signal"], unmoved),
        )
        for part in sorted(
            seen["contributions"], key=lambda part: (-part["contribution"], part["signal"])
        )
    ]
    by_hand = changes.pop(OVERRIDE, None)
    shown = {row[0] for row in rows}
    names = [each["signal"] for each in seen["missing"] if each["signal"] not in shown]
    names += [name for name in changes if name not in names]
    rows += [(name, None, None, None, None, None, changes.get(name)) for name in names]
    added = seen["adjustments"][0]["contribution"] if seen["adjustments"] else None
    if added is not None or by_hand is not None:
        rows.append((OVERRIDE, None, None, None, added, None, by_hand))
    return Table(
        name="signals",
        title="Signals, and what each gives the score",
        columns=(
            Column("signal", "Signal", WORD),
            Column("value", "Value", NUMBER),
            Column("points", "Points of 100", NUMBER),
            Column("weight", "Weight", NUMBER),
            Column("contribution", "Contribution", NUMBER),
            Column("lost", "Lost", NUMBER),
            Column("change", "Change", POINTS),
        ),
        rows=tuple(rows),
        note=Line("The contributions sum to {}.", ((NUMBER, seen["score_exact"]),))
        if seen["score_exact"] is not None
        else None,
        empty="No signal has a value.",
    )


def lift_table(seen: Mapping[str, Any]) -> Table:
    """Return what would lift the band as the customer is *seen*, the least effort first."""
    path = seen["path_to_next_band"]
    options = path["options"] if path else ()
    alone = "Each alone lifts it to {}, which begins at {}."
    none = "No signal alone lifts it to {}, which begins at {}."
    return Table(
        name="lifts",
        title="What would lift the band",
        columns=(
            Column("signal", "Signal", WORD),
            Column("value", "Is", NUMBER),
            Column("to", "To", NUMBER),
            Column("effort", "Effort", NUMBER),
        ),
        rows=tuple((each["signal"], each["from"], each["to"], each["effort"]) for each in options),
        note=Line(alone if options else none, ((BAND, path["band"]), (SCORE, path["score"])))
        if path
        else None,
        empty=_not_lifted(seen),
    )


def _not_lifted(seen: Mapping[str, Any]) -> str:
    """Return why there is nothing to name; "" where the table's note says it."""
    if seen["adjustments"]:
        return "Its score is set by hand."
    if seen["score"] is None:
        return "It has no score."
    return "" if seen["path_to_next_band"] else "It is in the top band."
