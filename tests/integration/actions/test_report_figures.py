"""Every figure of every report agrees with an oracle that has it another way from raw data."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from local import template
from tests.integration.actions.api import Api, Clock, an_api, forget
from tests.integration.actions.outside import Outside
from tests.integration.reports import (
    courses,
    customers,
    group_documents,
    portfolio,
    renewals,
    risk,
)
from tests.integration.reports.agreement import differences, document_differences
from tests.integration.reports.cohorts import get_cohorts
from tests.integration.reports.folio import Folio, meant
from tests.integration.reports.home import get_portfolio
from tests.integration.reports.weeks import Raw, Weeks, exported
from tests.integration.tables import created, streamless

from vitals.domain.reports.catalogue import BY_NAME
from vitals.runtime import clock
from vitals.storage.table import Table

SEED = 5
FILTERS: Mapping[str, Mapping[str, list[str]]] = {
    "everybody": {},
    "a manager": {"manager": ["ana ruiz"]},
    "tier and tag": {"tier": ["mid", "enterprise"], "tag": ["vip", "emea"]},
    "stages": {"lifecycle": ["trial", "paused", "won", "churned"]},
    "nobody": {"tag": ["unheard of"]},
}
DAYS = {"csm_performance": 7, "weekly_digest": 7, "trend": 90, "score_history": 90}
OF_BOOK: Mapping[str, Callable[[Folio], Mapping[str, Any]]] = {
    "portfolio_summary": portfolio.portfolio_summary,
    "at_risk_accounts": portfolio.at_risk_accounts,
    "renewal_forecast": renewals.renewal_forecast,
    "csm_performance": group_documents.csm_performance,
    "segment_analysis": group_documents.segment_analysis,
    "trend": courses.trend,
    "churn_risk": risk.churn_risk,
    "score_history": customers.score_changes,
    "weekly_digest": portfolio.weekly_digest,
}
OF_ONE = {
    "customer_health": customers.customer_health,
    "score_history": customers.score_history,
}


@dataclass(frozen=True)
class Seen:
    """The portfolio behind the API, and what was exported of it."""

    api: Api
    raw: Raw

    def report(self, name: str, filters: Mapping[str, Any], **more: Any) -> Any:
        return self.api.post("run_report", {"report": name, **filters, **more}).data

    def folio(self, filters: Mapping[str, Any], days: int) -> Folio:
        return Folio(self.raw, filters, days)

    def same(self, action: str, expected: Any, **given: Any) -> None:
        agree(differences(expected, self.api.post(action, given).data, action))


def agree(wrong: Sequence[str]) -> None:
    """Fail with what the oracle and the product say differently."""
    assert not wrong, "\n".join(wrong)


@pytest.fixture(scope="module")
def seen(actions_table: Table, template_table: template.Table) -> Iterator[Seen]:
    """A portfolio of real writes over simulated weeks; the clock stands still from then on."""
    played, hands = Outside(), Clock()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("vitals.runtime.wiring.Table", lambda _: actions_table)
        for variable in ("TABLE_NAME", "VITALS_LIMIT_READS", "VITALS_LIMIT_WRITES", "LOG_LEVEL"):
            patched.delenv(variable, raising=False)
        patched.setattr("vitals.runtime.outbound.KeyVault", played.vault)
        patched.setattr("vitals.runtime.outbound.QueueSender", played.sender)
        patched.setattr("vitals.runtime.outbound.JobSender", played.report_sender)
        patched.setattr("vitals.runtime.outbound.BucketFiles", played.bucket)
        patched.setattr(clock, "now", lambda: hands.now)
        patched.setattr(clock, "sleep", hands.sleep)
        with created(actions_table, streamless(template_table)):
            forget()
            api = an_api(actions_table, hands)
            weeks = Weeks(api, SEED)
            weeks.live()
            api.restart()
            yield Seen(api, exported(api, weeks))
        forget()


def test_the_portfolio_has_what_a_report_may_stumble_over(seen: Seen) -> None:
    customers = seen.raw.customers
    here = [each for each in customers if each["deleted_at"] is None]
    assert len(here) > len(seen.raw.days) - 10 > 30
    assert {each["lifecycle"] for each in here} >= {"active", "atrisk", "churned", "won"}
    assert {each["status"] for each in here} >= {"critical", "at_risk", "watch", "unscored"}
    assert any(each["override"] for each in here)
    assert any(each["deleted_at"] for each in customers)
    assert any(each["mrr"] is None for each in here)
    assert any(len(each["name"]) == 80 for each in here)
    assert {None, "Ana Ruiz", "ana ruiz"} <= {each["manager"] for each in here}
    listed = {each["id"] for views in seen.raw.days.values() for each in views}
    assert listed - {each["id"] for each in customers}, "somebody was purged"
    causes = {change["cause"] for each in seen.raw.histories.values() for change in each}
    assert causes >= {"api", "contact", "decay", "model", "restore", "delete"}


@pytest.mark.parametrize("name", OF_BOOK)
@pytest.mark.parametrize("which", FILTERS)
def test_a_report_is_what_the_oracle_expects(seen: Seen, name: str, which: str) -> None:
    filters = FILTERS[which]
    expected = OF_BOOK[name](seen.folio(filters, DAYS.get(name, 30)))
    agree(document_differences(expected, seen.report(name, filters)))


@pytest.mark.parametrize("name", ["portfolio_summary", "weekly_digest", "trend"])
@pytest.mark.parametrize("days", [1, 12, 200])
def test_a_report_looks_back_as_far_as_it_is_asked_to(seen: Seen, name: str, days: int) -> None:
    expected = OF_BOOK[name](seen.folio({}, days))
    agree(document_differences(expected, seen.report(name, {}, days=days)))


@pytest.mark.parametrize("name", OF_ONE)
@pytest.mark.parametrize("days", [90, 9])
def test_a_report_on_one_customer_is_what_the_oracle_expects(
    seen: Seen, name: str, days: int
) -> None:
    wrong = []
    for each, view in seen.raw.whole.items():
        expected = OF_ONE[name](seen.folio({}, days), each)
        found = seen.report(name, {}, customer_id=each, days=days)
        wrong += [f"{view['name']}: {each}" for each in document_differences(expected, found)]
    agree(wrong)


def test_no_report_is_left_out() -> None:
    assert set(BY_NAME) == {*OF_BOOK, *OF_ONE}


ANSWERS: Mapping[str, Callable[[Folio], Mapping[str, Any]]] = {
    "get_portfolio": get_portfolio,
    "get_segments": group_documents.get_segments,
    "get_csm_performance": group_documents.get_csm_performance,
    "get_renewals": renewals.get_renewals,
    "get_cohorts": get_cohorts,
}
TRENDS = {
    "90d": (90, "health_score", "nps"),
    "30d": (30, "mrr", "at_risk_mrr"),
    "7d": (7, "adoption", "customers"),
    "1yr": (365, "at_risk", "arr"),
    "ytd": (105, "csat", "logins"),
}


@pytest.mark.parametrize("which", FILTERS)
@pytest.mark.parametrize("action", ANSWERS)
def test_an_answer_is_what_the_oracle_expects(seen: Seen, action: str, which: str) -> None:
    filters = FILTERS[which]
    days = 7 if action == "get_csm_performance" else 30
    seen.same(action, ANSWERS[action](seen.folio(filters, days)), **filters)


@pytest.mark.parametrize("which", FILTERS)
@pytest.mark.parametrize("span", TRENDS)
def test_a_trend_is_what_the_oracle_expects(seen: Seen, which: str, span: str) -> None:
    filters = FILTERS[which]
    days, metric, secondary = TRENDS[span]
    over = {"managers": ["Ana Ruiz", "chloé petit", "Nobody"], "customers": [*seen.raw.whole][3:7]}
    expected = courses.get_trend(seen.folio(filters, days), span, metric, secondary, **over)
    seen.same(
        "get_trend", expected, **filters, range=span, metric=metric, secondary=secondary,
        overlay_managers=over["managers"], overlay_customers=over["customers"],
    )  # fmt: skip


def test_a_portfolio_says_the_same_as_the_reports(seen: Seen) -> None:
    totals = seen.api.get("get_portfolio").data["totals"]
    for name in ("portfolio_summary", "weekly_digest"):
        [kpis] = [
            each["figures"]
            for each in seen.report(name, {}, days=30)["sections"]
            if each["name"] == "kpis"
        ]
        shown = {each["name"]: (each["value"], each["previous"]) for each in kpis}
        known = {total: of for total, of in totals.items() if total in shown}
        assert len(known) >= len(totals) - (name == "weekly_digest")
        for total, of in known.items():
            assert shown[total] == (of["value"], of["previous"])


@pytest.mark.parametrize("name", ["portfolio_summary", "weekly_digest"])
@pytest.mark.parametrize("days", [7, 30, 200])
def test_what_was_and_what_came_and_went_make_what_is(seen: Seen, name: str, days: int) -> None:
    sections = {each["name"]: each for each in seen.report(name, {}, days=days)["sections"]}
    kpis = {each["name"]: each for each in sections["kpis"]["figures"]}
    came, went = kpis["joined"]["value"], kpis["left"]["value"]
    customers = kpis["customers"]
    assert customers["previous"] + came - went == customers["value"]
    [series] = sections["movement"]["series"]
    opening, *_, closing = series["values"]
    average = kpis["average_score"]
    assert (opening, closing) == (average["previous"], average["value"])


def test_renewals_and_cohorts_are_cut_as_they_are_asked_for(seen: Seen) -> None:
    folio = seen.folio({}, 30)
    first, last = date(2026, 5, 3), date(2026, 7, 15)
    for category in ("commit", "best_case", "at_risk", "unknown"):
        expected = renewals.get_renewals(folio, first, last, category)
        seen.same("get_renewals", expected, since=str(first), until=str(last),
                  forecast_category=category)  # fmt: skip
    expected = get_cohorts(folio, "quarter", 6)
    seen.same("get_cohorts", expected, cohort_period="quarter", months_out=6)


@pytest.mark.parametrize("name", BY_NAME)
def test_the_csv_of_a_report_is_its_table(seen: Seen, name: str) -> None:
    more = {"customer_id": next(iter(seen.raw.whole))} if name in OF_ONE else {}
    document = seen.report(name, {}, **more)
    for section in document["sections"]:
        if section["section"] != "table":
            continue
        asked = {"report": name, "format": "csv", "table": section["name"], **more}
        text = seen.api.post("run_report", asked).body
        header, *rows = csv.reader(io.StringIO(text, newline=""))
        assert header == [column["name"] for column in section["columns"]]
        wanted = [list(row.values()) for row in section["rows"]]
        assert [[_cell(value) for value in row] for row in wanted] == [
            [_cell(value) for value in row] for row in rows
        ]


def test_an_export_is_the_customers_as_they_are_listed(seen: Seen) -> None:
    for filters in FILTERS.values():
        text = seen.api.post("export_customers", filters).body
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        here = [view for view in seen.raw.whole.values() if meant(view, filters)]
        here.sort(key=lambda view: (view["name"].casefold(), view["id"]))
        assert [row["id"] for row in rows] == [view["id"] for view in here]
        for row, view in zip(rows, here, strict=True):
            assert {name: _cell(value) for name, value in row.items()} == {
                name: _cell(view[name]) for name in row
            }


def _cell(value: Any) -> str:
    """Return a value as text, numbers as the shortest."""
    if isinstance(value, list):
        return ",".join(value)
    if isinstance(value, bool):
        return str(value).lower()
    text = "" if value is None else str(value)
    try:
        return repr(float(text))
    except ValueError:
        return text
