"""The write loop: read, decide, commit, and again when somebody else was first."""

import pytest
from tests.unit.usecases.desk import TRIES, Desk, busy

from vitals.domain.errors import (
    AlreadyExistsError,
    BusyError,
    CustomerNotFoundError,
    DuplicateNameError,
    IdempotencyMismatchError,
    InTrashError,
    VersionConflictError,
)
from vitals.usecases.delete_customer import delete_customer
from vitals.usecases.log_contact import log_contact
from vitals.usecases.update_health import update_health
from vitals.usecases.upsert_account import upsert_account


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_write_takes_one_commit(desk: Desk) -> None:
    upsert_account(desk.context(), {"name": "Acme", "logins": 3})
    assert (desk.customers.commits, desk.pauses) == (1, [])


def test_a_dry_run_commits_nothing(desk: Desk) -> None:
    answer = upsert_account(desk.context(), {"name": "Acme", "dry_run": True})
    assert (answer["dry_run"], answer["created"], desk.customers.commits) == (True, True, 0)


def test_a_write_that_changes_nothing_and_brings_nothing_commits_nothing(desk: Desk) -> None:
    acme = desk.upsert(name="Acme", mrr=5)
    desk.customers.commits = 0
    answer = upsert_account(desk.context(), {"id": acme["id"], "mrr": 5})
    assert (answer["unchanged"], desk.customers.commits) == (True, 0)


def test_the_loser_of_a_race_merges_its_field(desk: Desk) -> None:
    acme = desk.upsert(name="Acme", logins=1)["id"]
    desk.customers.events = [lambda: desk.upsert(id=acme, mrr=7)]
    answer = upsert_account(desk.context(), {"id": acme, "logins": 2})
    shown = answer["data"]
    assert (shown["logins"], shown["mrr"], shown["version"]) == (2, 7, 3)
    assert desk.versions(acme) == [3, 2, 1]
    assert desk.pauses == [0]


def test_the_loser_of_a_creation_updates(desk: Desk) -> None:
    desk.customers.events = [lambda: desk.upsert(name="ACME", mrr=7)]
    answer = upsert_account(desk.context(), {"name": "Acme", "logins": 2})
    assert answer["created"] is False
    assert (answer["data"]["mrr"], answer["data"]["logins"]) == (7, 2)


def test_a_loser_who_would_only_create_is_refused(desk: Desk) -> None:
    desk.customers.events = [lambda: desk.upsert(name="ACME")]
    with pytest.raises(AlreadyExistsError):
        upsert_account(desk.context(), {"name": "Acme", "create_only": True})


def test_a_loser_of_a_name_is_refused(desk: Desk) -> None:
    acme = desk.upsert(name="Acme")["id"]
    desk.customers.events = [lambda: desk.upsert(name="Bolt")]
    with pytest.raises(DuplicateNameError):
        upsert_account(desk.context(), {"id": acme, "name": "Bolt"})
    assert desk.stored(acme).name == "Acme"


def test_a_loser_to_a_delete_is_refused(desk: Desk) -> None:
    acme = desk.upsert(name="Acme")["id"]
    desk.customers.events = [lambda: void(delete_customer(desk.context(), {"id": acme}))]
    with pytest.raises(InTrashError):
        update_health(desk.context(), {"id": acme, "field": "mrr", "value": 1})


def test_a_loser_to_a_purge_finds_nobody(desk: Desk) -> None:
    acme = desk.upsert(name="Acme")["id"]
    desk.customers.events = [
        lambda: void(delete_customer(desk.context(), {"id": acme, "hard": True}))
    ]
    with pytest.raises(CustomerNotFoundError):
        log_contact(desk.context(), {"id": acme})


def void(_: object) -> None: ...


def test_a_guarded_loser_is_refused(desk: Desk) -> None:
    acme = desk.upsert(name="Acme")["id"]
    desk.customers.events = [lambda: desk.upsert(id=acme, mrr=7)]
    with pytest.raises(VersionConflictError) as caught:
        upsert_account(desk.context(), {"id": acme, "logins": 2, "if_version": 1})
    assert caught.value.extra == {"if_version": 1, "version": 2}


def test_a_write_that_is_throttled_is_tried_again(desk: Desk) -> None:
    desk.customers.events = [busy] * (TRIES - 1)
    answer = upsert_account(desk.context(), {"name": "Acme"})
    assert (answer["created"], desk.versions(answer["data"]["id"])) == (True, [1])
    assert desk.pauses == list(range(TRIES - 1))


def test_a_write_that_never_gets_through_stores_nothing(desk: Desk) -> None:
    desk.customers.events = [busy] * TRIES
    with pytest.raises(BusyError):
        upsert_account(desk.context(), {"name": "Acme"})
    assert desk.customers.customers == {}


@pytest.mark.parametrize("key", ["", "k"])
def test_a_write_whose_answer_was_lost_is_not_made_again(desk: Desk, key: str) -> None:
    acme = desk.upsert(name="Acme")["id"]
    desk.customers.lost = 1
    answer = log_contact(desk.context(key), {"id": acme})
    assert answer["data"]["version"] == 2
    assert desk.versions(acme) == [2, 1]
    assert desk.pauses == []


def test_a_lost_answer_of_a_write_that_changed_nothing_costs_another_try(desk: Desk) -> None:
    acme = desk.upsert(name="Acme", logins=3)["id"]
    desk.customers.lost = 1
    answer = upsert_account(desk.context(), {"id": acme, "logins": 3})
    assert (answer["unchanged"], desk.versions(acme)) == (True, [1])


def test_a_key_is_answered_as_the_first_time(desk: Desk) -> None:
    first = upsert_account(desk.context("k"), {"name": "Acme"})
    desk.upsert(name="Acme", mrr=7)
    again = desk.context("k")
    assert upsert_account(again, {"name": "Acme"}) == first
    assert again.replays == ["k"]


def test_a_key_with_another_body_is_refused(desk: Desk) -> None:
    upsert_account(desk.context("k"), {"name": "Acme"})
    with pytest.raises(IdempotencyMismatchError):
        upsert_account(desk.context("k", "another"), {"name": "Bolt"})


@pytest.mark.parametrize(
    "data",
    [
        {"name": "Acme", "create_only": True},
        {"name": "Acme", "if_version": 0},
        {"name": "Acme", "external_id": "x", "logins": 3},
    ],
)
def test_the_loser_of_a_race_under_one_key_gets_the_winners_answer(
    desk: Desk, data: dict[str, object]
) -> None:
    """AMB-40: both are one request, so neither is in the other's way."""
    won: list[object] = []
    desk.customers.events = [lambda: won.append(upsert_account(desk.context("k"), data))]
    late = desk.context("k")
    assert upsert_account(late, data) == won[0]
    assert late.replays == ["k"]


@pytest.mark.parametrize(
    "data", [{"name": "Acme", "create_only": True}, {"name": "Acme", "if_version": 0}]
)
def test_a_request_that_is_overtaken_between_its_reads_gets_the_winners_answer(
    desk: Desk, data: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It saw no answer under its key yet, but then the customer that its twin made."""
    won: list[object] = []
    answer = desk.customers.answer

    def overtaken(*asked: object) -> object:
        found = answer(*asked)  # type: ignore[arg-type] # whatever it is asked with
        if not won:
            won.append(None)
            won[0] = upsert_account(desk.context("k"), data)
        return found

    monkeypatch.setattr(desk.customers, "answer", overtaken)
    assert upsert_account(desk.context("k"), data) == won[0]


def test_the_loser_of_a_race_under_one_key_with_another_body_is_refused(desk: Desk) -> None:
    desk.customers.events = [lambda: void(upsert_account(desk.context("k"), {"name": "Acme"}))]
    with pytest.raises(IdempotencyMismatchError):
        upsert_account(desk.context("k", "another"), {"name": "Bolt"})


def test_every_try_of_a_write_has_a_change_of_its_own(desk: Desk) -> None:
    """Or a lost try could be taken for the one that was made."""
    acme = desk.upsert(name="Acme")["id"]
    desk.customers.events = [
        lambda: desk.upsert(id=acme, mrr=1),
        lambda: desk.upsert(id=acme, mrr=2),
    ]
    upsert_account(desk.context(), {"id": acme, "logins": 1})
    made = [change.id for change in desk.customers.changes[desk.context().tenant.id].values()]
    assert len(set(made)) == len(made) == 4
    assert desk.stored(acme).change_id == made[-1]


def test_versions_go_on_when_the_clock_steps_back(desk: Desk) -> None:
    acme = desk.upsert(name="Acme", mrr=1)["id"]
    before = desk.stored(acme).updated_at
    desk.now = desk.now.replace(hour=0)
    desk.upsert(id=acme, mrr=2)
    assert desk.stored(acme).updated_at > before
    assert desk.versions(acme) == [2, 1]
