"""What an oracle expects of CSM Performance and Segment Analysis."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from tests.integration.reports.agreement import Given, Said
from tests.integration.reports.folio import Folio
from tests.integration.reports.groups import leaderboard, segments, workload
from tests.integration.reports.numbers import BANDS, Row
from tests.integration.reports.parts import (
    about,
    answer,
    call,
    document,
    figure,
    kpis,
    renewing,
    risky,
    standing,
    table,
)
from tests.integration.reports.seen import Seen, paid, urgent


def csm_performance(folio: Folio) -> Row:
    """The managers side by side."""
    board, focus = leaderboard(folio)
    names = {each["manager"]: each["manager"] or "No manager" for each in board}
    work = workload(folio)
    ranked = [row for row in board if row["rank"]]
    going = [row for row in ranked if row["trend"] and row["trend"]["change"]]
    lines = [Said()]
    if ranked:
        lines = [Said(ranked[0]["manager"], ranked[0]["average_score"], ranked[0]["scored"])]
    if going:
        most = max(going, key=lambda row: abs(row["trend"]["change"]))
        lines.append(Said(most["manager"], most["trend"]["change"], folio.then))
    lines += [area["line"] for area in focus[:2]]
    first = call(folio)
    lines += [first] if first else []
    worst = max(board, key=lambda row: (row["at_risk_percent"], row["at_risk"]), default=None)
    trends = [(row["manager"], row["trend"]) for row in board if row["trend"]]
    changes = [trend["change"] for _, trend in trends]
    return document(
        folio,
        lines if len(lines) > 1 else [*lines, Said(folio.then) if folio.then else Said()],
        {
            "kpis": {
                "managers": figure(sum(row["manager"] != "" for row in board)),
                **kpis(folio, "average_score", "customers", "mrr", "at_risk"),
                "overdue_contacts": figure(sum(each.overdue for each in folio.accounts)),
                "renewals_at_risk_mrr": figure(paid(risky(renewing(folio, 0, 90))), None, 90),
            },
            "manager_bands": worst
            and {
                "labels": list(names.values()),
                "series": {band: [row["bands"][band] for row in board] for band in BANDS},
                "says": Said(names[worst["manager"]], worst["at_risk_percent"]),
            },
            "leaderboard": table(
                "rank manager accounts mrr average_score at_risk at_risk_percent at_risk_mrr "
                "overdue_contacts contacted renewals renewals_at_risk_mrr",
                [
                    row
                    | {
                        "manager": row["manager"] or None,
                        "renewals": row["renewals"]["accounts"],
                        "renewals_at_risk_mrr": row["renewals"]["at_risk_mrr"],
                    }
                    for row in board
                ],
            ),
            "focus": [area["line"] for area in focus] or [Said()],
            "portfolio_movement": {
                "labels": [names[manager] for manager, _ in trends],
                "series": {"change": changes},
                "says": Said(
                    folio.then,
                    sum(change > 0 for change in changes),
                    sum(change < 0 for change in changes),
                ),
            }
            if trends
            else None,
            "manager_movement": table(
                "manager compared average_then average_now change improved declined",
                [
                    {
                        "manager": manager or None,
                        "compared": trend["accounts"],
                        "average_then": trend["then"],
                        "average_now": trend["now"],
                        **trend,
                    }
                    for manager, trend in trends
                ],
            ),
            "workload": table(
                "manager accounts accounts_percent accounts_over_even mrr mrr_percent "
                "mrr_over_even load",
                [row | {"load": "heavy" if row["heavy"] else None} for row in work["rows"]],
                *([work["even_percent"], work["managers"], 150] if work["rows"] else []),
            ),
            "accounts": table(
                "manager name score status moved mrr days_until_renewal cadence priority",
                [
                    about(each) | {"manager": name or None}
                    for name in sorted(names, key=lambda name: (name == "", name))
                    for each in urgent(folio.accounts)
                    if name.casefold() == (each.manager or "").casefold()
                ],
            ),
        },
        [Said(), Said(30, 25, 2, 3), Said()],
    )


def segment_analysis(folio: Folio) -> Row:
    """Tiers, stages and tags side by side."""
    found = segments(folio)
    parts = [("tier", found["tiers"]), ("stage", found["stages"]), ("tag", found["tags"])]
    rows = [(kind, row) for kind, part in parts for row in part]
    tags = 0
    shown = []
    for kind, row in rows:
        tags += kind == "tag"
        if row["segment"] in ("", "churned") or row["average_score"] is None or tags > 12:
            continue
        shown.append(row)
    averages = None
    if shown:
        best = max(shown, key=lambda row: row["average_score"])
        worst = min(shown, key=lambda row: row["average_score"])
        averages = {
            "labels": [row["segment"] for row in shown],
            "series": {"average_score": [row["average_score"] for row in shown]},
            "says": Said(
                worst["average_score"], worst["segment"], best["average_score"], best["segment"]
            ),
        }
    lines = [standing(folio), *found["analysis"]]
    first = call(folio)
    lines += [first] if first else []
    return document(
        folio,
        lines if len(lines) > 1 else [*lines, Said(folio.then) if folio.then else Said()],
        {
            "kpis": {
                "segments": figure(found["kpis"]["segments"]),
                **kpis(folio, "average_score", "customers", "mrr", "at_risk", "revenue_at_risk"),
            },
            "tier_bands": _distribution(found["tiers"]),
            "stage_bands": _distribution(found["stages"]),
            "averages": averages,
            "segments": table(
                "by segment accounts mrr average_score average_then change at_risk "
                "at_risk_percent at_risk_mrr",
                [
                    row
                    | {
                        "by": kind,
                        "segment": row["segment"] or None,
                        "average_then": row["trend"] and row["trend"]["then"],
                        "change": row["trend"] and row["trend"]["change"],
                    }
                    for kind, row in rows
                ],
            ),
            "segment_bands": table(
                "by segment " + " ".join(BANDS),
                [{"by": kind, "segment": row["segment"] or None, **row["bands"]}
                 for kind, row in rows],
            ),
            "first_calls": table(
                "by segment name manager score status mrr days_until_renewal reason",
                _first_calls(folio),
            ),
        },
        [Said(), Said(3)],
    )  # fmt: skip


def _distribution(rows: Sequence[Row]) -> Row | None:
    if not rows:
        return None
    return {
        "labels": [row["segment"] or "no_tier" for row in rows],
        "series": {band: [row["bands"][band] for row in rows] for band in BANDS},
        "says": Said(max(row["at_risk_percent"] for row in rows)),
    }


def _first_calls(folio: Folio) -> list[Row]:
    found = urgent(risky(folio.accounts))
    rows: list[Row] = []
    for kind in ("tier", "stage", "tag"):
        for name in sorted({name for each in found for name in _segments_of(each, kind)}):
            first = next(each for each in found if name in _segments_of(each, kind))
            rows.append(about(first) | {"by": kind, "segment": name or None})
    return rows


def _segments_of(each: Seen, kind: str) -> list[str]:
    if kind == "tag":
        return [tag.casefold() for tag in each.view["tags"]]
    return [each.tier or ""] if kind == "tier" else [each.stage]


def get_segments(folio: Folio) -> Row:
    """Tags, tiers and stages."""
    return answer(folio, segments(folio))


def get_csm_performance(folio: Folio) -> Row:
    """Managers."""
    board, focus = leaderboard(folio)
    since = folio.since(folio.today - timedelta(days=folio.period))
    done = [
        (change["at"], change["id"], each, change)
        for each in folio.accounts
        for change in each.visible(since)
        if change["cause"] not in ("decay", "rescore", "model")
    ]
    done.sort(key=lambda row: row[:2], reverse=True)
    return answer(
        folio,
        {
            "leaderboard": board,
            "workload": workload(folio),
            "focus": focus,
            "activity": [
                {
                    "at": Given(at),
                    "manager": each.manager,
                    "customer_id": each.id,
                    "name": change["name"],
                    "action": change["action"],
                    "contact": change["contact"],
                    "score_before": change["old"]["score"],
                    "score_after": change["new"]["score"],
                }
                for at, _, each, change in done[:20]
            ],
        },
    )
