"""What template.yaml promises: its routes, its table, and what its functions may do."""

import json
import re
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
    actions,
    arn,
    events,
    granted,
    of_type,
    role_of,
    statements,
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
STREAM_ACTIONS = {*("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")}
SENDERS = {
    "ReactionsFunction": {"DeliveriesQueue", "ReportsQueue"},
    "AlertsFunction": {"DeliveriesQueue"},
}
"""Who puts messages into which queues."""
FILES = {
    "ActionsFunction": {"s3:GetObject"},
    "DeliverFunction": {"s3:GetObject"},
    "ReportsFunction": {"s3:PutObject"},
}
"""Who reads reports, for links and attachments, and who writes them."""
BUCKET: dict[str, Any] = RESOURCES["ReportsBucket"]["Properties"]
SES_ACTIONS = {"ses:SendEmail", "ses:SendRawEmail"}
SECRETS = {
    "ActionsFunction": {"kms:Encrypt", "kms:Decrypt"},
    "DeliverFunction": {"kms:Decrypt"},
    "RestFunction": {"kms:Encrypt", "kms:Decrypt"},
}
"""Who seals what connections keep secret, and who opens it. They send e-mail, too."""


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


def test_everything_under_v1_reaches_the_rest_function_by_whatever_method() -> None:
    assert routes("RestFunction") == {"ANY /v1/{proxy+}"}


def test_the_admin_function_is_not_reachable_over_http() -> None:
    assert routes("AdminFunction") == set()
    assert "FunctionUrlConfig" not in FUNCTIONS["AdminFunction"]


def test_the_decay_function_is_invoked_every_quarter_of_an_hour_with_that_instant() -> None:
    [schedule] = [one for one in read(PATH, {}).schedules if one.function == "DecayFunction"]
    first, second = islice(schedule.after(datetime(2026, 3, 2, 23, 50, tzinfo=UTC)), 2)
    event = json.loads((ROOT / "events/decay/midnight.json").read_text(encoding="utf-8"))

    assert schedule.event(first) == event
    assert second - first == timedelta(minutes=15)


def test_the_alerts_function_is_invoked_every_five_minutes_with_that_instant() -> None:
    [schedule] = [one for one in read(PATH, {}).schedules if one.function == "AlertsFunction"]
    first, second = islice(schedule.after(datetime(2026, 3, 2, 8, 57, tzinfo=UTC)), 2)
    event = json.loads((ROOT / "events/alerts/due.json").read_text(encoding="utf-8"))

    assert schedule.event(first) == event
    assert second - first == timedelta(minutes=5)


def test_the_reports_function_is_invoked_every_five_minutes_with_that_instant() -> None:
    [schedule] = [one for one in read(PATH, {}).schedules if one.function == "ReportsFunction"]
    first, second = islice(schedule.after(datetime(2026, 3, 2, 6, 57, tzinfo=UTC)), 2)
    event = json.loads((ROOT / "events/reports/due.json").read_text(encoding="utf-8"))

    assert schedule.event(first) == event
    assert second - first == timedelta(minutes=5)


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
def test_a_function_may_touch_what_its_work_needs_and_nothing_else(function: str) -> None:
    logs = FUNCTIONS[function]["LoggingConfig"]["LogGroup"]["Ref"]
    allowed = {arn(logs): {"logs:CreateLogStream", "logs:PutLogEvents"}}
    if function != "DeliverFunction":  # it is told its delivery by id
        allowed[json.dumps({"Fn::Sub": "${Table.Arn}/index/by_time"})] = {"dynamodb:Query"}
    for event in events(function, "SQS"):
        allowed[json.dumps(event["Queue"])] = {f"sqs:{action}" for action in RECEIVE_ACTIONS}
    for event in events(function, "DynamoDB"):
        letters = json.dumps(event["DestinationConfig"]["OnFailure"]["Destination"])
        allowed[json.dumps(event["Stream"])] = {f"dynamodb:{action}" for action in STREAM_ACTIONS}
        allowed[letters] = {"sqs:SendMessage"}
    allowed |= {arn(queue): {"sqs:SendMessage"} for queue in SENDERS.get(function, ())}
    if function in FILES:
        allowed[json.dumps({"Fn::Sub": "${ReportsBucket.Arn}/*"})] = FILES[function]
    if function == "DeliverFunction":  # by which S3 says of a file that it is gone
        allowed[arn("ReportsBucket")] = {"s3:ListBucket"}
    if function in SECRETS:
        allowed[arn("SecretsKey")] = SECRETS[function]
        allowed |= {of_ses(kind): SES_ACTIONS for kind in ("identity", "configuration-set")}

    found = granted(role_of(FUNCTIONS[function], "Role"))

    assert found.pop(arn("Table")) <= {f"dynamodb:{action}" for action in ITEM_ACTIONS}
    assert found == allowed
    assert "Policies" not in FUNCTIONS[function], "SAM adds a policy on every log group to these"
    assert "ManagedPolicyArns" not in json.dumps(RESOURCES)


def of_ses(kind: str) -> str:
    """Return how the template refers to everything of one kind that is SES's, as JSON."""
    place = "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}"
    return json.dumps({"Fn::Sub": f"{place}:{kind}/*"})


@pytest.mark.parametrize("function", sorted(SECRETS))
def test_e_mail_has_the_sender_of_the_deployment_or_is_not_sent(function: str) -> None:
    found = list(statements(role_of(FUNCTIONS[function], "Role")))
    limited = [each for each in found if "Condition" in each]

    assert limited == [each for each in found if SES_ACTIONS & set(actions(each))]
    assert [each["Condition"] for each in limited] == [
        {"StringEquals": {"ses:FromAddress": {"Ref": "MailFrom"}}}
    ]
    # An empty sender is nobody's, and what is more than an address would never be equal.
    sender = PARAMETERS["MailFrom"]
    assert sender["Default"] == ""
    assert re.search(sender["AllowedPattern"], "health@example.com")
    assert re.search(sender["AllowedPattern"], "")
    assert not re.search(sender["AllowedPattern"], "Vitals <health@example.com>")


def test_the_stored_secrets_outlive_the_stack_and_its_mistakes() -> None:
    key = RESOURCES["SecretsKey"]
    [policy] = key["Properties"]["KeyPolicy"]["Statement"]

    assert key["Type"] == "AWS::KMS::Key"
    assert key["DeletionPolicy"] == key["UpdateReplacePolicy"] == "Retain"
    assert key["Properties"]["EnableKeyRotation"] is True
    # The account, so that roles decide; a key that nobody may see to could never be mended.
    assert list(policy["Principal"]) == ["AWS"]
    assert policy["Principal"]["AWS"]["Fn::Sub"].endswith(":iam::${AWS::AccountId}:root")
    assert policy["Action"] == "kms:*"


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
        if value.get("Ref") in PARAMETERS
    }

    assert defaults == {
        "TABLE_NAME": "customer-vitals",
        "VITALS_LIMIT_READS": "1000",
        "VITALS_LIMIT_WRITES": "300",
        "VITALS_LIMIT_RECORDS": "10000",
        "VITALS_LIMIT_EVENTS": "60000",
        "VITALS_LIMIT_BATCHES": "300",
        "VITALS_LIMIT_IMPORTS": "10",
        "LOG_LEVEL": "INFO",
        "MAIL_FROM": "",
    }


def test_every_function_knows_where_things_go_and_what_seals_secrets() -> None:
    variables = DOCUMENT["Globals"]["Function"]["Environment"]["Variables"]

    assert variables["DELIVERIES_QUEUE_URL"] == {"Ref": "DeliveriesQueue"}
    assert json.dumps(variables["SECRETS_KEY"]) == arn("SecretsKey")
    assert variables["REPORTS_QUEUE_URL"] == {"Ref": "ReportsQueue"}
    assert variables["REPORTS_BUCKET"] == {"Ref": "ReportsBucket"}


def test_only_who_serves_no_route_knows_where_the_api_is() -> None:
    """The API is made of the functions that it calls: to know it, they would have to be first."""
    found = {
        name: each["Environment"]["Variables"]
        for name, each in FUNCTIONS.items()
        if "Environment" in each
    }

    endpoint = {"Fn::GetAtt": ["Api", "ApiEndpoint"]}
    url = {"Fn::If": ["HasPublicUrl", {"Ref": "PublicUrl"}, endpoint]}
    assert found == {"ReportsFunction": {"API_URL": url}}
    assert not routes("ReportsFunction")
    assert read(PATH, {}, "http://127.0.0.1:3000").function("reports").environment["API_URL"] == (
        "http://127.0.0.1:3000"
    )


def test_reports_are_private_encrypted_and_gone_after_eight_days() -> None:
    assert set(BUCKET["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(BUCKET["PublicAccessBlockConfiguration"]) == 4
    assert BUCKET["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    [encryption] = BUCKET["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    rules = BUCKET["LifecycleConfiguration"]["Rules"]
    assert {rule["Status"] for rule in rules} == {"Enabled"}
    assert not any("Prefix" in rule or "TagFilters" in rule for rule in rules)
    [days] = [rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule]
    assert days == 8, "S3 lets a link live for seven at most"
    uploads = [
        rule["AbortIncompleteMultipartUpload"] for rule in rules if days not in rule.values()
    ]
    assert uploads == [{"DaysAfterInitiation": 1}]
    assert "VersioningConfiguration" not in BUCKET, "an old version would outlive its expiry"
    assert "BucketName" not in BUCKET, "names of buckets are everybody's: two stacks would clash"


def test_reports_travel_encrypted_or_not_at_all() -> None:
    policy = RESOURCES["ReportsBucketPolicy"]["Properties"]
    [statement] = policy["PolicyDocument"]["Statement"]

    assert policy["Bucket"] == {"Ref": "ReportsBucket"}
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == (
        "Deny", "*", "s3:*",
    )  # fmt: skip
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert [json.dumps(each) for each in statement["Resource"]] == [
        arn("ReportsBucket"),
        json.dumps({"Fn::Sub": "${ReportsBucket.Arn}/*"}),
    ]


def test_a_stack_can_be_deleted_though_its_bucket_holds_files() -> None:
    for name in ("ReportsBucket", "ReportsBucketPolicy"):
        assert RESOURCES[name]["DeletionPolicy"] == "RetainExceptOnCreate"
        assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


def test_a_deployment_says_where_it_is() -> None:
    assert set(DOCUMENT["Outputs"]) == {"ApiUrl", "TableName", "AdminFunctionName"}
