"""A purge goes on until nothing is left, whoever writes meanwhile."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.usecases.desk import TRIES, Desk

from vitals.domain.errors import (
    BusyError,
    CustomerNotFoundError,
    ForbiddenError,
    VersionConflictError,
)
from vitals.storage.ports import StorageBusyError
from vitals.usecases.context import Context
from vitals.usecases.delete_customer import delete_customer


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def acme(desk: Desk) -> str:
    return str(desk.upsert(name="Acme", external_id="x", note="secret")["id"])


def purge(context: Context, acme: str, **more: object) -> Any:
    return delete_customer(context, {"id": acme, "hard": True, **more})


def once(desk: Desk, event: Callable[[], object]) -> Callable[..., None]:
    """A purge before which, the first time, *event* happens."""
    real, left = desk.customers.purge, [event]

    def purging(*asked: Any) -> None:
        if left:
            left.pop()()
        real(*asked)

    return purging


def test_a_purge_leaves_its_own_change(desk: Desk, acme: str) -> None:
    purge(desk.context(), acme)
    assert (desk.stored(acme), desk.versions(acme)) == (None, [2])
    assert "secret" not in str(vars(desk.customers))


def test_a_purge_takes_what_was_written_meanwhile_too(
    desk: Desk, acme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk.customers, "purge", once(desk, lambda: desk.upsert(id=acme, mrr=1)))
    assert purge(desk.context(), acme)["already_deleted"] is False
    assert (desk.stored(acme), desk.versions(acme)) == (None, [3])


def test_a_guarded_purge_leaves_what_was_written_meanwhile(
    desk: Desk, acme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk.customers, "purge", once(desk, lambda: desk.upsert(id=acme, mrr=1)))
    with pytest.raises(VersionConflictError) as caught:
        purge(desk.context(), acme, if_version=1)
    assert caught.value.extra == {"if_version": 1, "version": 2}
    assert (desk.stored(acme).mrr, desk.versions(acme)) == (1, [2, 1])


def test_two_purges_at_once_are_one(desk: Desk, acme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = desk.customers.purge
    other = once(desk, lambda: (monkeypatch.setattr(desk.customers, "purge", real),
                                purge(desk.context(), acme)))  # fmt: skip
    monkeypatch.setattr(desk.customers, "purge", other)
    purge(desk.context(), acme)
    assert (desk.stored(acme), desk.versions(acme)) == (None, [2])


@pytest.mark.parametrize("by", [{"name": "Acme"}, {"external_id": "x"}, "id"])
def test_a_repeated_key_gets_its_answer_though_nobody_is_there_any_more(
    desk: Desk, acme: str, by: Any
) -> None:
    data = {**({"id": acme} if by == "id" else by), "hard": True}
    first = delete_customer(desk.context("k"), data)
    again = desk.context("k")
    assert delete_customer(again, data) == first
    assert again.replays == ["k"]
    with pytest.raises(CustomerNotFoundError):
        delete_customer(desk.context(), {"name": "Acme", "hard": True})


def test_the_loser_of_a_race_under_one_key_gets_the_winners_answer(
    desk: Desk, acme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, won = desk.customers.purge, list[Any]()

    def win() -> None:
        monkeypatch.setattr(desk.customers, "purge", real)
        won.append(purge(desk.context("k"), acme))

    monkeypatch.setattr(desk.customers, "purge", once(desk, win))
    late = desk.context("k")
    assert purge(late, acme) == won[0]
    assert late.replays == ["k"]


@pytest.mark.parametrize("key", ["", "k"])
def test_a_purge_whose_history_was_left_behind_is_finished_by_the_next(
    desk: Desk, acme: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StorageBusyError

    with monkeypatch.context() as broken:
        broken.setattr(desk.customers, "purge_history", fail)
        with pytest.raises(BusyError):
            purge(desk.context(key), acme)
    assert desk.versions(acme) == [2, 1]
    assert purge(desk.context(key), acme)["deleted"] is True
    assert desk.versions(acme) == [2]


def test_a_purge_that_is_throttled_is_tried_again(
    desk: Desk, acme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, left = desk.customers.purge, [1, 2]

    def throttled(*asked: Any) -> None:
        if left:
            left.pop()
            raise StorageBusyError
        real(*asked)

    monkeypatch.setattr(desk.customers, "purge", throttled)
    purge(desk.context(), acme)
    assert (desk.stored(acme), desk.pauses) == (None, [0, 1])


def test_a_purge_whose_answer_was_lost_is_done(
    desk: Desk, acme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = desk.customers.purge

    def lost(*asked: Any) -> None:
        monkeypatch.setattr(desk.customers, "purge", real)
        real(*asked)
        raise StorageBusyError

    monkeypatch.setattr(desk.customers, "purge", lost)
    assert purge(desk.context(), acme)["deleted"] is True
    assert (desk.stored(acme), desk.versions(acme)) == (None, [2])


def test_a_purge_that_never_gets_through_erases_nothing(
    desk: Desk, acme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise StorageBusyError

    monkeypatch.setattr(desk.customers, "purge", busy)
    with pytest.raises(BusyError):
        purge(desk.context(), acme)
    assert len(desk.pauses) == TRIES
    assert desk.versions(acme) == [1]


def test_a_dry_run_erases_nothing(desk: Desk, acme: str) -> None:
    answer = purge(desk.context("k"), acme, dry_run=True)
    assert (answer["dry_run"], answer["data"]) == (True, {"id": acme})
    assert desk.stored(acme).note == "secret"
    assert desk.customers.answers == {}


def test_a_purge_needs_its_scope(desk: Desk, acme: str) -> None:
    context = desk.context()
    writer = replace(context, key=replace(context.key, scopes=("customers:write",)))
    with pytest.raises(ForbiddenError):
        purge(writer, acme)
    assert desk.stored(acme) is not None
