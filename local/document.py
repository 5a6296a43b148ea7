"""One CloudFormation template with its parameters set: its resources, and the names they get."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local import intrinsics
from local.console import LocalCloudError
from local.intrinsics import ACCOUNT_ID

FUNCTION = "AWS::Serverless::Function"
TABLE = "AWS::DynamoDB::Table"
QUEUE = "AWS::SQS::Queue"
KEY = "AWS::KMS::Key"
PIPE = "AWS::Pipes::Pipe"
BUCKET = "AWS::S3::Bucket"
API = "AWS::Serverless::HttpApi"
STACK = "local"
_NAMES = {TABLE: "TableName", FUNCTION: "FunctionName", QUEUE: "QueueName", BUCKET: "BucketName"}


@dataclass
class Document:
    """The template at *path*; *environ* overrides parameters through function variables.

    *api_url* is where its HTTP API is served.
    """

    path: Path
    environ: Mapping[str, str]
    api_url: str
    content: Mapping[str, Any] = field(init=False)
    region: str = field(init=False)
    resolver: intrinsics.Resolver = field(init=False)

    def __post_init__(self) -> None:
        self.content = intrinsics.load(self.path)
        self.region = self.environ.get("AWS_REGION", "us-east-1")
        parameters = {
            name: parameter["Default"]
            for name, parameter in self.content.get("Parameters", {}).items()
            if "Default" in parameter
        }
        self.resolver = intrinsics.Resolver(
            parameters=parameters
            | {"AWS::AccountId": ACCOUNT_ID, "AWS::Region": self.region, "AWS::Partition": "aws"}
            | {"AWS::StackName": STACK, "AWS::URLSuffix": "amazonaws.com"}
            | self._overridden(),
            conditions=self.content.get("Conditions", {}),
            references=self._reference,
            attributes=self._attribute,
        )

    def resolve(self, node: Any) -> Any:
        """Return *node* with every intrinsic function replaced by its value."""
        return self.resolver.resolve(node)

    def resources(self, kind: str) -> Iterator[str]:
        """Yield the logical id of each resource of one type whose condition holds."""
        for name, resource in self.content.get("Resources", {}).items():
            condition = resource.get("Condition")
            if resource.get("Type") == kind and (
                condition is None or self.resolve({"Condition": condition})
            ):
                yield name

    def resource(self, name: str) -> Mapping[str, Any] | None:
        """Return the resource with this logical id, nothing resolved, or None."""
        found: Mapping[str, Any] | None = self.content["Resources"].get(name)
        return found

    def properties(self, name: str) -> Mapping[str, Any]:
        """Return the properties of a resource, nothing resolved."""
        found: Mapping[str, Any] = self.content["Resources"][name].get("Properties", {})
        return found

    def globals(self) -> Mapping[str, Any]:
        """Return what the template says of every function, nothing resolved."""
        found: Mapping[str, Any] = self.content.get("Globals", {}).get("Function", {})
        return found

    def variables(self, name: str) -> dict[str, Any]:
        """Return the environment variables of a function, nothing resolved."""
        shared: dict[str, Any] = self.globals().get("Environment", {}).get("Variables", {})
        own: dict[str, Any] = self.properties(name).get("Environment", {}).get("Variables", {})
        return shared | own

    def physical_name(self, name: str) -> str:
        """Return what a resource is called: its own name, or else its logical id."""
        resource = self.resource(name)
        if resource is None:
            raise LocalCloudError(f"The template has no resource {name} and no default for one.")
        properties = resource.get("Properties", {})
        unnamed = f"{name}.fifo" if properties.get("FifoQueue") else name
        if resource["Type"] == BUCKET:
            unnamed = f"{STACK}-{name}".lower()  # as CloudFormation does: S3 knows no capitals
        return str(self.resolve(properties.get(_NAMES.get(resource["Type"], ""), unnamed)))

    def arn(self, name: str) -> str:
        """Return the ARN of a table, a queue, a function, a key or a bucket."""
        if self.content["Resources"][name]["Type"] == BUCKET:
            return f"arn:aws:s3:::{self.physical_name(name)}"
        kinds = {TABLE: "dynamodb", QUEUE: "sqs", FUNCTION: "lambda", KEY: "kms"}
        prefixes = {TABLE: "table/", FUNCTION: "function:", KEY: "key/"}
        kind = self.content["Resources"][name]["Type"]
        called = _key_id(name) if kind == KEY else self.physical_name(name)
        place = f"arn:aws:{kinds[kind]}:{self.region}:{ACCOUNT_ID}"
        return f"{place}:{prefixes.get(kind, '')}{called}"

    def stream_arn(self, name: str) -> str:
        """Return what stands for the ARN of a table's stream, whose label only DynamoDB knows."""
        return f"{self.arn(name)}/stream/local"

    def _overridden(self) -> dict[str, Any]:
        """Return the parameters that an environment variable sets through a function variable."""
        return {
            value["Ref"]: self.environ[variable]
            for name, resource in self.content.get("Resources", {}).items()
            if resource.get("Type") == FUNCTION
            for variable, value in self.variables(name).items()
            if isinstance(value, dict) and value.get("Ref") in self.content.get("Parameters", {})
            if variable in self.environ
        }

    def _reference(self, name: str) -> str:
        """Return what `!Ref` of a resource stands for: its name, a queue's URL, or a key's id."""
        kind = (self.resource(name) or {}).get("Type")
        if kind == QUEUE:
            return queue_url(self.arn(name))
        return _key_id(name) if kind == KEY else self.physical_name(name)

    def _attribute(self, name: str, attribute: str) -> str:
        match self.content["Resources"].get(name, {}).get("Type"), attribute:
            case str(kind), "Arn" if kind in {TABLE, QUEUE, FUNCTION, KEY, BUCKET}:
                return self.arn(name)
            case str(kind), "ApiEndpoint" if kind == API:
                return self.api_url
            case str(kind), "StreamArn" if kind == TABLE:
                return self.stream_arn(name)
            case str(kind), "QueueUrl" if kind == QUEUE:
                return queue_url(self.arn(name))
            case str(kind), "QueueName" if kind == QUEUE:
                return self.physical_name(name)
        raise LocalCloudError(f"The local cloud cannot resolve {name}.{attribute}.")


def queue_url(arn: str) -> str:
    """Return the URL that SQS gives the queue with this ARN; here it is a name, and no address."""
    region, account, name = arn.split(":")[3:]
    return f"https://sqs.{region}.amazonaws.com/{account}/{name}"


def _key_id(name: str) -> str:
    # The same after every start: what was encrypted names it.
    return str(uuid.uuid5(uuid.NAMESPACE_OID, name))
