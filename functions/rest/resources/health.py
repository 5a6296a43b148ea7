"""Health: one customer's score and what moved it, and the health of all (LU-042 to 045, PE-009)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resources.call import Call, UseCase, page_of
from resources.customers import shown
from vitals.runtime.http import Response
from vitals.usecases import health, health_history, health_portfolio


def get_health(call: Call) -> Response:
    """Answer the score as of now, and all that made it."""
    return _of_one(call, health.get_health)


def get_health_history(call: Call) -> Response:
    """Answer the score by day or by week."""
    return _of_one(call, health_history.get_health_history)


def explain_score(call: Call) -> Response:
    """Answer what moved the score between two instants."""
    return _of_one(call, health_history.explain_score)


def recalculate_health(call: Call) -> Response:
    """Answer the score, computed anew."""
    return _of_one(call, health.recalculate_health)


def get_health_summary(call: Call) -> Response:
    """Answer how all scores spread."""
    return call.reply(call.ask(health_portfolio.get_health_summary, {})["data"])


def list_at_risk(call: Call) -> Response:
    """Answer one page of the customers under a threshold."""
    given = dict(call.query)
    if "owner_id" in given:
        # One owner, whatever commas are in the name.
        given["owner_id"] = [given["owner_id"]]
    answer = call.ask(health_portfolio.list_at_risk, given)

    def show(row: Mapping[str, Any]) -> dict[str, Any]:
        fall = {name: row[name] for name in ("crossed_at", "score_before")}
        return shown(call.context, row) | fall

    told = {name: answer[name] for name in ("as_of", "threshold")}
    return call.reply(page_of(answer, show) | told)


def _of_one(call: Call, use_case: UseCase) -> Response:
    given = {**call.query, "id": call.variables["customer_id"]}
    return call.reply(call.ask(use_case, given)["data"])
