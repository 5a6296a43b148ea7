"""The life of a local cloud: first start, later starts, interruptions, accidents, invocations."""

import contextlib
import json
import os
import shlex
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from local import dynamodb

if TYPE_CHECKING:
    from tests.e2e.conftest import Cloud

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal")


def descendants(pid: int) -> list[int]:
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    ).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
    children = [child for child, parent in pairs if parent == pid]
    return children + [below for child in children for below in descendants(child)]


def assert_end(pids: list[int]) -> None:
    deadline = time.monotonic() + 5
    while left := [pid for pid in pids if Path(f"/proc/{pid}").exists()]:
        assert time.monotonic() < deadline, left
        time.sleep(0.02)


def wait_until_it_ends(cloud: "Cloud") -> int:
    return cloud.process.wait(timeout=30)


@pytest.fixture
def cloud(new_cloud: "Callable[[], Cloud]") -> "Cloud":
    made = new_cloud()
    made.start()
    return made


def test_the_first_start_prints_url_key_and_a_line_to_try(cloud: "Cloud") -> None:
    key_file = cloud.folder / "api-key"
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    assert key_file.read_text() == f"{cloud.key}\n"
    assert cloud.key.startswith("vt_test_")
    url, key, attempt, *_ = cloud.output.splitlines()
    assert url.split() == ["Vitals", cloud.url]
    assert cloud.key in key
    assert str(key_file) in key
    answer = subprocess.run(
        shlex.split(attempt.removeprefix("Try")), capture_output=True, check=True
    )
    event = json.loads(answer.stdout)["event"]
    assert event["headers"]["x-api-key"] == cloud.key
    assert json.loads(event["body"])["action"] == "upsert_account"


def test_a_second_start_keeps_data_and_key(cloud: "Cloud") -> None:
    key = cloud.key
    assert cloud.stop() == 0
    cloud.start()
    assert cloud.request("GET", "/").status == 200
    assert cloud.key == key
    # the tenant is still there: without force, the stand-in makes no second one
    assert "tenant_exists" in cloud.invoke("admin", "{}").stdout


def test_a_lost_key_file_is_replaced_and_said(cloud: "Cloud") -> None:
    key = cloud.key
    (cloud.folder / "api-key").unlink()
    cloud.restart()
    assert cloud.key != key
    assert "the new key is for a new tenant" in cloud.output


def test_lost_data_makes_a_new_key(cloud: "Cloud") -> None:
    key = cloud.key
    cloud.stop()
    for path in (cloud.folder / "data").iterdir():
        path.unlink()
    cloud.start()
    assert cloud.key != key


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interruption_ends_everything_quietly(cloud: "Cloud", number: signal.Signals) -> None:
    cloud.request("GET", "/")
    pids = descendants(cloud.process.pid)
    assert len(pids) == 3  # the embedded DynamoDB, and a worker of each function
    assert cloud.stop(number) == 0
    assert_end(pids)
    assert "Traceback" not in cloud.output
    assert cloud.output.splitlines()[-1] == "Stopped."
    assert "Traceback" not in (cloud.folder / "logs" / "EchoFunction.log").read_text()
    assert not (cloud.folder / "running.json").exists()


def test_impatience_does_not_cut_the_end_short(cloud: "Cloud") -> None:
    cloud.request("GET", "/")
    pids = descendants(cloud.process.pid)
    while cloud.process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(cloud.process.pid, signal.SIGINT)
        time.sleep(0.01)
    assert cloud.process.returncode == 0
    assert_end(pids)
    assert "Traceback" not in cloud.output


def test_an_interruption_does_not_wait_for_requests(cloud: "Cloud") -> None:
    with socket.create_connection(("127.0.0.1", cloud.port)) as client:
        client.sendall(b'GET /?order={"sleep":0.9} HTTP/1.1\r\nHost: x\r\n\r\n')
        time.sleep(0.2)
        assert cloud.stop() == 0
    assert "Traceback" not in cloud.output


def test_an_interruption_during_the_start_ends_everything_too(
    new_cloud: "Callable[[], Cloud]",
) -> None:
    cloud = new_cloud()
    for delay in (0, 0.02, 0.05, 0.1, 0.2):
        (cloud.folder / "lock").unlink(missing_ok=True)
        cloud.launch()
        while not (cloud.folder / "lock").exists():  # its first act; before it, Python starts
            time.sleep(0.005)
        time.sleep(delay)
        pids = descendants(cloud.process.pid)
        assert cloud.stop() == 0
        assert_end(pids)
        assert "Traceback" not in cloud.output


def test_a_function_knows_where_the_api_is_and_how_the_bucket_is_called(
    new_cloud: "Callable[[], Cloud]",
) -> None:
    cloud = new_cloud()
    alone = json.loads(cloud.invoke("echo", "{}").stdout)["environment"]
    cloud.start()
    served = cloud.request("GET", "/").json()["environment"]
    invoked = json.loads(cloud.invoke("echo", "{}").stdout)["environment"]
    assert served["API_URL"] == invoked["API_URL"] == cloud.url
    assert alone["API_URL"] == "http://127.0.0.1:3000", "where it would be served"
    assert served["FILES"] == "local-files"
    assert served["AWS_ENDPOINT_URL_S3"] == served["AWS_ENDPOINT_URL_SQS"]


def test_another_dynamodb_is_used_where_one_is_named(
    new_cloud: "Callable[[], Cloud]", tmp_path: Path
) -> None:
    with dynamodb.embedded(tmp_path / "other.log") as other:
        cloud = new_cloud()
        cloud.environ = {"AWS_ENDPOINT_URL_DYNAMODB": other.url}
        cloud.start()
        environment = cloud.request("GET", "/").json()["environment"]
        assert environment["AWS_ENDPOINT_URL_DYNAMODB"] == other.url
        assert not (cloud.folder / "data" / "dynamo.db").exists()
        assert cloud.stop() == 0


def test_a_dynamodb_that_does_not_answer_is_one_line(new_cloud: "Callable[[], Cloud]") -> None:
    cloud = new_cloud()
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # but does not listen
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        cloud.environ = {"AWS_ENDPOINT_URL_DYNAMODB": url}
        cloud.launch()
        assert wait_until_it_ends(cloud) == 1
    [line] = cloud.output.splitlines()
    assert line.startswith(f"The DynamoDB at {url} does not answer")


def test_writes_do_not_slow_down_as_the_tables_stream_grows(cloud: "Cloud") -> None:
    """The engine's own look-up must be a search of an index, not a scan of all records."""
    with contextlib.closing(sqlite3.connect(cloud.folder / "data" / "dynamo.db")) as database:
        [[*_, plan]] = database.execute(
            "EXPLAIN QUERY PLAN SELECT COALESCE(MAX(CAST(sequence_number AS INTEGER)), 0) + 1"
            " FROM _stream_records WHERE table_name = 'stand-in'"
        )
    assert plan.startswith("SEARCH _stream_records USING")


@needs_linux
def test_a_killed_local_cloud_leaves_no_process(cloud: "Cloud") -> None:
    cloud.request("GET", "/")
    pids = descendants(cloud.process.pid)
    assert len(pids) == 3
    assert cloud.stop(signal.SIGKILL) == -signal.SIGKILL
    assert_end(pids)
    cloud.start()
    assert cloud.request("GET", "/").status == 200


@needs_linux
def test_the_end_of_the_database_ends_everything(cloud: "Cloud") -> None:
    cloud.request("GET", "/")
    pids = descendants(cloud.process.pid)
    [database] = [pid for pid in pids if b"dynoxide" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    os.kill(database, signal.SIGKILL)
    assert wait_until_it_ends(cloud) == 1
    assert_end(pids)
    assert "The embedded DynamoDB ended unexpectedly" in cloud.output.splitlines()[-1]
    assert "Traceback" not in cloud.output


def test_a_taken_port_is_one_line_and_nothing_starts(new_cloud: "Callable[[], Cloud]") -> None:
    cloud = new_cloud()
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        cloud.launch(port)
        assert wait_until_it_ends(cloud) == 1
    [line] = cloud.output.splitlines()
    assert line.startswith(f"Port {port} is already in use")
    assert f"PORT={port + 1}" in line
    assert not (cloud.folder / "logs").exists()


@pytest.mark.parametrize("port", ["65536", "-1", "http", "٣"])
def test_a_port_that_is_none_is_one_line(new_cloud: "Callable[[], Cloud]", port: str) -> None:
    cloud = new_cloud()
    done = subprocess.run(
        [*cloud.command("run"), f"--port={port}"],
        check=False,
        capture_output=True,
        text=True,
        env=cloud.environment(),
        timeout=30,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"PORT={port} is not a port number.\n"


def test_a_second_cloud_on_the_same_folder_is_one_line(cloud: "Cloud") -> None:
    output = cloud.output
    second = subprocess.run(
        cloud.command("run", "--port", "0"),
        check=False,
        capture_output=True,
        text=True,
        env=cloud.environment(),
        timeout=30,
    )
    assert (second.returncode, second.stdout) == (1, "")
    [line] = second.stderr.splitlines()
    assert f"already runs on {cloud.folder} at {cloud.url}" in line
    assert cloud.request("GET", "/").status == 200
    assert cloud.output.startswith(output)
