"""Reports that are asked for: inline, by link, sent, and in everybody's own look."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping

import pytest
from tests.integration.actions.api import Api
from tests.integration.actions.outside import Outside, make_reports

import decay
from vitals.domain.instants import iso
from vitals.domain.reports.catalogue import REPORTS
from vitals.runtime import clock
from vitals.storage.clocks import clock_item
from vitals.usecases import reports
from vitals.usecases.decay import first_due

NAMES = [report.name for report in REPORTS]
MINE = "Acme Corp"


@pytest.fixture
def book(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """The API of a tenant with some customers and a day behind them; waiting makes reports."""
    api.upsert(MINE, logins=20, nps=9, mrr=1000, tier="mid", manager="Ana", days=3, external_id="A")
    api.upsert(
        "Bolt", logins=1, nps=1, mrr=500, tier="smb", manager="Ben", renewal_date="2026-04-01"
    )
    api.upsert("Gone", mrr=200, lifecycle="churned")
    turn(api, days=1)
    api.upsert(MINE, logins=2, nps=3)
    hands = api.clock

    def sleep(seconds: float) -> None:
        hands.sleep(seconds)
        make_reports(api, api.queued_reports())

    monkeypatch.setattr(clock, "sleep", sleep)
    return api


def turn(api: Api, **units: float) -> None:
    """Let the tenant's day turn."""
    api.table.put(clock_item(api.table.item, api.tenant.id, first_due(api.clock.now)))
    api.later(**units)
    decay.handler({"time": iso(api.clock.now)}, api.context)
    api.run_jobs()


def asked(report: str) -> dict[str, object]:
    about = {"customer": "A"} if report == "customer_health" else {}
    return {"report": report, **about}


@pytest.mark.parametrize("report", NAMES)
def test_every_report_names_what_it_is_true_of(book: Api, report: str) -> None:
    document = book.post("run_report", asked(report)).data
    assert document["report"] == report
    assert document["as_of"] == iso(book.clock.now)
    assert (document["time_zone"], document["model_version"]) == ("UTC", 1)
    assert document["headlines"]
    assert any(section["section"] == "table" for section in document["sections"])


@pytest.mark.parametrize("report", NAMES)
def test_every_report_is_a_file_as_csv_of_its_own_table(book: Api, report: str) -> None:
    reply = book.post("run_report", {**asked(report), "format": "csv"})
    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    assert reply.headers["content-disposition"].startswith('attachment; filename="')
    rows = list(csv.DictReader(io.StringIO(reply.body)))
    assert rows


def test_a_table_of_a_report_is_had_by_its_name(book: Api) -> None:
    document = book.post("run_report", {"report": "portfolio_summary"}).data
    tables = [each["name"] for each in document["sections"] if each["section"] == "table"]
    for table in tables:
        asked = {"report": "portfolio_summary", "format": "csv", "table": table}
        assert book.post("run_report", asked).status == 200
    refused = book.post("run_report", {"report": "trend", "format": "csv", "table": "x"}).refused
    assert refused == {"table": "unknown_value"}


@pytest.mark.parametrize(("form", "beginning"), [("pdf", b"%PDF-"), ("html", b"<!doctype html>")])
def test_a_page_is_answered_with_a_link_to_it(
    book: Api, outside: Outside, form: str, beginning: bytes
) -> None:
    answer = book.post("run_report", {"report": "at_risk_accounts", "format": form}).data
    assert answer["state"] == "done"
    key = answer["result"]["file"]
    assert answer["link"]["url"].startswith(f"https://files.example.com/{key}")
    assert outside.files[key].lower().startswith(beginning.lower())
    again = book.post("run_report", {"job_id": answer["id"]}).data
    assert again["link"]["filename"] == f"at-risk-accounts-2026-03-03.{form}"


def test_a_link_is_not_given_when_the_file_is_gone(book: Api) -> None:
    answer = book.post("run_report", {"report": "trend", "format": "html"}).data
    book.later(days=9)
    assert book.post("run_report", {"job_id": answer["id"]}).data["link"] is None


def test_what_is_not_done_yet_is_answered_as_its_job(api: Api) -> None:
    answer = api.post("run_report", {"report": "trend", "format": "pdf"})
    assert (answer.data["state"], answer.data["link"]) == ("queued", None)
    assert answer.body["job_id"] == answer.data["id"]


def test_a_report_that_is_too_large_for_an_answer_is_a_link(
    book: Api, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = book.post("run_report", {"report": "churn_risk", "format": "csv"}).body
    monkeypatch.setattr("vitals.usecases.reports.LARGEST", 10)
    answer = book.post("run_report", {"report": "churn_risk", "format": "csv"}).data
    # As a file it begins with what tells Excel its encoding.
    assert outside.files[answer["result"]["file"]] == b"\xef\xbb\xbf" + whole.encode()


def test_an_answer_is_measured_in_bytes_not_letters() -> None:
    def size(letter: str) -> int:
        rows = [[letter * 100, 1, None]] * 1000
        return reports.size_of({"sections": [{"section": "prose"}, {"rows": rows}]})

    assert size("株") - size("a") == 1000 * 100 * 2


def test_a_report_as_a_file_is_the_one_that_is_answered(book: Api, outside: Outside) -> None:
    asked = {"report": "portfolio_summary", "format": "json"}
    at = book.clock.now
    answered = book.post("run_report", asked).data
    result = book.post("run_report", {**asked, "link": True}).data["result"]
    [stored] = outside.files.values()
    assert json.loads(stored) == answered
    assert (result["bytes"], answered["as_of"]) == (len(stored), iso(at))


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({}, {"report": "required"}),
        ({"report": "profit"}, {"report": "unknown_value"}),
        ({"report": "customer_health"}, {"customer_id": "required"}),
        ({"report": "trend", "days": 0}, {"days": "out_of_range"}),
        ({"report": "trend", "format": "doc"}, {"format": "unknown_value"}),
    ],
)
def test_what_no_report_can_be_made_of_is_refused(
    api: Api, given: Mapping[str, object], refused: Mapping[str, str]
) -> None:
    assert api.post("run_report", given).refused == refused


def test_a_report_about_nobody_is_not_found(api: Api) -> None:
    reply = api.post("run_report", {"report": "customer_health", "customer": "Nobody"})
    assert (reply.status, reply.code) == (404, "customer_not_found")


def test_filters_decide_whom_a_report_is_about(book: Api) -> None:
    rows = book.post("run_report", {"report": "churn_risk", "manager": "ana", "format": "csv"}).body
    assert MINE in rows
    assert "Bolt" not in rows
    document = book.post("run_report", {"report": "churn_risk", "tier": "smb", "tag": "x"}).data
    assert document["filters"] == {"tier": ["smb"], "tag": ["x"]}


def test_exports_are_csv_with_what_follows_from_the_facts(book: Api) -> None:
    reply = book.post("export_customers")
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(reply.body))}
    assert set(rows) == {MINE, "Bolt", "Gone"}
    assert len(rows[MINE]) > 20
    mine = book.customer(external_id="A")
    for name in ("score", "status", "priority_score", "cadence_status", "mrr", "nps"):
        assert rows[MINE][name] == str(mine[name])
    assert rows["Bolt"]["days_until_renewal"] == "29"


def test_a_bulksheet_that_is_sent_back_changes_nothing(book: Api) -> None:
    book.post("upsert_account", {"name": "Bolt", "tags": ["a", "b"], "note": "x", "arr": 7})
    reply = book.post("export_customers", {"columns": "bulksheet"})
    rows = list(csv.DictReader(io.StringIO(reply.body)))
    answer = book.post("batch_upsert", {"customers": rows}).body
    assert [each["status"] for each in answer["results"]] == ["unchanged"] * 3


@pytest.mark.parametrize(
    "given",
    [
        {"name": "=1+1"},
        {"external_id": "-17"},
        {"manager": "@ana"},
        {"note": "- called\n- wrote"},
        {"tags": ["+1", "eu"]},
        {"name": "'Acme"},
    ],
)
def test_text_that_a_spreadsheet_would_run_comes_back_from_a_bulksheet_as_it_was(
    api: Api, given: Mapping[str, object]
) -> None:
    api.post("upsert_account", {"name": "Acme", **given})
    text = api.post("export_customers", {"columns": "bulksheet"}).body
    [row] = csv.DictReader(io.StringIO(text))
    assert not any(value.startswith(("=", "+", "-", "@")) for value in row.values())
    [result] = api.post("batch_upsert", {"customers": [row]}).body["results"]
    assert result["status"] == "unchanged"


@pytest.mark.parametrize("tags", [["new, logo", "eu"], ['"key" account', "eu"], ['5" pipe', "eu"]])
def test_a_tag_is_one_in_every_export_whatever_it_holds(api: Api, tags: list[str]) -> None:
    api.post("upsert_account", {"name": "Acme", "tags": tags})
    [row] = csv.DictReader(io.StringIO(api.post("export_customers").body))
    assert list(csv.reader([row["tags"]])) == [tags]
    text = api.post("export_customers", {"columns": "bulksheet"}).body
    [row] = csv.DictReader(io.StringIO(text))
    [result] = api.post("batch_upsert", {"customers": [row]}).body["results"]
    assert result["status"] == "unchanged"


def test_customers_are_exported_while_some_still_bear_an_older_model(api: Api) -> None:
    api.upsert("Acme", logins=1)
    mood = {"weight": 10, "curve": {"type": "linear", "zero": 0, "full": 10}}
    asked = {"signals": {"mood": mood}, "normalize": True, "rescore": False}
    assert api.post("update_config", asked).status == 200
    api.upsert("Bolt", mood=5)
    for columns in ("customers", "bulksheet"):
        text = api.post("export_customers", {"columns": columns}).body
        rows = csv.DictReader(io.StringIO(text))
        assert [row["mood"] for row in rows] == ["", "5"]


def test_an_edited_bulksheet_changes_what_was_edited(book: Api) -> None:
    rows = list(
        csv.DictReader(io.StringIO(book.post("export_customers", {"columns": "bulksheet"}).body))
    )
    for row in rows:
        row["nps"] = "10"
    book.post("batch_upsert", {"customers": rows})
    assert book.customer(external_id="A")["nps"] == 10


def test_a_formula_in_a_name_is_text_in_a_spreadsheet(api: Api) -> None:
    api.upsert("=1+1")
    [row] = csv.DictReader(io.StringIO(api.post("export_customers").body))
    assert row["name"] == "'=1+1"


PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)


def test_a_tenants_look_is_kept_and_shows_in_its_pages(book: Api, outside: Outside) -> None:
    look = {"name": "Northwind", "accent": "#0A7F5A", "locale": "de-DE", "currency": "EUR"}
    answer = book.post("put_branding", {**look, "logo": f"data:image/png;base64,{PIXEL}"}).data
    assert (answer["accent"], answer["logo"]["type"]) == ("#0a7f5a", "image/png")
    assert book.get("get_branding").data == answer
    assert book.post("put_branding", look).body["unchanged"]
    book.post("run_report", {"report": "portfolio_summary", "format": "html"})
    [page] = outside.files.values()
    assert "Northwind" in page.decode()
    assert "1.500" in page.decode()
    gone = book.post("put_branding", {"logo": None, "currency": None}).data
    assert (gone["logo"], gone["currency"]) == (None, None)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("accent", "blue", "unknown_value"),
        ("locale", "Deutsch", "unknown_value"),
        ("currency", "euro", "unknown_value"),
        ("paper", "a5", "unknown_value"),
        ("logo", "data:image/gif;base64,R0lGODlhAQABAAAAACw=", "must_be_image"),
        ("logo", "PHN2Zz48IURPQ1RZUEUgeD48L3N2Zz4=", "must_be_image"),
    ],
)
def test_a_look_that_no_page_can_have_is_refused(
    api: Api, field: str, value: str, code: str
) -> None:
    assert api.post("put_branding", {field: value}).refused == {field: code}


def test_an_export_under_way_is_had_by_its_job_and_no_report_is(book: Api) -> None:
    reader = book.another_key("customers:read")
    answer = reader.post("export_customers", {"link": True}).data
    again = reader.post("export_customers", {"job_id": answer["id"]}).data
    assert again["link"]["filename"] == "customers-2026-03-03.csv"
    report = book.post("run_report", {"report": "trend", "format": "html"}).data
    reply = reader.post("export_customers", {"job_id": report["id"]})
    assert (reply.status, reply.code) == (404, "job_not_found")


def test_a_report_of_more_accounts_than_an_answer_has_time_for_is_a_job(
    book: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vitals.usecases.reports.MOST_AT_ONCE", 1)
    assert book.post("run_report", {"report": "trend"}).data["state"] == "done"
