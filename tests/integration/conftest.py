"""A DynamoDB in memory for every test process, and a fresh table for every test."""

import dataclasses
import uuid
from collections.abc import Iterator, Mapping

import pytest
from local import dynamodb
from local.dynamodb import ROOT
from local.template import Table, read


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """The AWS variables of a DynamoDB that lives as long as the test process."""
    with dynamodb.embedded(tmp_path_factory.mktemp("dynamodb") / "log") as endpoint:
        yield dynamodb.credentials(endpoint, {})


@pytest.fixture(scope="module")
def streaming(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """The AWS variables of a DynamoDB of one module's own, whose stream holds no other's writes."""
    with dynamodb.embedded(tmp_path_factory.mktemp("streaming") / "log") as endpoint:
        yield dynamodb.credentials(endpoint, {})


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
