"""The table's home: the embedded DynamoDB process, or another endpoint, and the tables in it."""

import contextlib
import functools
import platform
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local.console import LocalCloudError
from local.template import Table

ROOT = Path(__file__).parents[1]
_START_SECONDS = 10
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_STREAMS_VARIABLE = "AWS_ENDPOINT_URL_DYNAMODB_STREAMS"
TETHER = Path(__file__).with_name("tether.py")


@dataclass(frozen=True)
class Endpoint:
    """Where DynamoDB answers, and the process behind it if it is ours."""

    url: str
    process: subprocess.Popen[bytes] | None = None


def credentials(endpoint: Endpoint, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the AWS variables for a caller of *endpoint*.

    The person's own credentials go only to an endpoint that they named themselves: nothing that
    runs against the embedded engine can reach a real account by accident.
    """
    own = {
        name: environ[name]
        for name in (*_KEYS, _STREAMS_VARIABLE)
        if name in environ and endpoint.process is None
    }
    region = environ.get("AWS_REGION", "us-east-1")
    return {
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL_DYNAMODB": endpoint.url,
    } | own


def binary() -> Path:
    """Return the path of the embedded DynamoDB, as npm installed it for this platform."""
    for found in sorted((ROOT / "node_modules" / "@dynoxide").glob("*/dynoxide")):
        return found
    raise LocalCloudError(
        f"The embedded DynamoDB is not installed (run `make install`; on {platform.system()} "
        f"{platform.machine()} it may not exist): start DynamoDB Local or any other DynamoDB and "
        "set AWS_ENDPOINT_URL_DYNAMODB to its address, such as http://127.0.0.1:8000."
    )


@contextlib.contextmanager
def embedded(log: Path, database: Path | None = None) -> Iterator[Endpoint]:
    """Run the embedded DynamoDB on a free loopback port, in memory where *database* is None."""
    for _attempt in range(3):  # another process may take a port between our looking and its use
        port = _free_port()
        with _ended_at_last(_started(port, log, database)) as process:
            if _is_listening(process, port, log):
                if database is not None:
                    _index_stream(database)
                yield Endpoint(f"http://127.0.0.1:{port}", process)
                return
    said = " ".join(log.read_text(encoding="utf-8", errors="replace").split())
    raise LocalCloudError(f"The embedded DynamoDB did not start: {said or 'it said nothing'}.")


def ensure(table: Table, aws: Mapping[str, str]) -> bool:
    """Create *table* unless it exists, and switch its TTL on; return whether it was created."""
    try:
        client = client_of(aws)
        created = _created(client, table)
        _switch_ttl_on(client, table)
    except BotoCoreError as error:
        url = aws["AWS_ENDPOINT_URL_DYNAMODB"]
        raise LocalCloudError(f"The DynamoDB at {url} does not answer: {error}") from error
    except ClientError as error:
        raise LocalCloudError(f"DynamoDB refused the table {table.name}: {error}") from error
    return created


def stream(table: str, aws: Mapping[str, str]) -> tuple[Any, str]:
    """Return a client for the stream of *table*, and the stream's ARN."""
    found = client_of(aws).describe_table(TableName=table)["Table"].get("LatestStreamArn")
    if found is None:
        raise LocalCloudError(f"The table {table} has no stream.")
    url = aws.get(_STREAMS_VARIABLE, aws["AWS_ENDPOINT_URL_DYNAMODB"])
    return _connected("dynamodbstreams", url, **aws), found


def delete(table: Table, aws: Mapping[str, str]) -> None:
    """Delete *table* and everything in it."""
    client_of(aws).delete_table(TableName=table.name)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _started(port: int, log: Path, database: Path | None) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-IS", str(TETHER), str(binary()), "serve", "--host", "127.0.0.1"]
    if database is not None:
        command += ["--db-path", str(database)]
    with log.open("wb") as output:
        return subprocess.Popen(
            [*command, "--port", str(port)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C is for the supervisor, which stops this in order
        )


@contextlib.contextmanager
def _ended_at_last(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _index_stream(database: Path) -> None:
    """Add the index that the engine lacks: it numbers a stream record by a look at all before it.

    Without, a write becomes slower with every write before it: a tenth of the speed after 3,000
    transactions, and what `batch_upsert` of 10,000 customers needs would not fit its time. Who
    reads the stream finds a place in it by the same look.
    """
    with (
        contextlib.closing(sqlite3.connect(database, timeout=_START_SECONDS)) as connection,
        contextlib.suppress(sqlite3.OperationalError),  # another version may keep it elsewhere
    ):
        connection.execute(
            "CREATE INDEX IF NOT EXISTS local_stream_order"
            " ON _stream_records (table_name, CAST(sequence_number AS INTEGER))"
        )
        connection.commit()


def _is_listening(process: subprocess.Popen[bytes], port: int, log: Path) -> bool:
    """Return whether *process* comes to listen; that something answers there would not prove it."""
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if f"listening on http://127.0.0.1:{port}".encode() in log.read_bytes():
            return True
        time.sleep(0.005)
    return False


def client_of(aws: Mapping[str, str]) -> Any:
    """Return a client of the DynamoDB that *aws* leads to."""
    return _connected("dynamodb", aws["AWS_ENDPOINT_URL_DYNAMODB"], **aws)


@functools.cache  # to make one takes a tenth of a second
def _connected(service: str, url: str, **aws: str) -> Any:
    return botocore.session.get_session().create_client(
        service,
        region_name=aws["AWS_REGION"],
        endpoint_url=url,
        aws_access_key_id=aws["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=aws["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=aws.get("AWS_SESSION_TOKEN"),
        config=Config(
            connect_timeout=2,
            read_timeout=10,
            retries={"total_max_attempts": 2},
            # the embedded engine's shards have names that are shorter than AWS's ever are
            parameter_validation=service != "dynamodbstreams",
        ),
    )


def _created(client: Any, table: Table) -> bool:
    try:
        client.create_table(**table.definition)
    except client.exceptions.ResourceInUseException:
        return False
    client.get_waiter("table_exists").wait(TableName=table.name, WaiterConfig={"Delay": 1})
    return True


def _switch_ttl_on(client: Any, table: Table) -> None:
    if table.ttl_attribute is None:
        return
    found = client.describe_time_to_live(TableName=table.name)["TimeToLiveDescription"]
    if found["TimeToLiveStatus"] in {"ENABLED", "ENABLING"}:
        return  # DynamoDB refuses to enable what is enabled
    client.update_time_to_live(
        TableName=table.name,
        TimeToLiveSpecification={"Enabled": True, "AttributeName": table.ttl_attribute},
    )
