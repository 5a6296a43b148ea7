"""What the contract tests share: the build, a table, and Lambda's own runtime."""

import contextlib
import http.client
import json
import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import files
from pathlib import Path
from typing import Any

import pytest
from bench.built import BUILD, built_template
from bench.dynamodb_stub import Exchange, recording
from local import dynamodb, intrinsics, services
from local.clock import LocalClock
from local.folder import DataFolder
from local.queues import Queues
from local.template import Function, Template

ROOT = Path(__file__).parents[2]
ENDPOINT = "AWS_ENDPOINT_URL_DYNAMODB"
RUNTIME_PACKAGES = ("awslambdaric", "simplejson", "snapshot-restore-py")
# A killed pytest cannot clean up, so the kernel does: the emulator ends with the test process.
DIE_WITH_PARENT = """\
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM)
os.execv(sys.argv[1], sys.argv[1:])
"""

Invoke = Callable[[str, Mapping[str, Any]], dict[str, Any]]


@pytest.fixture(scope="session")
def built() -> Template:
    """The built template; its functions lie as they do in Lambda."""
    try:
        return built_template()
    except FileNotFoundError as error:
        pytest.fail(str(error))


@pytest.fixture(scope="session")
def runnable(built: Template) -> Template:
    """The built template, if this machine is one that its functions can run on."""
    layer = intrinsics.load(BUILD / "template.yaml")["Resources"]["VitalsLayer"]
    here, there = f"{platform.system()} {machine()}", layer["Metadata"]["BuildArchitecture"]
    if here != f"Linux {there}":
        pytest.skip(f"built for Linux {there}, which {here} cannot run")
    return built


@pytest.fixture(scope="session")
def aws(runnable: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The AWS variables of a caller of an empty table, in memory."""
    with dynamodb.embedded(tmp_path_factory.mktemp("dynamodb") / "log") as endpoint:
        variables = dynamodb.credentials(endpoint, {})
        for table in runnable.tables:
            dynamodb.ensure(table, variables)
        yield variables


@pytest.fixture(scope="session")
def calls() -> dict[str, list[Exchange]]:
    """What each invoked function has asked of the table so far."""
    return {}


@pytest.fixture(scope="session")
def invoke(
    runnable: Template,
    aws: dict[str, str],
    calls: dict[str, list[Exchange]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Invoke]:
    """Invoke a built function, by its logical id, with an event, under Lambda's own runtime."""
    folder = tmp_path_factory.mktemp("runtime")
    packages = runtime_packages(folder / "packages")
    emulators: dict[str, Emulator] = {}
    with contextlib.ExitStack() as stack:
        played = stack.enter_context(playing(runnable, DataFolder(folder)))

        def invoke_one(name: str, event: Mapping[str, Any]) -> dict[str, Any]:
            if name not in emulators:
                function, log = runnable.functions[name], folder / f"{name}.log"
                url, calls[name] = stack.enter_context(recording(aws[ENDPOINT]))
                variables = environment(function, packages, {**aws, **played, ENDPOINT: url})
                emulators[name] = stack.enter_context(emulator(function, variables, log))
            return emulators[name].invoke(event)

        yield invoke_one


@pytest.fixture(scope="session")
def api_key(invoke: Invoke) -> str:
    """The key of a new tenant, made by the built admin function."""
    event = json.loads((ROOT / "events" / "admin" / "bootstrap.json").read_text(encoding="utf-8"))
    return str(invoke("AdminFunction", event | {"force": True})["api_key"])


@contextlib.contextmanager
def playing(template: Template, folder: DataFolder) -> Iterator[dict[str, str]]:
    """Play the services beside the table; yield the variables by which they are found."""
    folder.database.parent.mkdir(parents=True)
    clock = LocalClock(folder.clock)
    with (
        contextlib.closing(Queues(folder.queues)) as queues,
        services.playing(template, queues, folder, clock) as url,
    ):
        yield services.variables(url)


@dataclass(frozen=True)
class Emulator:
    """One function under Lambda's runtime, behind the runtime interface emulator."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def invoke(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the function answers to *event*; fail with its log if it answers nothing."""
        deadline = time.monotonic() + 10
        while True:
            try:
                answer = self._post(json.dumps(event))
            except ConnectionRefusedError:  # it has just been started
                if self.process.poll() is not None or time.monotonic() > deadline:
                    pytest.fail(f"the emulator does not run:\n{self.log.read_text()}")
                time.sleep(0.01)
                continue
            if "errorType" in answer:
                pytest.fail(f"the function failed: {answer}\n{self.log.read_text()}")
            return answer

    def _post(self, body: str) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request("POST", "/2015-03-31/functions/function/invocations", body)
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
            return answer


@contextlib.contextmanager
def emulator(function: Function, variables: Mapping[str, str], log: Path) -> Iterator[Emulator]:
    """Run *function* for the length of a with block, on nothing but its own packages."""
    [binary] = ROOT.glob(
        f".venv-sam/lib/python*/site-packages/samcli/local/rapid/aws-lambda-rie-{machine()}"
    )
    port, api = free_ports(2)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-c", DIE_WITH_PARENT, str(binary)),
                *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
                *("--runtime-api-address", f"127.0.0.1:{api}"),
                # Without site: a package that the layer lacks must not be found in the tests' own.
                *(sys.executable, "-S", "-m", "awslambdaric", function.handler),
            ],
            cwd=function.code,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Emulator(process, port, log)
    finally:
        process.terminate()  # it ends the runtime, which is in a process group of its own
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()  # the runtime ends by itself: nobody answers its next call
            process.wait()


def environment(function: Function, packages: Path, aws: Mapping[str, str]) -> dict[str, str]:
    """Return what Lambda sets, and what the template adds."""
    path = [function.code, *function.layers, packages]
    return {
        "PATH": os.environ["PATH"],
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONPATH": os.pathsep.join(str(folder) for folder in path),
        "LAMBDA_TASK_ROOT": str(function.code),
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(int(function.timeout)),
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_LEVEL": "INFO",
        **aws,
        **function.environment,
    }


def runtime_packages(folder: Path) -> Path:
    """Fill *folder* with Lambda's runtime client, and nothing else that the tests have."""
    folder.mkdir()
    for package in RUNTIME_PACKAGES:
        for file in files(package) or []:
            here = folder / file.parts[0]
            if ".." not in file.parts and not here.exists():
                site_packages = Path(str(file.locate())).parents[len(file.parts) - 1]
                here.symlink_to(site_packages / here.name)
    return folder


def free_ports(count: int) -> list[int]:
    """Return *count* loopback ports that nobody uses."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


def machine() -> str:
    """Return this machine's architecture, as Lambda calls it."""
    return {"aarch64": "arm64", "amd64": "x86_64"}.get(platform.machine().lower(), "x86_64")
