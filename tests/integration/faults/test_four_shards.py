"""Action tests once more, their tenants in four shards; this module is their plugin too."""

import subprocess
import sys
from functools import partial

import pytest
from local.dynamodb import ROOT

AMONG_MANY = ("test_lists", "test_changes", "test_batch", "test_trash", "test_races")
"""What finds, lists or moves several customers."""
LARGE = "tests/integration/actions/test_batch.py::test_a_thousand_records_are_one_request"
"""Only its size is its own, and no size of a request has to do with shards."""


@pytest.fixture(autouse=True)
def _four_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    from vitals.domain.access import Tenant  # noqa: PLC0415 - not to be had when plugins load

    monkeypatch.setattr("tests.integration.actions.api.Tenant", partial(Tenant, shards=4))


def test_what_acts_on_many_customers_holds_in_four_shards() -> None:
    suite = [f"tests/integration/actions/{name}.py" for name in AMONG_MANY]
    command = [sys.executable, "-m", "pytest", *suite, "--deselect", LARGE, "--tb=short", "-x"]
    command += ["-p", __name__]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
