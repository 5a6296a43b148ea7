"""The API over a table of the test's own, at an instant that the test moves."""

from collections.abc import Iterator, Mapping

import pytest
from local import template
from tests.integration.actions.api import Api, Clock, an_api, forget
from tests.integration.actions.outside import Outside, Reacting
from tests.integration.tables import connected, created, streamless

from vitals.runtime import clock
from vitals.storage.table import Table


@pytest.fixture(scope="session")
def actions_table(aws: Mapping[str, str]) -> Table:
    """A table in the embedded engine, not yet created."""
    return connected("actions", aws)


@pytest.fixture(scope="module")
def streaming_table(streaming: Mapping[str, str]) -> Table:
    """A table in it, not yet created."""
    return connected("reacting", streaming)


@pytest.fixture
def table(
    request: pytest.FixtureRequest, template_table: template.Table, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Table]:
    """An empty table that the function uses, with nothing in the function's memory.

    It has a stream where the test looks at what follows from it.
    """
    streamed = "streaming" in request.fixturenames
    used: Table = request.getfixturevalue("streaming_table" if streamed else "actions_table")
    definition = template_table if streamed else streamless(template_table)
    monkeypatch.setattr("vitals.runtime.wiring.Table", lambda _: used)
    for variable in ("TABLE_NAME", "VITALS_LIMIT_READS", "VITALS_LIMIT_WRITES", "LOG_LEVEL"):
        monkeypatch.delenv(variable, raising=False)
    with created(used, definition):
        forget()
        yield used
    forget()


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Outside:
    """What is beside the table, played for the length of a test."""
    played = Outside()
    monkeypatch.setattr("vitals.runtime.outbound.KeyVault", played.vault)
    monkeypatch.setattr("vitals.runtime.outbound.QueueSender", played.sender)
    monkeypatch.setattr("vitals.runtime.outbound.JobSender", played.report_sender)
    monkeypatch.setattr("vitals.runtime.outbound.BucketFiles", played.bucket)
    monkeypatch.setattr("vitals.runtime.outbound.attempt", played.attempt)
    return played


@pytest.fixture
def reacting(api: Api, outside: Outside, streaming: Mapping[str, str]) -> Reacting:
    """What follows from writes, when the test asks for it."""
    return Reacting(api, outside, streaming)


@pytest.fixture
def api(table: Table, outside: Outside, monkeypatch: pytest.MonkeyPatch) -> Api:  # noqa: ARG001 - played before the function starts
    """The API of a new tenant with a key of every scope, at NOW until the test moves it."""
    hands = Clock()
    monkeypatch.setattr(clock, "now", lambda: hands.now)
    monkeypatch.setattr(clock, "sleep", hands.sleep)
    return an_api(table, hands)
