"""Invocations of single functions, as `make invoke` does."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.conftest import Cloud


def test_an_invocation_works_on_the_data_of_the_cloud_that_runs(
    new_cloud: "Callable[[], Cloud]",
) -> None:
    cloud = new_cloud()
    cloud.start()
    done = cloud.invoke("AdminFunction", "{}")
    assert json.loads(done.stdout)["error"]["code"] == "tenant_exists"
    assert (done.returncode, done.stderr) == (0, "")


def test_an_invocation_works_on_the_same_data_alone(
    new_cloud: "Callable[[], Cloud]",
) -> None:
    cloud = new_cloud()
    cloud.start()
    cloud.stop()
    done = cloud.invoke("admin", "{}")
    assert json.loads(done.stdout)["error"]["code"] == "tenant_exists"
    assert not (cloud.folder / "running.json").exists()
    cloud.start()  # nothing of the invocation holds the folder


def test_an_invocation_prints_the_answer_and_logs_apart(new_cloud: "Callable[[], Cloud]") -> None:
    done = new_cloud().invoke("echo", '{"queryStringParameters": {}, "a": "é"}')
    assert json.loads(done.stdout)["event"]["a"] == "é"
    assert done.stderr.startswith("seen ")
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("order", "kind", "said"),
    [
        ({"raise": "no"}, "ValueError", "no"),
        ({"sleep": 9}, "Sandbox.Timedout", "Task timed out after 2.00 seconds"),
        ({"exit": 7}, "Runtime.ExitError", "Runtime exited with error: exit status 7"),
    ],
)
def test_a_failed_invocation_prints_lambdas_error(
    new_cloud: "Callable[[], Cloud]", order: object, kind: str, said: str
) -> None:
    event = {"queryStringParameters": {"order": json.dumps(order)}}
    done = new_cloud().invoke("echo", json.dumps(event))
    error = json.loads(done.stdout)
    assert (error["errorType"], error["errorMessage"]) == (kind, said)
    assert done.returncode == 1
    assert f"{kind}: {said}" in done.stderr


@pytest.mark.parametrize(
    ("function", "event", "said"),
    [
        ("nobody", "{}", "There is no function nobody. There is: "),
        ("echo", None, "event.json: No such file or directory."),
        ("echo", "{", "event.json is not JSON: "),
    ],
)
def test_a_wrong_invocation_is_one_line(
    new_cloud: "Callable[[], Cloud]", function: str, event: str | None, said: str
) -> None:
    done = new_cloud().invoke(function, event)
    assert (done.returncode, done.stdout) == (1, "")
    [line] = done.stderr.splitlines()
    assert said in line
