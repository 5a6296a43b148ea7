"""A DynamoDB in memory for every test process, and a fresh table for every test."""

import dataclasses
import sqlite3
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from local import dynamodb
from local.dynamodb import ROOT
from local.template import Table, read
from tests.integration.short_wire import short_wires


@pytest.fixture(scope="session", autouse=True)
def _short_wires() -> Iterator[None]:
    """Reach the engine by the shortest way; the tests of the local cloud go by urllib3."""
    with short_wires():
        yield


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """The AWS variables of a DynamoDB that lives as long as the test process."""
    with dynamodb.embedded(tmp_path_factory.mktemp("dynamodb") / "log") as endpoint:
        yield dynamodb.credentials(endpoint, {})


@pytest.fixture(scope="module")
def stream_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file in which a module's own DynamoDB keeps its tables and their streams."""
    return tmp_path_factory.mktemp("streaming") / "database"


@pytest.fixture(scope="module")
def streaming(stream_database: Path) -> Iterator[Mapping[str, str]]:
    """The AWS variables of a DynamoDB of one module's own, whose stream holds no other's writes.

    It keeps them in a file: in memory a stream lacks the index that makes every write fast.
    """
    with dynamodb.embedded(stream_database.with_name("log"), stream_database) as endpoint:
        yield dynamodb.credentials(endpoint, {})


@pytest.fixture(autouse=True)
def _new_stream(request: pytest.FixtureRequest) -> Iterator[None]:
    """Have the stream end with the table, as in AWS: the engine gives it to the next of the name.

    Else every test reacts to what all before it wrote.
    """
    if "streaming" not in request.fixturenames:
        yield
        return
    database: Path = request.getfixturevalue("stream_database")
    yield
    with closing(sqlite3.connect(database, timeout=10)) as connection:
        connection.execute("DELETE FROM _stream_records")
        connection.commit()


@pytest.fixture(scope="session")
def dynamodb_endpoint(aws: Mapping[str, str]) -> str:
    """Where that DynamoDB answers."""
    return aws["AWS_ENDPOINT_URL_DYNAMODB"]


@pytest.fixture(scope="session")
def template_table() -> Table:
    """The table as template.yaml defines it."""
    [table] = read(ROOT / "template.yaml", {}).tables
    return table


@pytest.fixture
def table_name(
    aws: Mapping[str, str], template_table: Table, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A table of the test's own, as template.yaml defines it, and the environment to reach it."""
    name = f"test-{uuid.uuid4().hex}"
    table = dataclasses.replace(
        template_table, definition={**template_table.definition, "TableName": name}
    )
    for variable in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in {**aws, "TABLE_NAME": name}.items():
        monkeypatch.setenv(variable, value)
    dynamodb.ensure(table, aws)
    yield name
    dynamodb.delete(table, aws)
