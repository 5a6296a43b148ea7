"""Product events: each counted once, and the score follows at once (LU-048 to 053, AMB-41)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.builders import NOW, TODAY
from tests.integration.actions.api import Api
from tests.integration.actions.ingesting import Answer, Product, an_event

from vitals.domain.errors import IdempotencyMismatchError, ValidationError
from vitals.runtime.wiring import wiring
from vitals.storage import purges
from vitals.storage.events import EventTable
from vitals.storage.ports import StorageBusyError
from vitals.storage.purges import erase_events
from vitals.storage.table import Table
from vitals.usecases.ingest_events import ingest_events


@pytest.fixture
def product(api: Api) -> Product:
    return Product(api)


@pytest.fixture
def acme(api: Api) -> str:
    return str(api.upsert("Acme", external_id="crm-1", adoption=50)["id"])


def test_the_documented_batch_is_accepted_and_scored_at_once(product: Product, acme: str) -> None:
    before = product.customer(acme)
    answer = product.ingest(
        [
            an_event(acme, user_email="Ann@Acme.example", properties={"plan": "pro"}),
            an_event(acme, "report_viewed", user_email="bob@acme.example"),
        ]
    )
    after = product.customer(acme)
    assert (answer["accepted"], answer["rejected"], answer["errors"]) == (2, 0, [])
    assert after.signals["logins"] == 2
    assert (after.version, after.events_until) == (before.version + 1, TODAY)
    assert after.received["logins"].source == "events"
    [shown] = answer["data"]["customers"]
    assert shown == {
        "id": acme, "score": after.score, "status": after.status, "unchanged": False,
    }  # fmt: skip
    assert after.score != before.score
    [change, _] = product.api.get("get_history", id=acme).data
    assert (change["action"], change["cause"]) == ("ingest_events", "api")


def test_one_bad_event_never_costs_the_others(product: Product, acme: str) -> None:
    good = an_event(acme)
    cases: list[tuple[object, str, str | None]] = [
        ("login", "must_be_object", "events"),
        (an_event(acme, ""), "required", "event_name"),
        (an_event(acme, "a" * 101), "too_long", "event_name"),
        (an_event(acme, "a\nb"), "must_be_text", "event_name"),
        ({"event_name": "login"}, "required", "customer_id"),
        (an_event("nobody"), "customer_not_found", "customer_id"),
        ({"customer_external_id": "crm-2", "event_name": "login"}, "customer_not_found",
         "customer_id"),
        (an_event(acme, timestamp="yesterday"), "must_be_instant", "timestamp"),
        (an_event(acme, timestamp=NOW - timedelta(days=30, seconds=1)), "too_old", "timestamp"),
        (an_event(acme, timestamp=NOW + timedelta(hours=1, seconds=1)), "in_the_future",
         "timestamp"),
        (an_event(acme, user_email="a" * 255), "too_long", "user_email"),
        (an_event(acme, external_id="a" * 129), "too_long", "external_id"),
        (an_event(acme, properties=[]), "must_be_object", "properties"),
        (an_event(acme, properties={str(n): n for n in range(51)}), "too_large", "properties"),
        (an_event(acme, properties={"a": {"b": {"c": {}}}}), "too_deep", "properties"),
        (an_event(acme, properties={"a": "ä" * 5000}), "too_large", "properties"),
        (an_event(acme, properties={"a": 2**60}), "out_of_range", "properties"),
    ]  # fmt: skip
    sent = [each for bad, _, _ in cases for each in (bad, good)]
    answer = product.ingest(sent)
    found = [(error["index"], error["code"], error["field"]) for error in answer["errors"]]
    assert found == [(2 * n, code, field) for n, (_, code, field) in enumerate(cases)]
    assert (answer["accepted"], answer["rejected"]) == (len(cases), len(cases))
    assert product.counted(acme) == {(TODAY, "login"): len(cases)}


def test_the_oldest_and_the_newest_that_are_taken_count_on_their_own_days(
    product: Product, acme: str
) -> None:
    product.api.later(hours=11, minutes=30)
    now = product.api.clock.now
    answer = product.ingest(
        [
            an_event(acme, timestamp=now - timedelta(days=30), user_id="1"),
            an_event(acme, timestamp=now + timedelta(hours=1), user_id="2"),
            an_event(acme, user_id="3"),
        ]
    )
    assert answer["accepted"] == 3
    tomorrow = TODAY + timedelta(days=1)
    assert {day for day, _ in product.counted(acme)} == {
        TODAY - timedelta(days=30), TODAY, tomorrow
    }  # fmt: skip
    # Thirty days with today: the oldest is out, and tomorrow's counts when it has come.
    assert product.customer(acme).signals["logins"] == 1
    assert product.customer(acme).events_until == tomorrow


def test_a_day_is_the_tenants(product: Product, acme: str) -> None:
    product.api.post("update_config", {"time_zone": "Asia/Tokyo", "rescore": False})
    product.ingest([an_event(acme, timestamp=NOW + timedelta(hours=h)) for h in (-10, 0)])
    product.ingest([an_event(acme, timestamp=NOW - timedelta(hours=22))])
    assert product.counted(acme) == {
        (TODAY, "login"): 2, (TODAY - timedelta(days=1), "login"): 1
    }  # fmt: skip


@pytest.mark.parametrize("envelope", [{}, {"events": []}, {"events": {}}, {"events": [{}] * 1001}])
def test_a_bad_envelope_is_refused(product: Product, envelope: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as refused:
        ingest_events(product.context(), envelope)
    assert [error.field for error in refused.value.errors] == ["events"]


def test_an_event_is_known_by_its_external_id_whatever_else_it_says(
    product: Product, acme: str
) -> None:
    first = an_event(acme, external_id="e-1")
    later = an_event(acme, "other", external_id="e-1", timestamp=NOW - timedelta(days=3))
    assert product.ingest([first, first])["duplicates"] == 1
    product.api.later(days=20)
    answer = product.ingest([first, later, an_event(acme, external_id="e-2")])
    assert (answer["accepted"], answer["duplicates"], answer["rejected"]) == (3, 2, 0)
    assert sum(product.counted(acme).values()) == 2


def test_an_external_id_is_forgotten_in_the_end(product: Product, acme: str) -> None:
    for days, duplicates in ((0, 0), (34, 1), (1, 0)):
        product.api.later(days=days)
        assert product.ingest([an_event(acme, external_id="e-1")])["duplicates"] == duplicates


def test_another_customer_may_have_the_same_external_id(product: Product, acme: str) -> None:
    bolt = product.api.upsert("Bolt")["id"]
    answer = product.ingest([an_event(each, external_id="e-1") for each in (acme, bolt)])
    assert answer["duplicates"] == 0


def test_a_batch_that_is_repeated_writes_nothing(product: Product, acme: str) -> None:
    batch = [an_event(acme, user_id="1", external_id=f"e-{n}") for n in range(5)]
    product.ingest(batch)
    before = product.api.stored()
    answer = product.ingest(batch)
    assert (answer["duplicates"], answer["data"]["customers"][0]["unchanged"]) == (5, True)
    assert product.api.stored() == before


def test_a_key_replays_its_answer_and_refuses_another_body(product: Product, acme: str) -> None:
    batch = [an_event(acme, user_id="1"), an_event("nobody")]
    first = product.ingest(batch, key="k")
    assert not product.replayed
    product.ingest([an_event(acme, user_id="2")])
    assert (product.ingest(batch, key="k"), product.replayed) == (first, True)
    assert sum(product.counted(acme).values()) == 2
    with pytest.raises(IdempotencyMismatchError):
        product.ingest([an_event(acme)], key="k")


def test_what_there_was_no_time_for_goes_on_under_the_same_key(product: Product, acme: str) -> None:
    batch = [an_event(acme, user_id="1")] * 2
    product.seconds = 1
    answer = product.ingest(batch, key="k")
    assert [error["code"] for error in answer["errors"]] == ["not_attempted"] * 2
    product.seconds = 29
    with pytest.raises(IdempotencyMismatchError):
        product.ingest([an_event(acme)], key="k")
    assert (product.ingest(batch, key="k")["accepted"], product.replayed) == (2, False)
    assert product.ingest(batch, key="k")["duplicates"] == 0
    assert sum(product.counted(acme).values()) == 2


def test_of_two_requests_under_one_key_at_once_the_first_to_end_is_replayed(
    product: Product, acme: str
) -> None:
    batch = [an_event(acme, user_id="1")] * 2
    first: list[Answer] = []

    def meanwhile() -> bool:
        first.append(product.ingest(batch, key="k"))
        return True

    slower = replace(product.context("k", batch), has_time=meanwhile)
    late = ingest_events(slower, {"events": batch})
    assert [(each["accepted"], each["duplicates"]) for each in (*first, late)] == [(2, 0), (2, 2)]
    assert (product.ingest(batch, key="k"), product.replayed) == (first[0], True)
    assert sum(product.counted(acme).values()) == 2


def test_events_without_any_identity_count_each_time(product: Product, acme: str) -> None:
    product.ingest([an_event(acme)] * 2)
    product.ingest([an_event(acme)] * 2)
    assert product.counted(acme) == {(TODAY, "login"): 4}


def test_a_customer_in_the_trash_takes_none_and_has_its_own_back_when_restored(
    product: Product, acme: str
) -> None:
    product.ingest([an_event(acme, user_id="1")])
    product.api.post("delete_customer", {"id": acme})
    answer = product.ingest([an_event(acme, user_id="2")])
    assert [error["code"] for error in answer["errors"]] == ["customer_not_found"]
    product.api.post("restore_customer", {"id": acme})
    product.ingest([an_event(acme, user_id="2")])
    assert product.customer(acme).signals["logins"] == 2


def test_a_purge_erases_every_event(product: Product, acme: str) -> None:
    product.ingest([an_event(acme, user_email="ann@acme.example", external_id="e-1")])
    product.api.post("delete_customer", {"id": acme, "hard": True})
    assert product.items(acme) == {}
    assert product.listed() == []
    answer = product.ingest([an_event(acme)])
    assert [error["code"] for error in answer["errors"]] == ["customer_not_found"]
    assert product.items(acme) == {}


@pytest.mark.parametrize("hard", [False, True])
def test_a_customer_that_goes_while_its_events_come_takes_none(
    product: Product, acme: str, monkeypatch: pytest.MonkeyPatch, *, hard: bool
) -> None:
    real = EventTable.commit

    def late(self: EventTable, tenant: Any, commit: Any) -> None:
        monkeypatch.setattr(EventTable, "commit", real)
        product.api.post("delete_customer", {"id": acme, "hard": hard})
        real(self, tenant, commit)

    product.ingest([an_event(acme, user_id="1")])
    monkeypatch.setattr(EventTable, "commit", late)
    # Nothing but the ledger moves: the customer itself would not be written.
    answer = product.ingest([an_event(acme, user_id="1")])
    assert [error["code"] for error in answer["errors"]] == ["customer_not_found"]
    assert sum(product.counted(acme).values()) == (0 if hard else 1)


def test_a_tenant_that_is_erased_leaves_no_events(product: Product, acme: str) -> None:
    product.ingest([an_event(acme, user_id="1", external_id="e-1")])
    wiring().tenants.erase(product.api.tenant, lambda: True)
    assert product.items(acme) == {}


def test_an_override_stays_when_computed_signals_move(product: Product, acme: str) -> None:
    product.api.post("upsert_account", {"id": acme, "score": 90})
    product.ingest([an_event(acme, user_id="1")])
    found = product.customer(acme)
    assert (found.score, found.signals["logins"]) == (90, 1)
    assert found.override is not None


def test_a_value_pushed_by_hand_stays_until_it_is_cleared(product: Product, acme: str) -> None:
    product.api.post("upsert_account", {"id": acme, "logins": 12})
    product.ingest([an_event(acme, user_id="1")])
    shown = product.signals(acme)["logins"]
    assert (shown["value"], shown["source"], shown["computed_value"]) == (12, "pushed", 1)
    assert (shown["held_back"], shown["by"]) == ({"reason": "pushed_by_hand"}, "a key")
    product.api.post("upsert_account", {"id": acme, "logins": None})
    assert product.customer(acme).signals.get("logins") is None
    product.ingest([an_event(acme, user_id="1")])
    shown = product.signals(acme)["logins"]
    assert (shown["value"], shown["source"], shown["held_back"]) == (1, "events", None)


def test_a_key_that_is_called_events_pushes_by_hand(product: Product, acme: str) -> None:
    named = product.api.another_key("customers:write", name="events")
    named.post("upsert_account", {"id": acme, "logins": 12})
    product.ingest([an_event(acme, user_id="1")])
    assert product.customer(acme).signals["logins"] == 12


@pytest.mark.parametrize(
    ("owner", "by", "refused"),
    [("events", "events", True), ("events", "a key", True), ("CRM", "a key", True),
     ("CRM", "CRM", False), (None, "a key", False)],
)  # fmt: skip
def test_only_the_owner_pushes_a_signal(
    product: Product, acme: str, owner: str | None, by: str, *, refused: bool
) -> None:
    """AMB-60."""
    defined = {} if owner == "events" else {"computed": None}
    given = {"signals": {"logins": {"owner": owner, **defined}}, "rescore": False}
    assert product.api.post("update_config", given).status == 200
    product.api.restart()
    holder = product.api.another_key("customers:write", name=by)
    for action, sent in (
        ("upsert_account", {"id": acme, "login_frequency": 3}),
        ("update_health", {"id": acme, "field": "logins", "value": 4}),
    ):
        reply = holder.post(action, sent)
        assert reply.status == (400 if refused else 200)
        if refused:
            assert set(reply.refused.values()) == {"not_owner"}
            assert str(owner) in reply.body["errors"][0]["message"]


@pytest.mark.parametrize(
    ("signal", "field", "code"),
    [
        ({"computed": True}, "signals.seats.computed", "unknown_value"),
        ({"computed": {"aggregate": "sum", "window_days": 3}}, "signals.seats.computed.property",
         "required"),
        ({"computed": {"aggregate": "count", "property": "a", "window_days": 3}},
         "signals.seats.computed.property", "conflicting_fields"),
        ({"computed": {"aggregate": "count", "window_days": 91}},
         "signals.seats.computed.window_days", "out_of_range"),
        ({"computed": {"aggregate": "mean", "window_days": 9}},
         "signals.seats.computed.aggregate", "unknown_value"),
        ({"computed": {"aggregate": "count", "window_days": 9}, "owner": "CRM"},
         "signals.seats.owner", "conflicting_fields"),
        ({"owner": "events"}, "signals.seats.owner", "needs_computed"),
        ({"computed": {"aggregate": "count", "window_days": 9},
          "curve": {"type": "choice", "options": {"a": 1}}},
         "signals.seats.computed.aggregate", "conflicting_fields"),
    ],
)  # fmt: skip
def test_a_definition_that_makes_no_sense_is_refused(
    api: Api, signal: dict[str, object], field: str, code: str
) -> None:
    seats = {"weight": 0, "curve": {"type": "linear", "zero": 0, "full": 9}, **signal}
    assert api.post("update_config", {"signals": {"seats": seats}}).refused == {field: code}


def test_days_since_contact_are_neither_computed_nor_owned(api: Api) -> None:
    for more in ({"owner": "CRM"}, {"computed": {"aggregate": "count", "window_days": 3}}):
        [code] = api.post("update_config", {"signals": {"days": more}}).refused.values()
        assert code == "read_only"


def test_true_is_the_default_definition_of_that_name(api: Api) -> None:
    curve = {"type": "linear", "zero": 0, "full": 9}
    given = {"signals": {"active_days": {"weight": 0, "curve": curve, "computed": True}}}
    signals = api.post("update_config", given).data["signals"]
    assert signals["active_days"]["computed"] == {
        "aggregate": "distinct_days", "events": [], "window_days": 30
    }  # fmt: skip


def test_signals_say_what_is_known_and_by_whom(product: Product, acme: str) -> None:
    product.api.post("upsert_account", {"id": acme, "last_contact_date": "2026-03-01"})
    product.ingest([an_event(acme, user_id=str(n), timestamp=NOW - timedelta(days=n))
                    for n in range(3)])  # fmt: skip
    found = product.signals(acme)
    assert found.keys() == {*product.api.get("get_config").data["signals"], "active_days",
                            "active_users"}  # fmt: skip
    assert (found["logins"]["value"], found["logins"]["source"]) == (3, "events")
    assert (found["adoption"]["value"], found["adoption"]["by"]) == (50, "a key")
    assert (found["days"]["value"], found["days"]["source"]) == (1, "contact")
    assert found["nps"]["source"] is None
    beside = found["active_users"]
    assert (beside["in_model"], beside["value"], beside["computed_value"]) == (False, None, 3)


def test_an_event_without_effect_on_the_customer_leaves_it_as_it_is(
    product: Product, acme: str
) -> None:
    product.ingest([an_event(acme, user_id="1")])
    before = product.customer(acme)
    product.api.later(hours=1)
    answer = product.ingest([an_event(acme, user_id="1")])
    assert product.customer(acme) == before
    assert answer["data"]["customers"][0]["unchanged"] is True
    product.api.later(days=1)
    product.ingest([an_event(acme, user_id="1")])
    assert product.customer(acme).signals["logins"] == 2


@pytest.mark.parametrize("kept", [True, False])
def test_of_a_bad_event_three_errors_are_told_and_what_no_item_holds_is_not_kept(
    product: Product, acme: str, *, kept: bool
) -> None:
    """A thousand bad events never make a failure of a batch that is counted."""
    bad = {"customer_id": {}, "event_name": "", "timestamp": "then", "user_id": {}, "properties": 7}
    if not kept:
        bad |= {"customer_external_id": "a\tb", "event_name": "a\nb"}
    batch = [an_event(acme, user_id="1"), *([bad] * 999)]
    first = product.ingest(batch, key="k")
    product.api.later(hours=23)
    again = product.ingest(batch, key="k")
    assert product.replayed is kept
    assert again == {**first, "duplicates": 0 if kept else 1, "data": again["data"]}
    assert Counter(error["index"] for error in again["errors"]) == dict.fromkeys(range(1, 1000), 3)
    assert product.counted(acme) == {(TODAY, "login"): 1}


def test_no_more_is_told_of_fields_that_nobody_reads_than_an_answer_has_room_for(
    product: Product, acme: str
) -> None:
    batch = [an_event(acme) | {f"x{n}_{m}": 1 for m in range(5)} for n in range(100)]
    answer = product.ingest(batch)
    assert answer["accepted"] == 100
    assert [warning["field"] for warning in answer["warnings"]][:6] == [
        *(f"x0_{m}" for m in range(5)), "x1_0"
    ]  # fmt: skip
    assert len(answer["warnings"]) == 100


def test_a_key_that_is_used_again_after_its_day_loses_no_other_events(
    product: Product, acme: str
) -> None:
    """AMB-40: keys are promised for 24 hours."""
    product.ingest([an_event(acme)], key="nightly")
    product.api.later(hours=25)
    answer = product.ingest([an_event(acme, "export")], key="nightly")
    assert (answer["accepted"], answer["duplicates"]) == (1, 0)
    assert [event["event_name"] for event in product.listed()] == ["export", "login"]


def test_a_stored_answer_shows_nothing_of_a_customer_that_was_erased(
    product: Product, acme: str
) -> None:
    """AMB-13."""
    bolt = product.api.upsert("Bolt")["id"]
    batch = [an_event(each, user_id="1") for each in (acme, bolt)]
    first = product.ingest(batch, key="k")
    product.api.post("delete_customer", {"id": acme, "hard": True})
    again = product.ingest(batch, key="k")
    assert product.replayed
    left = [shown for shown in first["data"]["customers"] if shown["id"] == bolt]
    assert again == {**first, "data": {"customers": left}}


def test_an_erasure_that_is_cut_short_goes_on_where_it_was(
    product: Product, acme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purges, "AT_ONCE", 4)
    for _ in range(10):
        product.ingest([an_event(acme)])
    left = [len(product.items(acme))]
    real = Table.delete_many
    calls = iter(range(10**9))

    def tired(self: Table, wanted: Sequence[tuple[str, str]]) -> None:
        if next(calls) % 2:
            raise StorageBusyError
        real(self, wanted)

    monkeypatch.setattr(Table, "delete_many", tired)
    while left[-1]:
        with suppress(StorageBusyError):
            erase_events(product.api.table, product.api.tenant.id, acme)
        left.append(len(product.items(acme)))
    assert left == [12, 8, 4, 0]


def test_an_erasure_asks_for_time_before_it_goes_on(
    product: Product, acme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever erases more than one call may is told so, and what is erased stays erased."""
    monkeypatch.setattr(purges, "AT_ONCE", 2)
    monkeypatch.setattr(purges, "MOST_AT_A_CALL", 4)
    for _ in range(10):
        product.ingest([an_event(acme)])
    with pytest.raises(StorageBusyError):
        erase_events(product.api.table, product.api.tenant.id, acme, most=6)
    assert len(product.items(acme)) == 6
    product.api.post("delete_customer", {"id": acme, "hard": True})
    assert product.items(acme) == {}
