"""A table that answers after two seconds, in time that passes only where it is waited for."""

from __future__ import annotations

from datetime import timedelta
from threading import Lock

import pytest
from tests.integration.actions.api import Api
from tests.integration.faults.kept import check, kept
from tests.integration.faults.requests import REQUESTS
from tests.integration.faults.wire import CONFLICT, Fault, Sent, Wire

SLOW = 2.0


@pytest.fixture
def slow(api: Api, wire: Wire) -> Wire:
    """The wire, every pass of which takes two seconds of the function's time."""
    lock = Lock()

    def wait() -> None:
        with lock:
            api.context.seconds -= SLOW
            api.clock.now += timedelta(seconds=SLOW)

    wire.delay = wait
    return wire


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """One record at a time, so that the seconds of one are not those of another."""
    monkeypatch.setattr("vitals.usecases.batch_upsert.WRITERS", 1)


@pytest.mark.parametrize("key", ["key", ""], ids=["with a key", "without a key"])
@pytest.mark.parametrize("request_name", REQUESTS)
@pytest.mark.usefixtures("one_by_one")
def test_every_write_is_done_in_time_by_a_cold_function(
    api: Api, slow: Wire, request_name: str, key: str
) -> None:
    request = REQUESTS[request_name]
    request.prepare(api)
    api.restart()
    with slow.tapped():
        reply = api.post(request.action, request.data, idempotency_key=key)
    assert api.context.seconds > 0
    assert reply.status == 200
    check(kept(api))


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("get_customer", {"name": "Acme"}),
        ("list_customers", {"sort": "score"}),
        ("list_changes", {}),
        ("get_history", {"external_id": "crm-1"}),
        ("whoami", {}),
    ],
)
def test_every_read_is_answered_in_time_by_a_cold_function(
    api: Api, slow: Wire, action: str, data: dict[str, object]
) -> None:
    api.upsert("Acme", external_id="crm-1")
    api.restart()
    with slow.tapped():
        assert api.get(action, **data).status == 200
    assert api.context.seconds > 0


@pytest.mark.parametrize("number", range(1, 4))
@pytest.mark.usefixtures("one_by_one")
def test_a_batch_says_in_time_what_it_had_no_time_for(api: Api, slow: Wire, number: int) -> None:
    records = [{"name": f"Customer {index}", "mrr": 1} for index in range(number)]
    done: list[int] = []
    while len(done) < number:
        api.context.seconds = 29
        with slow.tapped():
            reply = api.post("batch_upsert", {"customers": records}, idempotency_key="nightly")
        assert api.context.seconds > 0
        before, results = len(done), reply.body["results"]
        done = [each["index"] for each in results if each["status"] == "created"]
        assert len(done) > before
        assert len(done) == len(kept(api).customers)
        assert {each["status"] for each in results} <= {"created", "not_attempted"}
    check(kept(api))


@pytest.mark.parametrize("asked", [{"name": "Acme"}, {"external_id": "crm-1"}])
@pytest.mark.parametrize("key", ["key", ""], ids=["with a key", "without a key"])
def test_a_write_that_loses_every_race_gives_up_in_time(
    api: Api, slow: Wire, asked: dict[str, str], key: str
) -> None:
    api.upsert("Acme", external_id="crm-1")
    api.restart()

    def losing(sent: Sent) -> Fault | None:
        return CONFLICT if sent.operation == "TransactWriteItems" else None

    with slow.failing(losing):
        reply = api.post("upsert_account", {**asked, "mrr": 5}, idempotency_key=key)
    assert api.context.seconds > 0
    assert reply.code == "busy"
    assert api.customer(name="Acme")["mrr"] is None
