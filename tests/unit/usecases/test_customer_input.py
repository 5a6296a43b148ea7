"""A customer as Zapier, CSV files and people send it, read into a patch."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import a_context, a_model
from tests.unit.usecases.reading import patch_of, refused

from vitals.domain.errors import ValidationError
from vitals.domain.patch import OverrideRequest, Patch
from vitals.usecases.customer_input import read_customer
from vitals.usecases.upsert_account import UpsertInput


def test_the_documented_example() -> None:
    patch, warnings = patch_of(
        {
            "name": "Acme Corp",
            "mrr": 5000,
            "logins": 22,
            "adoption": 75,
            "tickets": 1,
            "tier": "mid",
            "manager": "Sarah",
        }
    )
    assert patch == Patch(
        fields={"mrr": 5000, "tier": "mid", "manager": "Sarah"},
        signals={"logins": 22, "adoption": 75, "tickets": 1},
        given=frozenset({"logins", "adoption", "tickets"}),
    )
    assert warnings == []


@pytest.mark.parametrize(
    ("given_", "error"),
    [
        ({"logins": "abc"}, ("logins", "must_be_number")),
        ({"logins": True}, ("logins", "must_be_number")),
        ({"logins": "NaN"}, ("logins", "must_be_number")),
        ({"logins": "Infinity"}, ("logins", "must_be_number")),
        ({"logins": float("nan")}, ("logins", "must_be_number")),
        ({"logins": [22]}, ("logins", "must_be_number")),
        ({"logins": -1}, ("logins", "must_be_non_negative")),
        ({"open_tickets": "x"}, ("open_tickets", "must_be_number")),
        ({"adoption": 100.1}, ("adoption", "out_of_range")),
        ({"nps": 11}, ("nps", "out_of_range")),
        ({"csat": 0}, ("csat", "out_of_range")),
        ({"growth": "huge"}, ("growth", "unknown_value")),
        ({"growth": 3}, ("growth", "unknown_value")),
        ({"days": 36_501}, ("days", "out_of_range")),
        ({"days": -1}, ("days", "must_be_non_negative")),
        ({"mrr": -1}, ("mrr", "must_be_non_negative")),
        ({"mrr": False}, ("mrr", "must_be_number")),
        ({"arr": 10**14}, ("arr", "out_of_range")),
        ({"tier": "giant"}, ("tier", "unknown_value")),
        ({"lifecycle": "risk"}, ("lifecycle", "unknown_value")),
        ({"renewal_date": "03/04/2026"}, ("renewal_date", "must_be_date")),
        ({"score": 101}, ("score", "out_of_range")),
        ({"score": "high"}, ("score", "must_be_number")),
        ({"scoring_profile": "none such"}, ("scoring_profile", "unknown_value")),
        ({"custom_fields": "x"}, ("custom_fields", "must_be_object")),
        ({"signals": [1]}, ("signals", "must_be_object")),
        ({"tags": {"a": 1}}, ("tags", "must_be_strings")),
        ({"override_reason": "why"}, ("override_reason", "needs_score")),
        ({"override_sticky": False}, ("override_sticky", "needs_score")),
        ({"score": 5, "override_expires_at": "2020-01-01"}, ("override_expires_at", "in_the_past")),
        ({"last_contact_date": "2026-03-04"}, ("last_contact_date", "in_the_future")),
    ],
)
def test_what_is_refused(given_: dict[str, Any], error: tuple[str, str]) -> None:
    assert refused({"name": "Acme", **given_}) == [error]


def test_every_failing_field_is_named_at_once_whatever_is_wrong_with_it() -> None:
    assert refused(
        {
            "name": "x" * 201,
            "tier": "giant",
            "mrr": "abc",
            "logins": "many",
            "signals": {"nps": 99, "csat": "{{csat}}"},
            "scoring_profile": "none such",
            "last_contact_date": "2030-01-01",
            "score": 10,
            "override_expires_at": "2020-01-01",
            "nmae": "Acme",
            "strict": True,
        }
    ) == [
        ("last_contact_date", "in_the_future"),
        ("logins", "must_be_number"),
        ("mrr", "must_be_number"),
        ("name", "too_long"),
        ("nmae", "unknown_field"),
        ("nps", "out_of_range"),
        ("override_expires_at", "in_the_past"),
        ("scoring_profile", "unknown_value"),
        ("tier", "unknown_value"),
    ]


def test_no_field_is_blamed_for_another() -> None:
    assert refused({"name": "Acme", "score": "high", "override_reason": "why"}) == [
        ("score", "must_be_number")
    ]
    assert refused({"name": "Acme", "tier": "giant", "logins": "{{logins}}", "nps": ""}) == [
        ("tier", "unknown_value")
    ]


def test_blanks_and_templates_are_not_given_wherever_they_stand() -> None:
    patch, warnings = patch_of(
        {
            "name": "Acme",
            "logins": "",
            "nps": " ",
            "manager": "",
            "tier": "{{tier}}",
            "signals": {"csat": "", "adoption": "{{adoption}}"},
        }
    )
    assert patch == Patch()
    assert warnings == [
        ("unrendered_template", "tier"),
        ("unrendered_template", "signals.adoption"),
    ]


def test_null_clears() -> None:
    patch, _ = patch_of(
        {"name": "Acme", "mrr": None, "tags": None, "manager": None, "logins": None, "days": None}
    )
    assert patch.fields == {"mrr": None, "tags": (), "manager": None, "last_contact_on": None}
    assert patch.signals == {"logins": None}
    assert patch.given == {"logins", "days"}


def test_an_unknown_field_is_told_with_what_was_meant() -> None:
    _, _, warnings = read_customer(
        a_context(), {"name": "Acme", "ticket": 3, "signals": {"login": 4}}, UpsertInput
    )
    assert [(each["field"], each["did_you_mean"]) for each in warnings] == [
        ("ticket", "tickets"),
        ("signals.login", "logins"),
    ]
    assert refused({"name": "Acme", "ticket": 3, "signals": {"login": 4}, "strict": 1}) == [
        ("signals.login", "unknown_field"),
        ("ticket", "unknown_field"),
    ]


def test_amounts_keep_whole_cents_and_say_so() -> None:
    patch, warnings = patch_of({"name": "Acme", "mrr": "99.995"})
    assert patch.fields["mrr"] == 100
    assert warnings == [("rounded", "mrr")]


@pytest.mark.parametrize(
    ("mrr", "arr", "warned"),
    [
        (100, 1200, False),
        (100, 1212, False),
        (100, Decimal("1212.13"), True),
        (100, 1000, True),
        (0, 100, True),
        (0, 0, False),
    ],
)
def test_mrr_and_arr_that_disagree_by_more_than_a_hundredth_are_told(
    mrr: Any,
    arr: Any,
    warned: bool,
) -> None:
    patch, warnings = patch_of({"name": "Acme", "mrr": mrr, "arr": arr})
    assert (patch.fields["mrr"], patch.fields["arr"]) == (mrr, arr)
    assert (("revenue_mismatch", "arr") in warnings) == warned


def test_a_score_is_set_by_hand() -> None:
    patch, warnings = patch_of(
        {
            "name": "Acme",
            "score": "70",
            "override_reason": "renewed",
            "override_expires_at": "2026-04-01",
            "override_sticky": "yes",
        }
    )
    assert patch.override == OverrideRequest(70, "renewed", datetime(2026, 4, 1, tzinfo=UTC), True)
    assert warnings == []
    rounded, warnings = patch_of({"name": "Acme", "score": 79.5})
    assert rounded.override == OverrideRequest(80)
    assert warnings == [("rounded", "score")]
    zero, _ = patch_of({"name": "Acme", "score": 0})
    assert zero.override == OverrideRequest(0)


def test_a_null_score_clears_and_no_score_does_not() -> None:
    assert patch_of({"name": "Acme", "score": None})[0].clear_override
    assert not patch_of({"name": "Acme"})[0].clear_override
    assert not patch_of({"name": "Acme", "score": ""})[0].clear_override


def test_months_to_renewal_are_the_date_that_they_lead_to_unless_a_date_is_given() -> None:
    patch, _ = patch_of({"name": "Acme", "months_to_renewal": "6"})
    assert patch.fields == {"renewal_date": date(2026, 9, 2)}
    patch, _ = patch_of({"name": "A", "months_to_renewal": 6, "renewal_date": "2026-12-31"})
    assert patch.fields == {"renewal_date": date(2026, 12, 31)}
    assert refused({"name": "Acme", "months_to_renewal": -1}) == [
        ("months_to_renewal", "out_of_range")
    ]


def test_a_note_may_speak_of_templates_but_not_be_one() -> None:
    patch, warnings = patch_of({"name": "Acme", "note": "they ask for {{last_poll}}"})
    assert patch.fields == {"note": "they ask for {{last_poll}}"}
    assert warnings == []
    assert patch_of({"name": "Acme", "note": "{{note}}"}) == (
        Patch(),
        [("unrendered_template", "note")],
    )


def test_a_profile_of_the_model_is_taken() -> None:
    model = a_model(profiles={"Enterprise": {"adoption": 100}})
    assert patch_of({"name": "A", "scoring_profile": "Enterprise"}, model)[0].fields == {
        "scoring_profile": "Enterprise"
    }


anything = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**20), 10**20),
        st.floats(),
        st.decimals(allow_nan=True, allow_infinity=True),
        st.text(max_size=5),
        st.sampled_from(["{{x}}", "N/A", "2026-03-01", "1e5", "atrisk", "true"]),
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=5,
)
names = st.sampled_from(
    [*UpsertInput.model_fields, "logins", "days", "growth", "csat", "customer_since", "typo"]
)


@given(st.dictionaries(names, anything, max_size=6))
@settings(max_examples=250)
def test_whatever_is_sent_is_read_or_refused_by_field(given_: dict[str, Any]) -> None:
    try:
        patch, _ = patch_of(given_)
    except ValidationError as error:
        named = {each.field.removeprefix("signals.") for each in error.errors}
        nested = given_.get("signals")
        sent = {*given_, *(nested if isinstance(nested, dict) else ())}
        assert named <= sent | {UpsertInput.aliases.get(name, name) for name in sent}
    else:
        assert patch.given <= {"logins", "adoption", "tickets", "nps", "csat", "days", "growth"}
