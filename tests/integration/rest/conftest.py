"""The resource API over a table of the test's own, beside the action API on the same table."""

import pytest
from tests.integration.actions.api import Api
from tests.integration.actions.conftest import (  # noqa: F401 - fixtures are found by their names
    actions_table,
    api,
    outside,
    reacting,
    streaming_table,
    table,
)
from tests.integration.rest.client import Rest


@pytest.fixture
def rest(api: Api) -> Rest:  # noqa: F811 - the fixture
    """The resource API as the holder of a key of every scope sees it."""
    return Rest(api)
