"""template.yaml as the contract tests look at it."""

import json
from pathlib import Path
from typing import Any

from local import intrinsics

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


def granted(role: str) -> dict[str, set[str]]:
    """Return what a role may do, by resource."""
    found = dict[str, set[str]]()
    for policy in RESOURCES[role]["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            assert set(statement) == {"Effect", "Action", "Resource"}
            actions, resources = statement["Action"], statement["Resource"]
            for resource in resources if isinstance(resources, list) else [resources]:
                of_resource = found.setdefault(json.dumps(resource), set())
                of_resource.update([actions] if isinstance(actions, str) else actions)
    return found


def events(function: str, kind: str) -> list[dict[str, Any]]:
    """Return the properties of a function's events of one type."""
    found = FUNCTIONS[function].get("Events", {}).values()
    assert {event["Type"] for event in found} <= {"HttpApi", "ScheduleV2", "SQS"}
    return [event["Properties"] for event in found if event["Type"] == kind]
