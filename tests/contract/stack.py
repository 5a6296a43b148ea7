"""template.yaml as the contract tests look at it."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from local import intrinsics, patterns

PATH = Path(__file__).parents[2] / "template.yaml"
DOCUMENT = intrinsics.load(PATH)
RESOURCES: dict[str, Any] = DOCUMENT["Resources"]


def of_type(kind: str) -> dict[str, Any]:
    """Return the properties of every resource of one type."""
    found = {name: r for name, r in RESOURCES.items() if r["Type"] == kind}
    return {name: resource.get("Properties", {}) for name, resource in found.items()}


FUNCTIONS = of_type("AWS::Serverless::Function")


def arn(resource: str) -> str:
    """Return how the template refers to the ARN of a resource, as JSON."""
    return json.dumps({"Fn::GetAtt": [resource, "Arn"]})


def role_of(properties: dict[str, Any], key: str) -> str:
    """Return the logical id of the role whose ARN the properties of a resource hold."""
    [role, attribute] = properties[key]["Fn::GetAtt"]
    assert attribute == "Arn"
    return str(role)


def statements(role: str) -> Iterator[dict[str, Any]]:
    """Yield what a role may do, as the template says it."""
    for policy in RESOURCES[role]["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            assert set(statement) - {"Condition"} == {"Effect", "Action", "Resource"}
            assert statement["Effect"] == "Allow"
            yield statement


def granted(role: str) -> dict[str, set[str]]:
    """Return what a role may do, by resource."""
    found = dict[str, set[str]]()
    for statement in statements(role):
        resources = statement["Resource"]
        for resource in resources if isinstance(resources, list) else [resources]:
            found.setdefault(json.dumps(resource), set()).update(actions(statement))
    return found


def actions(statement: Mapping[str, Any]) -> list[str]:
    """Return the actions of one statement."""
    found = statement["Action"]
    return [found] if isinstance(found, str) else found


def events(function: str, kind: str) -> list[dict[str, Any]]:
    """Return the properties of a function's events of one type."""
    found = FUNCTIONS[function].get("Events", {}).values()
    assert {event["Type"] for event in found} <= {"DynamoDB", "HttpApi", "ScheduleV2", "SQS"}
    return [event["Properties"] for event in found if event["Type"] == kind]


def reacted_to(record: Mapping[str, Any]) -> bool:
    """Return whether a record of the stream reaches the reactions: one filter is enough."""
    [mapping] = events("ReactionsFunction", "DynamoDB")
    filters = [patterns.matcher(each["Pattern"]) for each in mapping["FilterCriteria"]["Filters"]]
    return any(matches(record) for matches in filters)
