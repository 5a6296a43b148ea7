from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.unit.delivery.events import (
    alert,
    changed,
    customer,
    digest,
    disabled,
    event,
    fired,
    greeting,
)

from vitals.delivery.facts import instant, number, signed, text, words
from vitals.delivery.wording import LONGEST_TITLE, SEVERITIES, Message, worded

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KINDS = ("alert.fired", "alert.escalated", "alert.digest", "connection.disabled", "connection.test")
FIELDS = (
    "customer", "alerts", "rule", "moved", "score", "name", "severity", "event", "before", "count",
    "connection", "reason", "at", "from", "days_until_renewal", "renewal_date", "mrr", "delta",
)  # fmt: skip
DOCUMENTS = st.recursive(
    JSON,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6)
    ),
    max_leaves=20,
)


def texts(message: Message) -> list[str]:
    """Return every text of a message."""
    facts = [part for fact in message.facts for part in fact]
    items = [part for item in message.items for part in (item.title, item.text)]
    return [message.title, message.heading, message.footer, *message.lines, *facts, *items]


def test_an_alert_says_whose_what_and_why() -> None:
    message = worded(fired())
    assert message.heading == "Critical: Acme Corp: health below the threshold"
    assert message.lines == ("The score fell from 76 to 40, below 50",)
    assert message.facts == (
        ("Score", "40 (at risk)"),
        ("Tier", "Enterprise"),
        ("Lifecycle", "At risk"),
        ("Manager", "Ann Lee"),
        ("MRR", "12,000.5"),
        ("Renewal", "2026-12-31 (30 days left)"),
        ("Last contact", "2026-11-01"),
        ("What moved", "days 20 → 5.75 (−14.25)"),
    )
    assert message.footer == "Rule: Below 50 · 2026-12-01 09:00 UTC"


def test_several_alerts_are_counted_and_the_gravest_leads() -> None:
    alerts = [alert("nps_detractor", "warning", message="NPS is 3"), alert()]
    message = worded(fired(alerts=alerts))
    assert message.heading == "Critical: Acme Corp: 2 alerts"
    assert message.lines == (
        "Warning: NPS is 3",
        "Critical: The score fell from 76 to 40, below 50",
    )


@pytest.mark.parametrize("gravest", range(4))
def test_the_severity_is_that_of_the_gravest_alert(gravest: int) -> None:
    alerts = [alert(severity=each) for each in reversed(SEVERITIES[gravest:])]
    for payload in (fired(alerts=alerts), digest(alerts=alerts)):
        assert worded(payload).severity == SEVERITIES[gravest]


def test_many_alerts_are_counted_where_there_is_no_room() -> None:
    message = worded(fired(alerts=[alert(message=str(n)) for n in range(1, 21)]))
    assert message.lines[0] == "Critical: 1"
    assert message.lines[-2:] == ("Critical: 7", "… and 13 more")


def test_an_event_is_named_in_words() -> None:
    assert worded(fired(alerts=[alert("nps_detractor")])).title == "Acme Corp: NPS detractor"


def test_a_custom_rule_is_told_by_its_name() -> None:
    message = worded(fired(rule="Big and silent", alerts=[alert("condition")]))
    assert message.title == "Acme Corp: Big and silent"


def test_an_escalation_says_that_it_is_one() -> None:
    message = worded(fired("alert.escalated"))
    assert message.heading == "Critical: Escalated: Acme Corp: health below the threshold"
    assert message.lines[0] == "Nobody has acknowledged this yet."


def test_exposed_revenue_is_told_where_it_is_another_figure() -> None:
    assert ("MRR exposed", "500") in worded(fired(mrr_exposed=500)).facts


def test_a_customer_without_score_or_revenue_is_told_as_far_as_it_is_known() -> None:
    bare = {"id": "01C", "name": "Acme Corp", "score": None, "status": "unscored", "mrr": None}
    message = worded(fired(customer=bare, moved=[], mrr_exposed=None))
    assert message.facts == (("Score", "none (unscored)"),)


@pytest.mark.parametrize(
    ("days", "told"),
    [(1, "(1 day left)"), (0, "(0 days left)"), (-1, "(1 day ago)"), (None, "2026-12-31")],
)
def test_a_renewal_is_told_with_the_days_to_it(days: int | None, told: str) -> None:
    facts = worded(fired(customer=customer(days_until_renewal=days))).facts
    assert dict(facts)["Renewal"].endswith(told)


def test_a_summary_lists_its_alerts_and_counts_the_rest() -> None:
    message = worded(digest(2, 250))
    assert message.heading == "Critical: Daily summary: 250 alerts from Below 50"
    assert (len(message.items), message.more) == (2, 248)
    assert message.items[0].title == "Acme Corp"
    assert message.items[0].text == "Below 50 · score 40 (at risk) · manager Ann Lee · MRR 12,000.5"
    assert message.facts == (("Alerts", "250"), ("MRR exposed", "24,001"))
    assert message.footer == "Rule: Below 50 · 2026-11-30 09:00 UTC to 2026-12-01 09:00 UTC"


@pytest.mark.parametrize(
    ("reason", "begins"),
    [
        ("weekly", "Weekly summary: 1 alert from"),
        ("import", "After an import: 1 alert from"),
        ("model", "After a change of the model: 1 alert from"),
        ("existing", "Already true as the rule begins: 1 alert from"),
        ("other", "Summary: 1 alert from"),
    ],
)
def test_a_summary_says_why_it_comes(reason: str, begins: str) -> None:
    assert worded(digest(1, 1, reason=reason)).title.startswith(begins)


def test_a_disabled_connection_says_why_and_what_now() -> None:
    message = worded(disabled())
    assert message.title == "The connection Our Slack was disabled"
    assert message.lines[0] == "It failed for five days."
    assert ("Address", "https://hooks.slack.com/…") in message.facts


def test_a_test_is_recognised_as_one() -> None:
    message = worded(greeting())
    assert (message.heading, message.lines) == ("Test message from Vitals", ("It works.",))


def test_any_other_event_tells_the_customer_and_what_moved() -> None:
    message = worded(changed())
    assert message.title == "Acme Corp: health changed"
    assert message.facts[0] == ("Score", "76 (healthy) → 40 (at risk)")
    assert message.facts[-1] == ("What moved", "NPS none → 3 (+3)")


def test_an_event_without_customer_tells_what_it_holds() -> None:
    message = worded(event("model.changed", {"version": 3, "previous": 2, "document": {}}))
    assert message.title == "Model changed"
    assert message.facts == (("Version", "3"), ("Previous", "2"))


@given(st.sampled_from(KINDS) | st.text(), DOCUMENTS)
def test_whatever_is_stored_has_words(kind: str, data: Any) -> None:
    message = worded({"type": kind, "data": data})
    assert message.title
    assert len(message.title) <= LONGEST_TITLE
    for each in texts(message):
        assert each == " ".join(each.split())
        each.encode("utf-8")


@given(st.text(st.characters()))
@example("Acme\r\nBcc: everybody@example.com")
@example("\ud800\u202eproC emcA\x00\u2028")
def test_a_text_is_one_printable_line(raw: str) -> None:
    line = text(raw)
    line.encode("utf-8")
    assert text(line) == line
    assert len(line) <= 300
    assert line.isprintable() or not any(ch in line for ch in "\r\n\x00\u2028\u202e\x85")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"), ("-0.0000", "0"), (1234567, "1,234,567"), ("14.2500", "14.25"), (-3, "−3"),
        ("1E+3", "1,000"), ("100", "100"), ("n/a", "n/a"), (float("nan"), "nan"), (None, ""),
        ("1e999999999", "1e999999999"),
    ],
)  # fmt: skip
def test_a_number_is_told_as_people_write_it(value: object, shown: str) -> None:
    assert number(value) == shown


def test_a_change_has_a_sign() -> None:
    assert [signed(each) for each in ("3.10", "-3.1", "0", 2)] == ["+3.1", "−3.1", "0", "+2"]


def test_a_name_is_told_in_words() -> None:
    assert [words(each) for each in ("at_risk", "atrisk", "nps", "customer.updated", None)] == [
        "At risk", "At risk", "NPS", "Customer updated", "",
    ]  # fmt: skip


def test_an_instant_is_told_in_utc() -> None:
    assert instant("2026-12-01T10:30:00.000+02:00") == "2026-12-01 08:30 UTC"
    assert instant("0001-01-01T00:00:00+02:00") == "0001-01-01T00:00:00+02:00"
    assert instant("soon") == "soon"
