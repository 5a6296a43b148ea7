"""The portfolio in figures (LU-065 to 067)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resources.call import Call, UseCase
from resources.customers import STAGES, named
from vitals.runtime.http import Response
from vitals.usecases import analytics as core


def get_portfolio(call: Call) -> Response:
    """Answer how the portfolio stands, and whom to call first (LU-065)."""
    found = _asked(call, core.get_portfolio)
    stages = found["lifecycles"]
    told = {
        "total_arr": found["totals"]["arr"]["value"],
        "customers_by_status": {
            status: sum(stages[stage] for stage in of) for status, of in STAGES.items()
        },
        "health_distribution": found.pop("bands"),
        "top_risks": [_account(each) for each in found.pop("priority_accounts")],
    }
    return call.reply(told | found)


def _account(account: Mapping[str, Any]) -> dict[str, Any]:
    """Return an account by the names that customers have here."""
    rest = {name: value for name, value in account.items() if name not in ("status", "manager")}
    return rest | {"band": account["status"], "owner_id": account["manager"]}


def get_renewals(call: Call) -> Response:
    """Answer what renews by month."""
    return call.reply(_asked(call, core.get_renewals))


def get_cohorts(call: Call) -> Response:
    """Answer how many stayed."""
    return call.reply(_asked(call, core.get_cohorts))


def _asked(call: Call, use_case: UseCase) -> dict[str, Any]:
    found: dict[str, Any] = call.ask(use_case, named(call.query))["data"]
    return found
