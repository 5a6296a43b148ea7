"""Every figure of every report and of the analytics agrees with an oracle (issue's acceptance 2)."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from local import template
from tests.integration.actions.api import Clock, an_api, forget
from tests.integration.actions.outside import Outside
from tests.integration.actions.report_portfolio import Weeks, exported
from tests.integration.tables import created, streamless

from vitals.runtime import clock
from vitals.storage.table import Table


@pytest.fixture(scope="module")
def seen(actions_table: Table, template_table: template.Table) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("vitals.runtime.wiring.Table", lambda _: actions_table)
        for variable in ("TABLE_NAME", "VITALS_LIMIT_READS", "VITALS_LIMIT_WRITES", "LOG_LEVEL"):
            patched.delenv(variable, raising=False)
        outside = Outside()
        patched.setattr("vitals.runtime.outbound.KeyVault", outside.vault)
        patched.setattr("vitals.runtime.outbound.QueueSender", outside.sender)
        patched.setattr("vitals.runtime.outbound.JobSender", outside.report_sender)
        patched.setattr("vitals.runtime.outbound.BucketFiles", outside.bucket)
        hands = Clock()
        patched.setattr(clock, "now", lambda: hands.now)
        patched.setattr(clock, "sleep", hands.sleep)
        with created(actions_table, streamless(template_table)):
            forget()
            api = an_api(actions_table, hands)
            weeks = Weeks(api, 5)
            weeks.live()
            raw = exported(api, weeks)
            yield api, raw
        forget()


def test_x(seen):
    import time
    api, raw = seen
    docs = {}
    t = time.time()
    whole = api.post("run_report", {"report": "portfolio_summary"})
    for name in ("portfolio_summary", "at_risk_accounts", "renewal_forecast", "csm_performance",
                 "segment_analysis", "trend", "churn_risk", "score_history", "weekly_digest"):
        docs[name] = api.post("run_report", {"report": name}).data
    some = [c["id"] for c in raw.customers if c["deleted_at"] is None]
    docs["ch"] = [api.post("run_report", {"report": "customer_health", "customer": c}).data for c in some]
    docs["sh"] = [api.post("run_report", {"report": "score_history", "customer": c}).data for c in some]
    r = api.post("run_report", {"report": "customer_health", "customer": some[0], "manager": "nobody"})
    print("filtered out:", r.status, r.body)
    an = {a: api.get(a).data for a in ("get_portfolio", "get_trend", "get_segments",
          "get_csm_performance", "get_renewals", "get_cohorts")}
    print("reports took", time.time() - t)
    pickle.dump((raw, docs, an), open("/tmp/w/oracle/raw.pickle", "wb"))
