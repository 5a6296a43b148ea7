"""What an oracle expects of CSM Performance and Segment Analysis."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from tests.integration.reports.agreement import Given, Percent, Points, Said
from tests.integration.reports.folio import Folio
from tests.integration.reports.groups import (
    FOLLOWING,
    leaderboard,
    segments,
    workload,
)
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
    here = [row for row in board if row["accounts"]]
    names = {each["manager"]: each["manager"] or "No manager" for each in here}
    work = workload(folio)
    ranked = [row for row in board if row["rank"]]
    going = [row for row in ranked if row["trend"] and row["trend"]["change"]]
    lines = [Said()]
    if ranked:
        lines = [Said(ranked[0]["manager"], ranked[0]["average_score"], ranked[0]["scored"])]
    if going:
        most = max(going, key=lambda row: abs(row["trend"]["change"]))
        lines.append(Said(most["manager"], Points(most["trend"]["change"]), folio.then))
    lines += [area["line"] for area in focus[:2]]
    first = call(folio)
    lines += [first] if first else []
    worst = max(here, key=lambda row: (row["at_risk_percent"], row["at_risk"]), default=None)
    trends = [(row["manager"], row["trend"]) for row in board if row["trend"]]
    changes = [trend["change"] for _, trend in trends]
    return document(
        folio,
        lines if len(lines) > 1 else [*lines, Said(folio.then) if folio.then else Said()],
        {
            "kpis": {
                "managers": figure(sum(row["manager"] != "" for row in here)),
                **kpis(folio, "average_score", "customers", "mrr", "at_risk"),
                "overdue_contacts": figure(sum(each.overdue for each in folio.accounts)),
                "renewals_at_risk_mrr": figure(paid(risky(renewing(folio, 0, 90))), None, 90),
            },
            "manager_bands": worst
            and {
                "labels": list(names.values()),
                "series": {band: [row["bands"][band] for row in here] for band in BANDS},
                "says": Said(names[worst["manager"]], Percent(worst["at_risk_percent"]))
                if worst["at_risk"]
                else Said(),
            },
            "leaderboard": table(
                "rank manager accounts mrr average_score at_risk at_risk_percent at_risk_mrr "
                "overdue_contacts contacted renewals renewals_at_risk_mrr lost lost_mrr",
                [
                    row
                    | {
                        "manager": row["manager"] or None,
                        "renewals": row["renewals"]["accounts"],
                        "renewals_at_risk_mrr": row["renewals"]["at_risk_mrr"],
                        "lost": row["lost"]["accounts"],
                        "lost_mrr": row["lost"]["mrr"],
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
                *(
                    [Percent(work["even_percent"]), work["managers"], Percent(150)]
                    if len(work["rows"]) > 1
                    else []
                ),
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
        [
            Said(),
            Said(3, Percent(30), Percent(25), 2),
            Said(folio.then) if folio.knows_gone else Said(),
        ],
    )


def segment_analysis(folio: Folio) -> Row:
    """Tiers, stages and tags side by side."""
    found = segments(folio)
    parts = [("tier", found["tiers"]), ("stage", found["stages"]), ("tag", found["tags"])]
    rows = [(kind, row) for kind, part in parts for row in part]
    banded = [[row for row in part if row["at_risk"] is not None] for _, part in parts]
    tags = 0
    shown = []
    for kind, row in rows:
        tags += kind == "tag"
        if row["segment"] == "" or row["average_score"] is None or tags > 12:
            continue
        if kind != "stage" or row["segment"] not in FOLLOWING:
            shown.append(row)
    averages = None
    if shown:
        big = [row for row in shown if row["scored"] >= 3]
        ends = [pick(big, key=lambda row: row["average_score"]) for pick in (min, max) if big]
        says = Said(3)
        if len({row["average_score"] for row in ends}) == 2:
            says = Said(3, *(row[name] for row in ends for name in ("average_score", "segment")))
        averages = {
            "labels": [row["segment"] for row in shown],
            "series": {"average_score": [row["average_score"] for row in shown]},
            "says": says,
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
            "tier_bands": _distribution(found["tiers"], ()),
            "stage_bands": _distribution(banded[1], FOLLOWING),
            "averages": averages,
            "segments": table(
                "by segment accounts mrr average_score at_risk at_risk_percent at_risk_mrr "
                "compared average_then average_now change",
                [
                    row
                    | {
                        "by": kind,
                        "segment": row["segment"] or None,
                        "compared": row["trend"] and row["trend"]["accounts"],
                        "average_then": row["trend"] and row["trend"]["then"],
                        "average_now": row["trend"] and row["trend"]["now"],
                        "change": row["trend"] and row["trend"]["change"],
                    }
                    for kind, row in rows
                ],
            ),
            "segment_bands": table(
                "by segment " + " ".join(BANDS),
                [{"by": kind, "segment": row["segment"] or None, **row["bands"]}
                 for (kind, _), part in zip(parts, banded, strict=True) for row in part],
            ),
            "first_calls": table(
                "by segment name manager score status mrr days_until_renewal reason",
                _first_calls(folio, rows),
            ),
        },
        [Said(), Said(3), Said()],
    )  # fmt: skip


def _distribution(rows: Sequence[Row], unnamed: Sequence[str]) -> Row | None:
    if not rows:
        return None
    risky = [row for row in rows if row["segment"] not in unnamed and row["at_risk"] > 0]
    risky.sort(key=lambda row: (-row["at_risk_percent"], -row["at_risk"]))
    says = Said(
        *((Percent(risky[0]["at_risk_percent"]), risky[0]["segment"] or "no_tier") if risky else ())
    )
    return {
        "labels": [row["segment"] or "no_tier" for row in rows],
        "series": {band: [row["bands"][band] for row in rows] for band in BANDS},
        "says": says,
    }


def _first_calls(folio: Folio, segments: Sequence[tuple[str, Row]]) -> list[Row]:
    rows: list[Row] = []
    for kind, row in segments:
        name = row["segment"]
        own = [each for each in folio.accounts if name.casefold() in _segments_of(each, kind)]
        rows += [about(each) | {"by": kind, "segment": name or None} for each in urgent(own)[:1]]
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
