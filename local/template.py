"""What template.yaml says, as the local cloud needs it: functions, routes and tables."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local import intrinsics
from local.console import LocalCloudError
from local.intrinsics import ACCOUNT_ID

_FUNCTION = "AWS::Serverless::Function"
_TABLE = "AWS::DynamoDB::Table"
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

    def function(self, name: str) -> Function:
        """Return the function with this logical id, or whose code lies in a folder so named."""
        for function in self.functions.values():
            if name in (function.name, function.code.name):
                return function
        known = ", ".join(sorted(f"{f.name} ({f.code.name})" for f in self.functions.values()))
        raise LocalCloudError(f"There is no function {name}. There is: {known}.")


def read(path: Path, environ: Mapping[str, str]) -> Template:
    """Return the template at *path*, with *environ* overriding its functions' variables.

    A variable of *environ* replaces the value of the function variable of the same name, and where
    that refers to a parameter, the parameter: `TABLE_NAME=x` renames the table too.
    """
    reader = _Reader(path, environ)
    return Template(
        functions={name: reader.function(name) for name in reader.resources(_FUNCTION)},
        routes=tuple(reader.routes()),
        tables=tuple(reader.table(name) for name in reader.resources(_TABLE)),
    )


@dataclass
class _Reader:
    path: Path
    environ: Mapping[str, str]
    document: Mapping[str, Any] = field(init=False)
    resolver: intrinsics.Resolver = field(init=False)

    def __post_init__(self) -> None:
        self.document = intrinsics.load(self.path)
        parameters = {
            name: parameter["Default"]
            for name, parameter in self.document.get("Parameters", {}).items()
            if "Default" in parameter
        }
        region = self.environ.get("AWS_REGION", "us-east-1")
        self.resolver = intrinsics.Resolver(
            parameters=parameters
            | {"AWS::AccountId": ACCOUNT_ID, "AWS::Region": region, "AWS::Partition": "aws"}
            | {"AWS::StackName": "local", "AWS::URLSuffix": "amazonaws.com"}
            | self._overridden(),
            conditions=self.document.get("Conditions", {}),
            references=self._physical_name,
            attributes=self._attribute,
        )

    def resources(self, kind: str) -> Iterator[str]:
        for name, resource in self.document.get("Resources", {}).items():
            condition = resource.get("Condition")
            if resource.get("Type") == kind and (
                condition is None or self.resolver.resolve({"Condition": condition})
            ):
                yield name

    def function(self, name: str) -> Function:
        properties = {**self._globals(), **self._properties(name)}
        layers = [*self._globals().get("Layers", []), *self._properties(name).get("Layers", [])]
        resolve = self.resolver.resolve
        return Function(
            name=name,
            handler=resolve(properties["Handler"]),
            runtime=resolve(properties.get("Runtime", "")),
            code=self.path.parent / resolve(properties["CodeUri"]),
            layers=tuple(self._layer(layer) for layer in layers),
            timeout=float(resolve(properties.get("Timeout", 3))),
            memory=int(resolve(properties.get("MemorySize", 128))),
            environment=self._environment(name) | self._logging(properties),
        )

    def routes(self) -> Iterator[Route]:
        for name in self.resources(_FUNCTION):
            for event in self._properties(name).get("Events", {}).values():
                if event["Type"] == "HttpApi":
                    found = self.resolver.resolve(event.get("Properties", {}))
                    yield Route(
                        method=str(found.get("Method", "ANY")).upper(),
                        path=str(found.get("Path", "$default")),
                        function=name,
                        timeout=found.get("TimeoutInMillis", 30_000) / 1000,
                    )

    def table(self, name: str) -> Table:
        found = self.resolver.resolve(self._properties(name))
        definition = {key: found[key] for key in _CREATE_TABLE if key in found}
        definition["TableName"] = self._physical_name(name)
        if "StreamSpecification" in found:
            definition["StreamSpecification"] = {
                "StreamEnabled": True,
                "StreamViewType": found["StreamSpecification"]["StreamViewType"],
            }
        ttl = found.get("TimeToLiveSpecification", {})
        return Table(definition, ttl["AttributeName"] if ttl.get("Enabled") else None)

    def _globals(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.document.get("Globals", {}).get("Function", {})
        return found

    def _properties(self, name: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.document["Resources"][name].get("Properties", {})
        return found

    def _variables(self, name: str) -> dict[str, Any]:
        shared: dict[str, Any] = self._globals().get("Environment", {}).get("Variables", {})
        own: dict[str, Any] = self._properties(name).get("Environment", {}).get("Variables", {})
        return shared | own

    def _overridden(self) -> dict[str, Any]:
        """Return the parameters that an environment variable sets through a function variable."""
        return {
            value["Ref"]: self.environ[variable]
            for name, resource in self.document.get("Resources", {}).items()
            if resource.get("Type") == _FUNCTION
            for variable, value in self._variables(name).items()
            if isinstance(value, dict) and value.get("Ref") in self.document.get("Parameters", {})
            if variable in self.environ
        }

    def _environment(self, name: str) -> dict[str, str]:
        variables = self._variables(name)
        literals = {key for key, value in variables.items() if not isinstance(value, dict)}
        resolved = self.resolver.resolve(variables)
        resolved |= {key: self.environ[key] for key in literals if key in self.environ}
        return {key: _text(value) for key, value in resolved.items()}

    def _logging(self, properties: Mapping[str, Any]) -> dict[str, str]:
        """Return the variables by which Lambda tells its runtime how to log."""
        config = properties.get("LoggingConfig", {})
        names = {
            "LogFormat": "AWS_LAMBDA_LOG_FORMAT",
            "ApplicationLogLevel": "AWS_LAMBDA_LOG_LEVEL",
        }
        return {
            variable: self.resolver.resolve(config[key])
            for key, variable in names.items()
            if key in config
        }

    def _layer(self, layer: Any) -> Path:
        """Return the folder that Lambda would put on the path for this layer."""
        name = layer.get("Ref") if isinstance(layer, dict) else None
        resource = self.document["Resources"].get(name)
        if resource is None:
            raise LocalCloudError(f"The local cloud can only use layers of the template: {layer}.")
        content = self.path.parent / str(
            self.resolver.resolve(resource["Properties"]["ContentUri"])
        )
        # SAM builds a layer with a BuildMethod into `python/`; without one, it is there already.
        return content if "BuildMethod" in resource.get("Metadata", {}) else content / "python"

    def _physical_name(self, name: str) -> str:
        resource = self.document["Resources"].get(name)
        if resource is None:
            raise LocalCloudError(f"The template has no resource {name} and no default for one.")
        names = {_TABLE: "TableName", _FUNCTION: "FunctionName"}
        given = resource.get("Properties", {}).get(names.get(resource["Type"], ""), name)
        return str(self.resolver.resolve(given))

    def _attribute(self, name: str, attribute: str) -> str:
        kind = self.document["Resources"].get(name, {}).get("Type")
        region = self.resolver.resolve({"Ref": "AWS::Region"})
        if attribute == "Arn" and kind == _TABLE:
            return f"arn:aws:dynamodb:{region}:{ACCOUNT_ID}:table/{self._physical_name(name)}"
        if attribute == "Arn" and kind == _FUNCTION:
            return f"arn:aws:lambda:{region}:{ACCOUNT_ID}:function:{self._physical_name(name)}"
        raise LocalCloudError(f"The local cloud cannot resolve {name}.{attribute}.")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
