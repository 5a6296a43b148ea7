"""The real local cloud, as a process of its own, for tests that speak HTTP to it."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from local.dynamodb import ROOT, TETHER

START_SECONDS = 60
# A product of two throw-away functions, for what concerns the local cloud alone.
_TEMPLATE = """
Parameters:
  TableName: {Type: String, Default: stand-in}
Globals:
  Function:
    Runtime: python3.13
    Timeout: 2
    Environment:
      Variables: {TABLE_NAME: !Ref Table, VITALS_LIMIT_READS: 1000}
Resources:
  EchoFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/echo
      Handler: echo.handler
      Environment: {Variables: {API_URL: !GetAtt Api.ApiEndpoint, FILES: !Ref Files}}
      Events:
        Post: {Type: HttpApi, Properties: {Path: /functions/v1/api-inbound, Method: POST}}
        Customer: {Type: HttpApi, Properties: {Path: "/v1/customers/{id}", Method: ANY}}
        Hasty: {Type: HttpApi, Properties: {Path: /hasty, Method: GET, TimeoutInMillis: 200}}
        Rest: {Type: HttpApi}
  BrokenFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/echo
      Handler: missing.handler
      Events: {Any: {Type: HttpApi, Properties: {Path: /broken, Method: ANY}}}
  AdminFunction:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: functions/admin, Handler: admin.handler, Timeout: 30}
  Api: {Type: AWS::Serverless::HttpApi}
  Files: {Type: AWS::S3::Bucket}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: !Ref TableName
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: PK, AttributeType: S}]
      KeySchema: [{AttributeName: PK, KeyType: HASH}]
      TimeToLiveSpecification: {AttributeName: expires_at, Enabled: true}
"""
_ECHO = """
import json, os, time

def handler(event, context):
    order = json.loads(event.get("queryStringParameters", {}).get("order", "{}"))
    print("seen", context.aws_request_id)
    if "raise" in order:
        raise ValueError(order["raise"])
    if "exit" in order:
        os._exit(order["exit"])
    time.sleep(order.get("sleep", 0))
    if "answer" in order:
        return order["answer"]
    if "size" in order:
        return "x" * order["size"]
    return {
        "event": event,
        "environment": dict(os.environ),
        "pid": os.getpid(),
        "context": {
            "function_name": context.function_name,
            "memory": context.memory_limit_in_mb,
            "arn": context.invoked_function_arn,
            "remaining": context.get_remaining_time_in_millis(),
        },
    }
"""
_ADMIN = """
import os, uuid
import botocore.session

def handler(event, context):
    dynamodb = botocore.session.get_session().create_client("dynamodb")
    table, key = os.environ["TABLE_NAME"], {"PK": {"S": "tenant"}}
    if "Item" in dynamodb.get_item(TableName=table, Key=key) and not event.get("force"):
        return {"error": {"code": "tenant_exists", "detail": "There is a tenant."}}
    dynamodb.put_item(TableName=table, Item=key)
    return {"api_key": f"vt_test_{uuid.uuid4().hex}"}
"""
_NOT_INHERITED = ("AWS_", "VITALS_", "PORT", "TABLE_NAME", "LOG_LEVEL")


@dataclass(frozen=True)
class Response:
    """One HTTP response, read to its end."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Cloud:
    """One local cloud on a data folder of its own and a free port, started and stopped at will."""

    folder: Path
    template: Path = ROOT / "template.yaml"
    environ: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()  # of its start
    process: subprocess.Popen[bytes] = field(init=False)
    url: str = field(init=False)

    @property
    def key(self) -> str:
        return (self.folder / "api-key").read_text().strip()

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def output(self) -> str:
        """What it wrote to its console since its start."""
        return (self.folder.parent / f"{self.folder.name}.out").read_text()

    def command(self, *arguments: str) -> list[str]:
        """Return the command line that runs *arguments* on this folder and template."""
        options = ["--template", str(self.template), "--folder", str(self.folder)]
        return [sys.executable, "-m", "local", arguments[0], *options, *arguments[1:]]

    def environment(self) -> dict[str, str]:
        """Return this process's environment without what would change the local cloud."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(_NOT_INHERITED)}
        return {**kept, **self.environ}

    def launch(self, port: int = 0) -> None:
        """Start the process, and return at once."""
        with (self.folder.parent / f"{self.folder.name}.out").open("wb") as output:
            self.process = subprocess.Popen(
                # a killed pytest cannot clean up: then the kernel does
                [
                    sys.executable,
                    "-IS",
                    str(TETHER),
                    *self.command("run", "--port", str(port), *self.options),
                ],
                cwd=ROOT,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,  # as a shell starts a command
            )

    def start(self) -> None:
        """Start the process, and return once it serves and has said so."""
        self.launch()
        deadline = time.monotonic() + START_SECONDS
        while "Ctrl-C ends it." not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.01)
        state = self._state()
        assert state.get("pid") == self.process.pid
        self.url = str(state["url"])

    def _state(self) -> Mapping[str, object]:
        with contextlib.suppress(FileNotFoundError):
            state: Mapping[str, object] = json.loads((self.folder / "running.json").read_text())
            return state
        return {}

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Interrupt the process as a terminal does; return its exit status once it has ended."""
        os.killpg(self.process.pid, number)
        return self.process.wait(timeout=30)

    def restart(self) -> None:
        """Stop it and start it again on the same data; the URL may be another after this."""
        assert self.stop() == 0, self.output
        self.start()

    def invoke(self, function: str, event: str | None) -> "subprocess.CompletedProcess[str]":
        """Invoke one function with *event* from a file; None is a file that does not exist."""
        path = self.folder.parent / "event.json"
        if event is not None:
            path.write_text(event)
        return subprocess.run(
            self.command("invoke", function, str(path)),
            check=False,
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=60,
        )

    def request(
        self,
        method: str,
        target: str,
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Send one request over a connection of its own."""
        with contextlib.closing(
            http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        ) as connection:
            connection.request(method, target, body, dict(headers or {}))
            answer = connection.getresponse()
            return Response(answer.status, answer.headers, answer.read())

    def action(self, name: str, data: Mapping[str, object], **headers: str) -> Response:
        """POST one action as Zapier would, with the key of the first start."""
        return self.request(
            "POST",
            "/functions/v1/api-inbound",
            json.dumps({"action": name, "data": data}),
            {"content-type": "application/json", "x-api-key": self.key, **headers},
        )


@contextlib.contextmanager
def ended_at_last(cloud: Cloud) -> Iterator[Cloud]:
    try:
        yield cloud
    finally:
        if hasattr(cloud, "process") and cloud.process.poll() is None:
            cloud.process.terminate()
            try:
                cloud.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                cloud.process.kill()
                cloud.process.wait()


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """The product, running on empty data for the tests of one module."""
    folder = tmp_path_factory.mktemp("cloud") / "data-folder"
    with ended_at_last(Cloud(folder)) as made:
        made.start()
        yield made


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template of a small product with a function that does what a request orders."""
    root = tmp_path_factory.mktemp("stand-in")
    (root / "template.yaml").write_text(_TEMPLATE)
    for name, source in (("echo", _ECHO), ("admin", _ADMIN)):
        (root / "functions" / name).mkdir(parents=True)
        (root / "functions" / name / f"{name}.py").write_text(source)
    return root / "template.yaml"


@pytest.fixture(scope="module")
def echo_cloud(tmp_path_factory: pytest.TempPathFactory, stand_in: Path) -> Iterator[Cloud]:
    """The stand-in product, running on empty data for the tests of one module."""
    folder = tmp_path_factory.mktemp("cloud") / "data-folder"
    with ended_at_last(Cloud(folder, stand_in, {"VITALS_LIMIT_READS": "20"})) as made:
        made.start()
        yield made


@pytest.fixture
def new_product(tmp_path: Path) -> Iterator[Callable[..., Cloud]]:
    """Make local clouds of the product, each started with some options, not yet started."""
    with contextlib.ExitStack() as stack:
        yield lambda *options: stack.enter_context(
            ended_at_last(Cloud(tmp_path / "data-folder", options=options))
        )


@pytest.fixture
def new_cloud(tmp_path: Path, stand_in: Path) -> Iterator[Callable[[], Cloud]]:
    """Make local clouds of the stand-in product on one folder, not yet started."""
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(ended_at_last(Cloud(tmp_path / "data-folder", stand_in)))
