"""Finding a DynamoDB, and what its callers are told."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest
from local import dynamodb
from local.console import LocalCloudError
from local.dynamodb import Endpoint, credentials

OWN = {"AWS_ACCESS_KEY_ID": "own", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token"}


def test_without_the_embedded_engine_the_alternative_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dynamodb, "ROOT", tmp_path)
    with pytest.raises(LocalCloudError) as raised:
        dynamodb.binary()
    said = str(raised.value)
    assert platform.machine() in said
    assert "AWS_ENDPOINT_URL_DYNAMODB" in said
    assert "\n" not in said


def test_the_engine_is_found_for_whichever_platform_npm_chose(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dynamodb, "ROOT", tmp_path)
    expected = tmp_path / "node_modules" / "@dynoxide" / "darwin-arm64" / "dynoxide"
    expected.parent.mkdir(parents=True)
    expected.touch()
    assert dynamodb.binary() == expected


def test_own_credentials_go_to_an_endpoint_of_ones_own() -> None:
    found = credentials(Endpoint("http://127.0.0.1:8000"), {**OWN, "AWS_REGION": "eu-west-1"})
    assert found == {
        **OWN,
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:8000",
    }


def test_own_credentials_never_go_to_the_embedded_engine() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        found = credentials(Endpoint("http://127.0.0.1:8000", process), OWN)
    assert not set(OWN.values()) & set(found.values())
