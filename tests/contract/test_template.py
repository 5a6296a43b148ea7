"""What template.yaml promises: its routes, its table, and what its functions may do."""

import json
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from local.dynamodb import ROOT
from local.template import read
from pynamodb.attributes import Attribute, TTLAttribute
from tests.contract.stack import (
    DOCUMENT,
    FUNCTIONS,
    PATH,
    RESOURCES,
    arn,
    events,
    granted,
    of_type,
    role_of,
)

from vitals.storage.table import ByTime, Item

PARAMETERS: dict[str, Any] = DOCUMENT["Parameters"]
TABLE: dict[str, Any] = RESOURCES["Table"]["Properties"]
ITEM_ACTIONS = {
    *("BatchGetItem", "BatchWriteItem", "ConditionCheckItem", "DeleteItem", "GetItem"),
    *("PutItem", "Query", "UpdateItem"),
}
RECEIVE_ACTIONS = {
    *("ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes", "ReceiveMessage")
}


def routes(function: str) -> set[str]:
    """Return the route keys of a function."""
    found = events(function, "HttpApi")
    for event in found:
        assert event["ApiId"] == {"Ref": "Api"}
        assert event["PayloadFormatVersion"] == "2.0"
    return {f"{e['Method']} {e['Path']}" if "Path" in e else "$default" for e in found}


def test_the_action_api_and_every_unknown_path_reach_the_actions_function() -> None:
    path = "/functions/v1/api-inbound"

    assert routes("ActionsFunction") == {f"GET {path}", f"POST {path}", "$default"}


def test_the_admin_function_is_not_reachable_over_http() -> None:
    assert routes("AdminFunction") == set()
    assert "FunctionUrlConfig" not in FUNCTIONS["AdminFunction"]


def test_the_decay_function_is_invoked_every_quarter_of_an_hour_with_that_instant() -> None:
    [schedule] = read(PATH, {}).schedules
    first, second = islice(schedule.after(datetime(2026, 3, 2, 23, 50, tzinfo=UTC)), 2)
    event = json.loads((ROOT / "events/decay/midnight.json").read_text(encoding="utf-8"))

    assert (schedule.function, schedule.event(first)) == ("DecayFunction", event)
    assert second - first == timedelta(minutes=15)


def test_the_stage_is_throttled_and_closed_to_browsers_of_other_sites() -> None:
    api = RESOURCES["Api"]["Properties"]

    assert set(api["DefaultRouteSettings"]) == {"ThrottlingRateLimit", "ThrottlingBurstLimit"}
    assert "CorsConfiguration" not in api
    assert "StageName" not in api, "another stage than $default would be a prefix of every path"


def test_access_logs_are_json_without_headers_or_query() -> None:
    settings = RESOURCES["Api"]["Properties"]["AccessLogSettings"]

    logged = json.loads(settings["Format"])

    assert settings["DestinationArn"] == {"Fn::GetAtt": ["ApiLogs", "Arn"]}
    assert {"$context.requestId", "$context.status"} <= set(logged.values())
    # $context.path has no query string, and $context knows no header but the user agent.
    assert all(value.startswith("$context.") for value in logged.values())


def test_the_table_has_the_keys_that_storage_uses() -> None:
    assert TABLE["KeySchema"] == key_schema(Item)
    assert {
        one["AttributeName"]: one["AttributeType"] for one in TABLE["AttributeDefinitions"]
    } == {attribute.attr_name: attribute.attr_type for attribute in (*keys(Item), *keys(ByTime))}


def test_the_table_has_the_index_that_storage_uses() -> None:
    [index] = TABLE["GlobalSecondaryIndexes"]

    assert index["IndexName"] == ByTime.Meta.index_name == "by_time"
    assert index["KeySchema"] == key_schema(ByTime)
    assert index["Projection"] == {
        "ProjectionType": ByTime.Meta.projection.projection_type,
        "NonKeyAttributes": ByTime.Meta.projection.non_key_attributes,
    }


def keys(model: type[Any]) -> list[Attribute[Any]]:
    """Return the hash key and the range key of a pynamodb model or index."""
    attributes = [value for value in vars(model).values() if isinstance(value, Attribute)]
    found = [one for one in attributes if one.is_hash_key or one.is_range_key]
    return sorted(found, key=lambda attribute: attribute.is_range_key)


def key_schema(model: type[Any]) -> list[dict[str, str]]:
    [hashed, ranged] = keys(model)
    return [
        {"AttributeName": str(hashed.attr_name), "KeyType": "HASH"},
        {"AttributeName": str(ranged.attr_name), "KeyType": "RANGE"},
    ]


def test_what_expires_is_the_attribute_that_storage_writes() -> None:
    ttl = TABLE["TimeToLiveSpecification"]

    assert ttl == {"AttributeName": Item.expires_at.attr_name, "Enabled": True}
    assert isinstance(Item.expires_at, TTLAttribute)


def test_the_table_outlives_the_stack_and_its_mistakes() -> None:
    assert RESOURCES["Table"]["DeletionPolicy"] == "Retain"
    assert RESOURCES["Table"]["UpdateReplacePolicy"] == "Retain"
    assert TABLE["DeletionProtectionEnabled"] is True
    assert TABLE["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert TABLE["SSESpecification"] == {"SSEEnabled": True}


def test_the_table_is_paid_by_request_and_streams_both_images() -> None:
    assert TABLE["BillingMode"] == "PAY_PER_REQUEST"
    assert TABLE["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}


def test_the_table_name_is_one_that_fits() -> None:
    name = PARAMETERS["TableName"]

    assert TABLE["TableName"] == {"Ref": "TableName"}
    assert (name["MinLength"], name["MaxLength"]) == (11, 48)
    assert name["Default"] == Item.Meta.table_name == "customer-vitals"


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_a_function_may_touch_its_table_its_log_and_its_queues_and_nothing_else(
    function: str,
) -> None:
    logs = FUNCTIONS[function]["LoggingConfig"]["LogGroup"]["Ref"]
    allowed = {
        arn("Table"): {f"dynamodb:{action}" for action in ITEM_ACTIONS},
        json.dumps({"Fn::Sub": "${Table.Arn}/index/by_time"}): {"dynamodb:Query"},
        arn(logs): {"logs:CreateLogStream", "logs:PutLogEvents"},
    }
    for event in events(function, "SQS"):
        allowed[json.dumps(event["Queue"])] = {f"sqs:{action}" for action in RECEIVE_ACTIONS}

    found = granted(role_of(FUNCTIONS[function], "Role"))

    assert set(found) == set(allowed)
    for resource, actions in found.items():
        assert actions <= allowed[resource]
    assert "Policies" not in FUNCTIONS[function], "SAM adds a policy on every log group to these"
    assert "ManagedPolicyArns" not in json.dumps(RESOURCES)


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_every_function_logs_json_to_a_group_of_its_own(function: str) -> None:
    logging = FUNCTIONS[function]["LoggingConfig"]
    others = [FUNCTIONS[name]["LoggingConfig"] for name in FUNCTIONS if name != function]

    assert logging["LogFormat"] == "JSON"
    assert logging["LogGroup"]["Ref"] in of_type("AWS::Logs::LogGroup")
    assert logging["LogGroup"] not in [other["LogGroup"] for other in others]


def test_no_log_is_kept_for_ever() -> None:
    for properties in of_type("AWS::Logs::LogGroup").values():
        assert properties["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_the_layer_is_built_for_what_the_functions_run_on() -> None:
    [layer] = [r for r in RESOURCES.values() if r["Type"] == "AWS::Serverless::LayerVersion"]
    shared = DOCUMENT["Globals"]["Function"]

    assert layer["Metadata"]["BuildMethod"] == shared["Runtime"]
    assert [layer["Metadata"]["BuildArchitecture"]] == shared["Architectures"]
    assert not any({"Runtime", "Architectures"} & set(each) for each in FUNCTIONS.values())


def test_nothing_traces_with_x_ray() -> None:
    assert "Tracing" not in json.dumps(DOCUMENT)


def test_a_function_stops_before_api_gateway_gives_up() -> None:
    assert DOCUMENT["Globals"]["Function"]["Timeout"] < 30
    assert not any("Timeout" in FUNCTIONS[name] for name in FUNCTIONS if routes(name))


def test_the_settings_of_a_deployment_are_parameters_with_the_documented_defaults() -> None:
    variables = DOCUMENT["Globals"]["Function"]["Environment"]["Variables"]
    defaults = {
        name: str(PARAMETERS[value["Ref"]]["Default"])
        for name, value in variables.items()
        if "Ref" in value
    }

    assert defaults == {
        "TABLE_NAME": "customer-vitals",
        "VITALS_LIMIT_READS": "1000",
        "VITALS_LIMIT_WRITES": "300",
        "VITALS_LIMIT_RECORDS": "10000",
        "LOG_LEVEL": "INFO",
    }


def test_a_deployment_says_where_it_is() -> None:
    assert set(DOCUMENT["Outputs"]) == {"ApiUrl", "TableName", "AdminFunctionName"}
