"""The requests and jobs about reports whose costs are measured: views, runs, schedules, looks."""

from __future__ import annotations

from bench.scenarios import ACME, Asked, Scenario, put, toggled

MOVED: Asked = (
    "batch_upsert",
    {"customers": [{"name": f"Customer {n:04}", "logins": 4 if n % 2 else 30} for n in range(20)]},
)
"""What makes ten customers of a portfolio fall, and ten rise."""

_ONE = {"customer": "Customer 0007"}
_TO = {"recipients": ["ann@example.com"]}
_DIGEST = {
    "report": "weekly_digest", "schedule": {"type": "daily"},
    "recipients": ["ann@example.com", "bob@example.com"], "format": "csv",
}  # fmt: skip
SCHEDULED: Asked = ("put_report_schedule", _DIGEST)
_ID = {"id": "data.id"}
_JOB = {"job_id": "job_id"}
_LINKED: Asked = ("run_report", {"report": "at_risk_accounts", "format": "csv", "link": True})
_LOOK = {"name": ACME["name"], "accent": "#1d4f91", "currency": "EUR"}

REPORTS = (
    Scenario("of 1,000", "get_portfolio"),
    Scenario("of 1,000", "get_trend"),
    Scenario("of 1,000, by a tier", "get_trend", {"tier": "mid"}),
    Scenario("of 1,000", "get_segments"),
    Scenario("of 1,000", "get_csm_performance"),
    Scenario("of 1,000", "get_renewals"),
    Scenario("of 1,000", "get_cohorts"),
    Scenario("`at_risk_accounts` of 1,000", "run_report", {"report": "at_risk_accounts"}),
    Scenario("`portfolio_summary` of 1,000, of whom 20 moved", "run_report",
             {"report": "portfolio_summary"}),
    Scenario("`trend` of 1,000, of whom 20 moved", "run_report", {"report": "trend"}),
    Scenario("`score_history` of 1,000", "run_report", {"report": "score_history"}),
    Scenario("`customer_health` of one of 1,000", "run_report",
             {"report": "customer_health", **_ONE}),
    Scenario("as PDF, by its job", "run_report", {"report": "at_risk_accounts", "format": "pdf"}),
    Scenario("whose job is over", "run_report", {}, [_LINKED], takes=_JOB),
    Scenario("to one address, by its job", "send_report",
             {"report": "at_risk_accounts", "format": "csv", **_TO}),
    Scenario("of a schedule, by its job", "send_report", {}, [SCHEDULED],
             takes={"schedule_id": "data.id"}),
    Scenario("to one address, by its job", "send_test",
             {"report": "at_risk_accounts", "format": "csv", **_TO}),
    Scenario("1,000", "export_customers"),
    Scenario("1,000, `bulksheet`", "export_customers", {"columns": "bulksheet"}),
    Scenario("1,000, by its job", "export_customers", {"link": True}),
    Scenario("a few", "list_report_schedules"),
    *put("put_report_schedule", _DIGEST, days=14),
    *toggled("toggle_report_schedule", SCHEDULED, off="paused"),
    Scenario("on", "toggle_report_schedule", {"enabled": True},
             [SCHEDULED, ("toggle_report_schedule", {"enabled": False}, _ID)], takes=_ID),
    Scenario("", "delete_report_schedule", {}, [SCHEDULED], takes=_ID),
    Scenario("", "get_branding"),
    Scenario("changed", "put_branding", _LOOK),
    Scenario("unchanged", "put_branding", _LOOK),
)  # fmt: skip
"""What is asked of a portfolio of 1,000 with a day behind it."""

JOBS = (
    Scenario("a file", "run_report", {"report": "at_risk_accounts", "format": "csv", "link": True}),
    Scenario("sent to two addresses", "send_report", {**_DIGEST, "schedule": None}),
    Scenario("an export", "export_customers", {"link": True}),
)  # fmt: skip
"""What makes a job of the kind `report`, described as that."""
