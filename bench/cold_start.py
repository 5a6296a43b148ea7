"""Lines 1 and 10: cold starts of the built functions that serve HTTP, over a bare boto3 handler's.

Each run is a whole fresh process, from its start to its first answered read of a customer. All
handlers run on the built layer with the bytecode that is deployed, against the same replayed
DynamoDB.
"""

import json
import os
import py_compile
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.built import built_template
from bench.dynamodb_stub import Exchange, recording, replaying
from bench.report import Line
from local import dynamodb
from local.functions import RunningFunction
from local.proxy import Request, to_event
from local.routes import Router
from local.template import Function, Template

PATH = "/functions/v1/api-inbound"
HERE = Path(__file__).parent
SHOWN = 15
"""So many packages are named."""
CUSTOMER = {
    "name": "Acme Corp",
    "external_id": "acme-1",
    "logins": 22,
    "adoption": 75,
    "tickets": 3,
    "mrr": 4200,
    "tier": "enterprise",
    "manager": "Ada",
    "tags": ["emea", "renewal-q3"],
}


@dataclass(frozen=True)
class Subject:
    """A handler to be measured: how it is found, and the event that it answers."""

    title: str
    handler: str
    folders: Sequence[Path]
    environment: Mapping[str, str]
    event: str

    def command(self, pipe: int, *options: str) -> list[str]:
        """Return the command of one run; without site, so that it has its own folders only."""
        script = str(HERE / "first_answer.py")
        run = [sys.executable, "-S", "-P", *options, script]
        return [*run, str(pipe), self.handler, self.event]

    def variables(self, endpoint: str) -> dict[str, str]:
        """Return the environment of one run."""
        path = os.pathsep.join(str(folder) for folder in self.folders)
        return {**self.environment, "AWS_ENDPOINT_URL_DYNAMODB": endpoint, "PYTHONPATH": path}


@dataclass(frozen=True)
class Run:
    """One run: seconds to the first answer, and the most memory held, in MB."""

    seconds: float
    megabytes: float


def run(subject: Subject, endpoint: str) -> Run:
    """Run *subject* once in a fresh process. Raises RuntimeError unless it answers 200."""
    ours, theirs = os.pipe()
    with os.fdopen(ours, "rb") as pipe, tempfile.TemporaryFile() as log:
        started = time.perf_counter()
        with subprocess.Popen(
            subject.command(theirs),
            env=subject.variables(endpoint),
            pass_fds=[theirs],
            stdout=log,
        ):
            os.close(theirs)
            answer = pipe.readline()
            seconds = time.perf_counter() - started
            memory = pipe.read()
        if not answer or json.loads(answer)["statusCode"] != 200:
            log.seek(0)
            said = (answer + log.read()).decode()
            raise RuntimeError(f"{subject.title} answered {said or 'nothing'}")
    return Run(seconds, int(memory) / 1024)


def imports(subject: Subject, endpoint: str) -> Counter[str]:
    """Return the microseconds that each package's own modules took to import, in one process."""
    with Path(os.devnull).open("wb") as nowhere:
        traced = subprocess.run(
            subject.command(nowhere.fileno(), "-X", "importtime"),
            env=subject.variables(endpoint),
            pass_fds=[nowhere.fileno()],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=True,
        )
    packages = Counter[str]()
    for line in traced.stderr.splitlines():
        columns = line.removeprefix("import time:").split("|")
        if columns[0].strip().isdigit():
            packages[package(columns[-1].strip())] += int(columns[0])
    return packages


def package(module: str) -> str:
    """Return the package whose cost *module* is; our own is split one level further."""
    return ".".join(module.split(".")[: 2 if module.startswith("vitals.") else 1])


@dataclass(frozen=True)
class Read:
    """The first read of a function: its *target* is a format with the customer's id."""

    function: str
    title: str
    target: str
    line: int
    most: float
    """The target of the ratio."""


ACTIONS = Read("ActionsFunction", "get_customer", f"{PATH}?action=get_customer&id={{}}", 1, 1.5)
REST = Read("RestFunction", "GET /v1/customers/{id}", "/v1/customers/{}", 10, 1.8)
# What has a query loads what checks it as well.
CHECKED = Read("RestFunction", "GET /v1/customers?limit=1", "/v1/customers?limit=1", 10, 1.8)


def record(template: Template, folder: Path, read: Read) -> tuple[Subject, Subject, list[Exchange]]:
    """Return both subjects, and what DynamoDB answers them; all of it is recorded, none made up."""
    function = template.functions[read.function]
    with dynamodb.embedded(folder / "dynamodb.log") as engine:
        aws = dynamodb.credentials(engine, {})
        for table in template.tables:
            dynamodb.ensure(table, aws)
        key, customer = create_customer(template, aws)
        environment = {**aws, **function.environment, "AWS_LAMBDA_FUNCTION_NAME": function.name}
        ours = Subject(
            read.title,
            function.handler,
            [function.code, *function.layers],
            environment,
            json.dumps(event(template, key, read.target.format(customer))),
        )
        with recording(engine.url) as (url, calls):
            run(ours, url)
            exchanges = list(calls)
            bare = bare_subject(function, environment, largest_item(exchanges), folder)
            run(bare, url)
            return ours, bare, exchanges + calls[len(exchanges) :]


def create_customer(template: Template, aws: Mapping[str, str]) -> tuple[str, str]:
    """Make a tenant and a customer by the built functions; return the key and the customer's id."""
    admin = {"command": "bootstrap", "tenant_name": "Bench", "key_name": "bench"}
    key = invoke(template.functions["AdminFunction"], aws, admin)["api_key"]
    body = json.dumps({"action": "upsert_account", "data": CUSTOMER})
    function = template.functions["ActionsFunction"]
    answer = invoke(function, aws, event(template, key, PATH, body=body))
    return key, json.loads(answer["body"])["data"]["id"]


def invoke(function: Function, aws: Mapping[str, str], given: object) -> dict[str, Any]:
    """Return what *function* answers, in a process of its own."""
    running = RunningFunction(function, aws, Path(os.devnull))
    try:
        answer: dict[str, Any] = json.loads(running.invoke(given))
    finally:
        running.stop()
    return answer


def event(template: Template, key: str, target: str, body: str = "") -> dict[str, Any]:
    """Return the event that API Gateway would make of a request."""
    headers = [("host", "bench.example:443"), ("x-api-key", key)]
    headers += [("content-type", "application/json")] if body else []
    request = Request(
        method="POST" if body else "GET",
        target=target,
        protocol="HTTP/1.1",
        headers=headers,
        body=body.encode(),
        source_ip="192.0.2.1",
        port=443,
    )
    match = Router(template.routes).match(request.method, target.partition("?")[0])
    if match is None:
        raise LookupError(f"no route takes {request.method} {target}")
    return to_event(request, match)


def largest_item(exchanges: Sequence[Exchange]) -> Mapping[str, Any]:
    """Return the key of the largest item that was got: the bare handler gets the same."""
    got = [one for one in exchanges if one.operation == "GetItem"]
    key: dict[str, Any] = json.loads(max(got, key=lambda one: len(one.response)).request)["Key"]
    return key


def bare_subject(
    function: Function, environment: Mapping[str, str], key: Mapping[str, Any], folder: Path
) -> Subject:
    """Return the bare handler, compiled as what is deployed is, in a folder of its own."""
    code = folder / "bare"
    code.mkdir()
    module = code / "bare_handler.py"
    module.write_bytes((HERE / module.name).read_bytes())
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(module), doraise=True, invalidation_mode=unchecked)
    return Subject(
        "one boto3 GetItem",
        "bare_handler.handler",
        [code, *function.layers],
        environment,
        json.dumps({"key": key}),
    )


def measure(subjects: Sequence[Subject], endpoint: str, runs: int) -> dict[str, list[Run]]:
    """Run the subjects in turn, so that whatever else the machine does hits all of them."""
    for subject in subjects:
        run(subject, endpoint)  # brings the files into memory
    results: dict[str, list[Run]] = {subject.title: [] for subject in subjects}
    for _ in range(runs):
        for subject in subjects:
            results[subject.title].append(run(subject, endpoint))
    return results


def lines(
    read: Read, results: Mapping[str, Sequence[Run]], exchanges: Sequence[Exchange]
) -> list[Line]:
    """Return the time and the memory of *results*, ours first, the floor second."""
    (ours, runs), (bare, floor) = results.items()
    seconds, least = (statistics.median(one.seconds for one in each) for each in (runs, floor))
    low, _, high = statistics.quantiles((one.seconds * 1000 for one in runs), n=4)
    memory, smallest = (statistics.median(one.megabytes for one in each) for each in (runs, floor))
    operations = Counter(one.operation for one in exchanges[:-1])  # the last is the bare handler's
    calls = ", ".join(f"{n} {name}" if n > 1 else name for name, n in operations.items())
    return [
        Line(
            what=f"{read.line}. Cold start to the first `{ours}`",
            measured=f"{seconds * 1000:.0f} ms ({low:.0f} to {high:.0f})",
            floor=f"{least * 1000:.0f} ms: {bare}",
            ratio=statistics.median(
                one.seconds / other.seconds for one, other in zip(runs, floor, strict=True)
            ),
            target=f"≤ {read.most}",
            calls=calls,
        ),
        Line(
            what=f"{read.line}. Memory at its end",
            measured=f"{memory:.0f} MB",
            floor=f"{smallest:.0f} MB",
            ratio=memory / smallest,
            target="≤ 60 MB",
        ),
    ]


def costly(packages: Sequence[Counter[str]]) -> dict[str, float]:
    """Return the seconds of the packages whose own modules take longest to import, and of all."""
    names = set().union(*packages)
    medians = {name: statistics.median(one[name] for one in packages) / 1e6 for name in names}
    longest = dict(sorted(medians.items(), key=lambda pair: -pair[1])[:SHOWN])
    return longest | {f"all of {len(medians)} packages": sum(medians.values())}


def line(read: Read = ACTIONS, runs: int = 15) -> tuple[list[Line], dict[str, float]]:
    """Return the cold start's figures, and what its imports cost by package, without theirs."""
    with tempfile.TemporaryDirectory() as folder:
        ours, bare, exchanges = record(built_template(), Path(folder), read)
        with replaying(exchanges) as endpoint:
            found = lines(read, measure([ours, bare], endpoint, runs), exchanges)
            return found, costly([imports(ours, endpoint) for _ in range(5)])
