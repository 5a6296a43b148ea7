"""The API over a table whose wire the test holds, at an instant that the test moves."""

from collections.abc import Callable, Iterator, Mapping

import pytest
from local import template
from tests.integration.actions.api import Api, Clock, an_api, forget
from tests.integration.faults.wire import Wire
from tests.integration.tables import connected, created, streamless

import actions
from vitals.runtime import clock
from vitals.storage.table import Table


@pytest.fixture(scope="session")
def template_table(template_table: template.Table) -> template.Table:
    """The table without its stream: nothing here reads it."""
    return streamless(template_table)


@pytest.fixture(scope="session")
def faults_table(aws: Mapping[str, str]) -> Table:
    """A table in the embedded engine, not yet created."""
    return connected("faults", aws)


@pytest.fixture
def table(
    faults_table: Table, template_table: template.Table, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Table]:
    """An empty table that the function uses, with nothing in the function's memory."""
    monkeypatch.setattr("vitals.runtime.wiring.Table", lambda _: faults_table)
    for variable in ("TABLE_NAME", "VITALS_LIMIT_READS", "VITALS_LIMIT_WRITES", "LOG_LEVEL"):
        monkeypatch.delenv(variable, raising=False)
    with created(faults_table, template_table):
        forget()
        yield faults_table
    forget()


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The function's clock, at NOW until the test moves it; nobody waits for real."""
    hands = Clock()
    monkeypatch.setattr(clock, "now", lambda: hands.now)
    monkeypatch.setattr(clock, "sleep", lambda _: None)
    return hands


@pytest.fixture
def api(table: Table, hands: Clock) -> Api:
    """The API of a new tenant with a key of every scope."""
    return an_api(table, hands)


@pytest.fixture
def wire(table: Table, monkeypatch: pytest.MonkeyPatch) -> Wire:
    """The wire to the table. botocore retries as it does, but at once, whatever it has spent."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.0)
    monkeypatch.setattr("botocore.retries.quota.RetryQuota.acquire", lambda *_: True)
    return Wire(table)


@pytest.fixture
def impatient(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Wire:
    """The wire when botocore has no retries left: the first fault of a call is its last."""
    monkeypatch.setattr("botocore.retries.quota.RetryQuota.acquire", lambda *_: False)
    return wire


@pytest.fixture
def bodies(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every body that the function has answered, to the byte."""
    texts: list[str] = []
    handler: Callable[..., dict[str, str]] = actions.handler

    def recorded(event: Mapping[str, object], context: object) -> dict[str, str]:
        answer = handler(event, context)
        texts.append(answer["body"])
        return answer

    monkeypatch.setattr(actions, "handler", recorded)
    return texts
