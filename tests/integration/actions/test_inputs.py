"""Input as Zapier, CSV and people send it: read as meant, or refused by name."""

import pytest
from tests.integration.actions.api import Api

ALIASES = {
    "logins_30d": ("logins", 22),
    "login_frequency": ("logins", 22),
    "feature_adoption_pct": ("adoption", 75),
    "open_tickets": ("tickets", 1),
    "days_since_contact": ("days", 3),
    "growth_signal": ("growth", "mild"),
    "customer_since": ("since", "2020-05-01"),
    "last_contact_on": ("last_contact_on", "2026-02-20"),
}


@pytest.mark.parametrize("alias", ALIASES)
def test_the_spellings_of_the_source_are_the_field(api: Api, alias: str) -> None:
    """AMB-57."""
    name, value = ALIASES[alias]
    reply = api.post("upsert_account", {"name": "Acme", alias: value})
    assert (reply.data[name], reply.body["warnings"]) == (value, [])


def test_two_spellings_that_disagree_are_refused(api: Api) -> None:
    data = {"name": "Acme", "logins": 3, "logins_30d": 4, "since": "2020-01-01",
            "customer_since": "2021-01-01"}  # fmt: skip
    reply = api.post("upsert_account", data)
    assert reply.status == 400
    assert set(reply.refused.values()) == {"conflicting_fields"}
    assert len(reply.refused) == 2


@pytest.mark.parametrize(
    ("field", "sent", "stored"),
    [
        ("tier", "Mid-Market", "mid"),
        ("tier", "ENTERPRISE", "enterprise"),
        ("tier", "Small Business", "smb"),
        ("lifecycle", "At Risk", "atrisk"),
        ("lifecycle", "at_risk", "atrisk"),
        ("lifecycle", "Won/Upsold", "won"),
        ("growth", "Strong", "strong"),
        ("growth", "N/A", None),
        ("growth", "na", None),
        ("sentiment", "Positive", "positive"),
        ("logins", "22", 22),
        ("logins", " 22.50 ", 22.5),
        ("logins", "1e2", 100),
        ("adoption", "75.5", 75.5),
        ("adoption", 100, 100),
        ("nps", 0, 0),
        ("csat", "4.5", 4.5),
        ("days", "10", 10),
        ("mrr", "5000.00", 5000),
        ("renewal_date", "2026-09-01", "2026-09-01"),
        ("renewal_date", "20260901", "2026-09-01"),
        ("renewal_date", "2026-09-01T23:59:00+02:00", "2026-09-01"),
        ("renewal_date", "2026-W36-2", "2026-09-01"),
        ("next_touch", "2026-03-09T00:00:00Z", "2026-03-09"),
        ("manager", "  Sarah ", "Sarah"),
        ("external_id", 1001, "1001"),
        ("note", "Line 1\nLine 2", "Line 1\nLine 2"),
    ],
)
def test_a_value_is_read_as_it_was_meant(
    api: Api, field: str, sent: object, stored: object
) -> None:
    """AMB-34, AMB-56."""
    assert api.upsert("Acme", **{field: sent})[field] == stored


@pytest.mark.parametrize(
    ("field", "sent", "code"),
    [
        ("logins", "abc", "must_be_number"),
        ("logins", "1,000", "must_be_number"),
        ("logins", True, "must_be_number"),
        ("logins", "NaN", "must_be_number"),
        ("logins", "Infinity", "must_be_number"),
        ("logins", [3], "must_be_number"),
        ("logins", -1, "must_be_non_negative"),
        ("adoption", 101, "out_of_range"),
        ("adoption", "75%", "must_be_number"),
        ("nps", 10.5, "out_of_range"),
        ("nps", -1, "out_of_range"),
        ("csat", 0, "out_of_range"),
        ("csat", 6, "out_of_range"),
        ("days", 40_000, "out_of_range"),
        ("growth", "huge", "unknown_value"),
        ("growth", 3, "unknown_value"),
        ("tier", "gold", "unknown_value"),
        ("lifecycle", "risk", "unknown_value"),
        ("renewal_date", "03/04/2026", "must_be_date"),
        ("renewal_date", "2026-02-30", "must_be_date"),
        ("renewal_date", 20260901, "must_be_date"),
        ("last_contact_date", "2026-03-09", "in_the_future"),
        ("tags", {"a": 1}, "must_be_strings"),
        ("tags", [1], "must_be_strings"),
        ("custom_fields", [1], "must_be_object"),
        ("custom_fields", {"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}}, "too_deep"),
        ("score", 101, "out_of_range"),
        ("name", "x" * 201, "too_long"),
        ("name", ["Acme"], "must_be_string"),
        ("manager", {"name": "Sarah"}, "must_be_string"),
        ("scoring_profile", "startups", "unknown_value"),
        ("override_reason", "a hunch", "needs_score"),
        ("dry_run", "perhaps", "must_be_boolean"),
        ("if_version", 1.5, "must_be_whole"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(
    api: Api, field: str, sent: object, code: str
) -> None:
    reply = api.post("upsert_account", {"name": "Acme", field: sent})
    assert (reply.status, reply.code) == (400, "validation_error")
    assert reply.refused == {field: code}
    assert api.get("list_customers").data == []


def test_every_failing_field_is_named_at_once(api: Api) -> None:
    data = {
        "name": "x" * 300,
        "logins": "many",
        "nps": 11,
        "growth": "up",
        "mrr": -5,
        "tier": "gold",
        "renewal_date": "soon",
        "dry_run": "maybe",
    }
    assert set(api.post("upsert_account", data).refused) == set(data)


def test_a_refusal_says_what_would_be_taken(api: Api) -> None:
    reply = api.post("upsert_account", {"name": "Acme", "lifecycle": "risk"})
    [error] = reply.body["errors"]
    stages = "onboarding, trial, active, atrisk, paused, won, churned"
    assert error["message"] == f"must be one of: {stages}"


def test_a_fraction_of_adoption_is_stored_with_a_warning(api: Api) -> None:
    reply = api.post("upsert_account", {"name": "Acme", "adoption": 0.75})
    assert reply.data["adoption"] == 0.75
    assert reply.warned == {("possible_fraction", "adoption")}
    assert api.post("upsert_account", {"name": "Acme", "adoption": 0}).body["warnings"] == []


def test_a_misspelt_field_is_warned_of(api: Api) -> None:
    reply = api.post("upsert_account", {"name": "Acme", "ticket": 3, "zzz": 1})
    assert reply.warned == {("unknown_field", "ticket"), ("unknown_field", "zzz")}
    meant = {warning["field"]: warning["did_you_mean"] for warning in reply.body["warnings"]}
    assert meant == {"ticket": "tickets", "zzz": None}


def test_a_misspelt_field_is_refused_if_asked(api: Api) -> None:
    data = {"name": "Acme", "ticket": 3, "signals": {"login": 4}, "strict": True}
    reply = api.post("upsert_account", data)
    assert reply.refused == {"ticket": "unknown_field", "signals.login": "unknown_field"}
    assert api.get("list_customers").data == []


def test_signals_may_come_under_signals(api: Api) -> None:
    reply = api.post("upsert_account", {"name": "Acme", "signals": {"logins": "22", "zz": 1}})
    assert reply.data["logins"] == 22
    assert reply.warned == {("unknown_field", "signals.zz")}


def test_a_template_that_was_not_filled_in_counts_as_absent(api: Api) -> None:
    reply = api.post("upsert_account", {"name": "Acme", "manager": "{{owner}}", "logins": "{{x}}"})
    assert (reply.data["manager"], reply.data["logins"]) == (None, None)
    assert reply.warned == {("unrendered_template", "manager"), ("unrendered_template", "logins")}


def test_a_number_is_shown_with_the_digits_it_was_sent_with(api: Api) -> None:
    shown = api.upsert("Acme", logins=0.1, custom_fields={"rate": 0.30000000000000004})
    assert shown["logins"] == 0.1
    assert api.customer(id=shown["id"])["custom_fields"] == {"rate": 0.30000000000000004}
