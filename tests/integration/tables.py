"""A table whose client is made but once, and made anew for every test: making one is slow."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from local import template

from vitals.storage.table import Table


def connected(name: str, aws: Mapping[str, str]) -> Table:
    """Return the table called *name*, not yet created, with a client for where *aws* leads."""
    with pytest.MonkeyPatch.context() as environment:
        for variable in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_DYNAMODB"):
            environment.delenv(variable, raising=False)
        for variable, value in aws.items():
            environment.setenv(variable, value)
        table = Table(name)
        assert table.connection.client
        return table


def streamless(table: template.Table) -> template.Table:
    """Return *table* without its stream, in which the engine keeps what tables long gone held.

    Thousands of writes later every other takes twice as long.
    """
    definition = dict(table.definition)
    del definition["StreamSpecification"]
    return replace(table, definition=definition)


@contextmanager
def created(table: Table, template_table: template.Table) -> Iterator[None]:
    """Have *table* for the length of a with block, as template.yaml defines it."""
    name = table.item.Meta.table_name
    client: Any = table.connection.client  # pynamodb types but a part of it
    client.create_table(**{**template_table.definition, "TableName": name})
    try:
        yield
    finally:
        client.delete_table(TableName=name)
