"""Deleting that is cut short and finished, repeated, or undone after a month."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from tests.integration.actions.test_decay import born, turn
from tests.integration.rest.client import Rest

from vitals.domain.errors import BusyError
from vitals.storage.customers import CustomerTable


def erased_but_for_its_history(rest: Rest, monkeypatch: pytest.MonkeyPatch, **headers: str) -> str:
    """Erase a customer, cut short before its history went; return its id."""
    found: str = rest.created(name="Secret Ltd")["id"]
    rest.post(f"/v1/customers/{found}/contacts", {"name": "Jane Secret"})

    def busy(*_: object) -> None:
        raise BusyError("throttled")

    with monkeypatch.context() as cut:
        cut.setattr(CustomerTable, "purge_history", busy)
        assert rest.delete(f"/v1/customers/{found}?hard=true", **headers).status == 503
    assert told(rest)
    return found


def told(rest: Rest) -> list[tuple[str, str]]:
    """Return the keys of what still tells of it."""
    stored = rest.api.stored().items()
    return [key for key, item in stored if "secret" in json.dumps(item, default=str).casefold()]


@pytest.mark.parametrize("path", ["/v1/customers/{}?hard=true", "/v1/trash/{}"])
def test_an_erasure_that_was_cut_short_is_finished_by_the_next(
    rest: Rest, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    gone = erased_but_for_its_history(rest, monkeypatch)
    assert rest.delete(path.format(gone)).status == 404
    assert not told(rest)


def test_an_erasure_under_a_key_is_finished_and_answered_as_the_first_would_have_been(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = erased_but_for_its_history(rest, monkeypatch, idempotency_key="d")
    path = f"/v1/customers/{gone}?hard=true"
    replay = rest.delete(path, idempotency_key="d")
    assert (replay.status, replay.headers["idempotency-replayed"]) == (204, "true")
    assert not told(rest)


def test_a_deletion_repeated_under_its_key_is_answered_again(rest: Rest) -> None:
    first, second = rest.created()["id"], rest.created(name="Bolt Ltd")["id"]
    paths = f"/v1/customers/{first}?hard=true", f"/v1/customers/{second}", f"/v1/trash/{second}"
    for path in paths:
        assert [rest.delete(path, idempotency_key=path).status for _ in range(2)] == [204, 204]
    for path in paths:
        assert [rest.delete(path).status for _ in range(2)] == [404, 404]
        # Nor does a refusal become a success when it is repeated.
        assert [rest.delete(path, idempotency_key="new " + path).status for _ in range(2)] == [
            404, 404,
        ]  # fmt: skip


def test_what_was_never_there_is_not_erased(rest: Rest) -> None:
    assert rest.delete("/v1/customers/nobody?hard=true").status == 404
    live = rest.created()["id"]
    assert rest.delete(f"/v1/trash/{live}").status == 404
    assert rest.get(f"/v1/customers/{live}").status == 200


@pytest.mark.parametrize("by_upsert", [False, True])
def test_who_is_restored_is_scored_by_what_its_events_are_now(
    rest: Rest, *, by_upsert: bool
) -> None:
    api = born(rest.api.another_tenant())
    rest = Rest(api)
    found = rest.created()["id"]
    event = {"customer_id": found, "event_name": "login"}
    events = [event | {"user_id": str(number)} for number in range(30)]
    rest.post("/v1/events", {"events": events})
    before = rest.get(f"/v1/customers/{found}").body
    assert before["signals"]["logins"] == 30
    rest.delete(f"/v1/customers/{found}")
    turn(api, days=29)
    api.clock.now += timedelta(hours=20)
    # Not older than thirty days in the trash, but older than the signal's window.
    if by_upsert:
        api.post("upsert_account", {"id": found, "on_deleted": "restore"})
    else:
        assert rest.post(f"/v1/trash/{found}/restore").status == 200
    restored = rest.get(f"/v1/customers/{found}").body
    assert restored["signals"]["logins"] == 0
    recalculated = rest.post(f"/v1/customers/{found}/health/recalculate").body
    assert recalculated["score"] == restored["health_score"] != before["health_score"]
