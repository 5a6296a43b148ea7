"""Reading template.yaml."""

from pathlib import Path

import pytest
from local.console import LocalCloudError
from local.template import Template, read

TEMPLATE = """
Parameters:
  TableName: {Type: String, Default: customer-vitals}
  LimitReads: {Type: Number, Default: 1000}
  Stage: {Type: String, Default: dev}
  Secret: {Type: String}
Conditions:
  IsProduction: !Equals [!Ref Stage, prod]
  IsNotProduction: !Not [!Condition IsProduction]
Globals:
  Function:
    Runtime: python3.13
    Timeout: 10
    Layers: [!Ref Shared]
    Environment:
      Variables:
        TABLE_NAME: !Ref Customers
        LIMIT: !Ref LimitReads
        LEVEL: INFO
        TRACE: false
Resources:
  Shared:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: python3.13}
    Properties: {ContentUri: layers/shared}
  Ready:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layers/ready}
  ActionsFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/actions
      Handler: actions.handler
      MemorySize: 512
      LoggingConfig: {LogFormat: JSON, ApplicationLogLevel: DEBUG, LogGroup: !Ref Elsewhere}
      Layers: [!Ref Ready]
      Environment:
        Variables:
          INDEX: !Sub "${Customers.Arn}/index/${!literal}-${Stage}"
          ONLY_PRODUCTION: !If [IsProduction, "yes", !Ref AWS::NoValue]
          JOINED: !Join ["-", [!Ref Stage, !Ref "AWS::Region"]]
      Events:
        Post:
          Type: HttpApi
          Properties: {Path: /functions/v1/api-inbound, Method: post, TimeoutInMillis: 5000}
        Rest:
          Type: HttpApi
          Properties: {Path: "/v1/{proxy+}", Method: ANY}
        Rate:
          Type: ScheduleV2
          Properties: {ScheduleExpression: rate(1 hour)}
        Any: {Type: HttpApi}
  ProductionFunction:
    Type: AWS::Serverless::Function
    Condition: IsProduction
    Properties: {CodeUri: functions/production, Handler: production.handler}
  Customers:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: !Ref TableName
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: PK, AttributeType: S}]
      KeySchema: [{AttributeName: PK, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}
      TimeToLiveSpecification: {AttributeName: expires_at, Enabled: true}
      PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}
      SSESpecification: {KMSMasterKeyId: !GetAtt Elsewhere.Arn}
"""


def template(folder: Path, text: str = TEMPLATE, **environ: str) -> Template:
    path = folder / "template.yaml"
    path.write_text(text.replace("SSESpecification: {KMSMasterKeyId: !GetAtt Elsewhere.Arn}", ""))
    return read(path, environ)


def test_functions_carry_globals_and_their_own_properties(tmp_path: Path) -> None:
    function = template(tmp_path).function("ActionsFunction")
    assert (function.handler, function.runtime) == ("actions.handler", "python3.13")
    assert (function.timeout, function.memory) == (10, 512)
    assert function.code == tmp_path / "functions" / "actions"


def test_a_layer_that_sam_builds_is_its_content_and_another_has_a_python_folder(
    tmp_path: Path,
) -> None:
    layers = template(tmp_path).function("actions").layers
    assert layers == (tmp_path / "layers/shared", tmp_path / "layers/ready/python")


def test_environment_is_resolved_as_cloudformation_would(tmp_path: Path) -> None:
    assert template(tmp_path).function("actions").environment == {
        "TABLE_NAME": "customer-vitals",
        "LIMIT": "1000",
        "LEVEL": "INFO",
        "TRACE": "false",
        "INDEX": "arn:aws:dynamodb:us-east-1:123456789012:table/customer-vitals/index/"
        "${literal}-dev",
        "JOINED": "dev-us-east-1",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_LEVEL": "DEBUG",
    }


def test_the_processs_environment_overrides_parameters_and_literals(tmp_path: Path) -> None:
    found = template(tmp_path, LIMIT="20", LEVEL="DEBUG", AWS_REGION="eu-west-1")
    environment = found.function("actions").environment
    assert (environment["LIMIT"], environment["LEVEL"]) == ("20", "DEBUG")
    assert environment["JOINED"] == "dev-eu-west-1"


def test_a_variable_that_names_a_resource_cannot_drift_from_it(tmp_path: Path) -> None:
    found = template(tmp_path, TABLE_NAME="other")
    assert found.function("actions").environment["TABLE_NAME"] == found.tables[0].name


def test_a_variable_that_names_a_parameter_renames_the_table_with_it(tmp_path: Path) -> None:
    text = TEMPLATE.replace("TABLE_NAME: !Ref Customers", "TABLE_NAME: !Ref TableName")
    found = template(tmp_path, text, TABLE_NAME="other-vitals")
    assert found.tables[0].name == "other-vitals"
    assert found.function("actions").environment["TABLE_NAME"] == "other-vitals"


def test_what_names_a_queue_or_a_key_is_what_aws_would_give(tmp_path: Path) -> None:
    resources = """  Deliveries:
    Type: AWS::SQS::Queue
    Properties: {FifoQueue: true}
  SecretsKey:
    Type: AWS::KMS::Key
"""
    variables = (
        "QUEUE: !Ref Deliveries\n        QUEUE_NAME: !GetAtt Deliveries.QueueName\n"
        "        KEY: !GetAtt SecretsKey.Arn\n        KEY_ID: !Ref SecretsKey\n        LEVEL: INFO"
    )
    found = template(tmp_path, TEMPLATE.replace("LEVEL: INFO", variables) + resources)
    environment = found.function("actions").environment
    [key] = found.keys
    place = "us-east-1.amazonaws.com/123456789012"
    assert environment["QUEUE"] == f"https://sqs.{place}/Deliveries.fifo"
    assert environment["QUEUE_NAME"] == "Deliveries.fifo"
    assert environment["KEY"] == key
    assert key == f"arn:aws:kms:us-east-1:123456789012:key/{environment['KEY_ID']}"


def test_a_bucket_without_a_name_gets_one_that_s3_would_take(tmp_path: Path) -> None:
    resources = """  ReportsBucket:
    Type: AWS::S3::Bucket
  Named:
    Type: AWS::S3::Bucket
    Properties: {BucketName: !Sub "${AWS::StackName}-exports"}
"""
    variables = "FILES: !Ref ReportsBucket\n        ARN: !GetAtt Named.Arn\n        LEVEL: INFO"
    found = template(tmp_path, TEMPLATE.replace("LEVEL: INFO", variables) + resources)
    environment = found.function("actions").environment
    assert environment["FILES"] == "local-reportsbucket"
    assert environment["ARN"] == "arn:aws:s3:::local-exports"
    assert found.buckets == ("local-reportsbucket", "local-exports")
    assert template(tmp_path, TEMPLATE + resources).keys == found.keys, "the same at every start"


def test_routes_are_the_http_events_alone(tmp_path: Path) -> None:
    routes = template(tmp_path).routes
    assert [(route.key, route.timeout) for route in routes] == [
        ("POST /functions/v1/api-inbound", 5),
        ("ANY /v1/{proxy+}", 30),
        ("$default", 30),
    ]


def test_a_resource_whose_condition_is_false_is_not_there(tmp_path: Path) -> None:
    assert list(template(tmp_path).functions) == ["ActionsFunction"]
    text = TEMPLATE.replace("Default: dev", "Default: prod")
    found = template(tmp_path, text)
    assert list(found.functions) == ["ActionsFunction", "ProductionFunction"]
    assert found.function("actions").environment["ONLY_PRODUCTION"] == "yes"


def test_a_table_is_what_create_table_takes(tmp_path: Path) -> None:
    [table] = template(tmp_path).tables
    assert table.ttl_attribute == "expires_at"
    assert table.definition == {
        "TableName": "customer-vitals",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "PK", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "PK", "KeyType": "HASH"}],
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    }


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("LEVEL: INFO", "LEVEL: !ImportValue x", "cannot resolve {Fn::ImportValue: x}"),
        ("LEVEL: INFO", "LEVEL: !GetAtt Shared.Arn", "cannot resolve Shared.Arn"),
        ("LEVEL: INFO", "LEVEL: !Ref Secret", "no resource Secret and no default"),
        ("LEVEL: INFO", "LEVEL: !If [IsWrong, a, b]", "no condition IsWrong"),
        ("Layers: [!Ref Ready]", 'Layers: ["arn:aws:lambda:x"]', "only use layers of the template"),
    ],
)
def test_what_it_cannot_resolve_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(LocalCloudError, match=said):
        template(tmp_path, TEMPLATE.replace(old, new))


@pytest.mark.parametrize("text", ["- a list", ": : [", ""])
def test_what_is_no_template_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(LocalCloudError, match=r"template\.yaml is not"):
        template(tmp_path, text)


def test_an_unknown_function_is_answered_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(LocalCloudError, match=r"no function x\. There is: ActionsFunction"):
        template(tmp_path).function("x")
