"""What template.yaml says, as the local cloud needs it: functions and all that invokes them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local import schedules, sources
from local.console import LocalCloudError
from local.document import BUCKET, FUNCTION, KEY, TABLE, Document
from local.schedules import Schedule
from local.sources import EventSource, Pipe, StreamSource

# CreateTable takes these as CloudFormation spells them; the rest (PITR, tags, encryption,
# deletion protection) is AWS's business and changes nothing that a function can see.
_CREATE_TABLE = (
    "TableName",
    "AttributeDefinitions",
    "KeySchema",
    "GlobalSecondaryIndexes",
    "BillingMode",
    "ProvisionedThroughput",
)


@dataclass(frozen=True)
class Function:
    """One Lambda function: its code, its limits, and the environment the template gives it."""

    name: str
    handler: str
    runtime: str
    code: Path
    layers: tuple[Path, ...]
    timeout: float
    memory: int
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Route:
    """One route of the HTTP API: what it matches and whom it calls."""

    method: str
    path: str
    function: str
    timeout: float

    @property
    def key(self) -> str:
        """The route key, as the event names it."""
        return self.path if self.path == "$default" else f"{self.method} {self.path}"


@dataclass(frozen=True)
class Table:
    """One table: the arguments of CreateTable, and its TTL attribute."""

    definition: Mapping[str, Any]
    ttl_attribute: str | None

    @property
    def name(self) -> str:
        """The table's name."""
        return str(self.definition["TableName"])


@dataclass(frozen=True)
class Template:
    """The parts of one template that the local cloud plays."""

    functions: Mapping[str, Function]
    routes: tuple[Route, ...]
    tables: tuple[Table, ...]
    pipes: tuple[Pipe, ...] = ()
    event_sources: tuple[EventSource, ...] = ()
    stream_sources: tuple[StreamSource, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    keys: tuple[str, ...] = ()  # the ARNs
    buckets: tuple[str, ...] = ()  # the names

    def function(self, name: str) -> Function:
        """Return the function with this logical id, or whose code lies in a folder so named."""
        for function in self.functions.values():
            if name in (function.name, function.code.name):
                return function
        known = ", ".join(sorted(f"{f.name} ({f.code.name})" for f in self.functions.values()))
        raise LocalCloudError(f"There is no function {name}. There is: {known}.")


def read(path: Path, environ: Mapping[str, str], api_url: str = "http://127.0.0.1") -> Template:
    """Return the template at *path*, with *environ* overriding its functions' variables.

    *api_url* is where its HTTP API is served.

    A variable of *environ* replaces the value of the function variable of the same name, and where
    that refers to a parameter, the parameter: `TABLE_NAME=x` renames the table too.
    """
    document = Document(path, environ, api_url)
    return Template(
        functions={name: _function(document, name) for name in document.resources(FUNCTION)},
        routes=tuple(_routes(document)),
        tables=tuple(_table(document, name) for name in document.resources(TABLE)),
        pipes=tuple(sources.pipes(document)),
        event_sources=tuple(sources.event_sources(document)),
        stream_sources=tuple(sources.stream_sources(document)),
        schedules=tuple(schedules.schedules(document)),
        keys=tuple(document.arn(name) for name in document.resources(KEY)),
        buckets=tuple(document.physical_name(name) for name in document.resources(BUCKET)),
    )


def _function(document: Document, name: str) -> Function:
    shared, own = document.globals(), document.properties(name)
    properties = {**shared, **own}
    layers = [*shared.get("Layers", []), *own.get("Layers", [])]
    resolve = document.resolve
    return Function(
        name=name,
        handler=resolve(properties["Handler"]),
        runtime=resolve(properties.get("Runtime", "")),
        code=document.path.parent / resolve(properties["CodeUri"]),
        layers=tuple(_layer(document, layer) for layer in layers),
        timeout=float(resolve(properties.get("Timeout", 3))),
        memory=int(resolve(properties.get("MemorySize", 128))),
        environment=_environment(document, name) | _logging(document, properties),
    )


def _routes(document: Document) -> Iterator[Route]:
    for name in document.resources(FUNCTION):
        for event in document.properties(name).get("Events", {}).values():
            if event["Type"] == "HttpApi":
                found = document.resolve(event.get("Properties", {}))
                yield Route(
                    method=str(found.get("Method", "ANY")).upper(),
                    path=str(found.get("Path", "$default")),
                    function=name,
                    timeout=found.get("TimeoutInMillis", 30_000) / 1000,
                )


def _table(document: Document, name: str) -> Table:
    found = document.resolve(document.properties(name))
    definition = {key: found[key] for key in _CREATE_TABLE if key in found}
    definition["TableName"] = document.physical_name(name)
    if "StreamSpecification" in found:
        definition["StreamSpecification"] = {
            "StreamEnabled": True,
            "StreamViewType": found["StreamSpecification"]["StreamViewType"],
        }
    ttl = found.get("TimeToLiveSpecification", {})
    return Table(definition, ttl["AttributeName"] if ttl.get("Enabled") else None)


def _environment(document: Document, name: str) -> dict[str, str]:
    variables = document.variables(name)
    literals = {key for key, value in variables.items() if not isinstance(value, dict)}
    resolved = document.resolve(variables)
    resolved |= {key: document.environ[key] for key in literals if key in document.environ}
    return {key: _text(value) for key, value in resolved.items()}


def _logging(document: Document, properties: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables by which Lambda tells its runtime how to log."""
    config = properties.get("LoggingConfig", {})
    names = {
        "LogFormat": "AWS_LAMBDA_LOG_FORMAT",
        "ApplicationLogLevel": "AWS_LAMBDA_LOG_LEVEL",
    }
    return {
        variable: document.resolve(config[key]) for key, variable in names.items() if key in config
    }


def _layer(document: Document, layer: Any) -> Path:
    """Return the folder that Lambda would put on the path for this layer."""
    name = layer.get("Ref") if isinstance(layer, dict) else None
    resource = document.resource(name) if name is not None else None
    if resource is None:
        raise LocalCloudError(f"The local cloud can only use layers of the template: {layer}.")
    content = document.path.parent / str(document.resolve(resource["Properties"]["ContentUri"]))
    # SAM builds a layer with a BuildMethod into `python/`; without one, it is there already.
    return content if "BuildMethod" in resource.get("Metadata", {}) else content / "python"


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
