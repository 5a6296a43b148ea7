"""The whole action suite once more, its tenants in four shards; this module is its plugin too."""

import subprocess
import sys
from functools import partial

import pytest
from local.dynamodb import ROOT

NOT_ALIKE = "tests/integration/actions/test_costs.py"
"""What is read in four places costs more calls than what is read in one."""


@pytest.fixture(autouse=True)
def _four_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    from vitals.domain.access import Tenant  # noqa: PLC0415 - not to be had when plugins load

    monkeypatch.setattr("tests.integration.actions.api.Tenant", partial(Tenant, shards=4))


def test_the_action_suite_holds_for_a_tenant_of_four_shards() -> None:
    suite = ["tests/integration/actions", f"--ignore={NOT_ALIKE}", "--tb=short", "-x"]
    command = [sys.executable, "-m", "pytest", *suite, "-p", __name__]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
