"""A Zap's life, over real HTTP: it checks its key, pushes, and polls for what changed."""

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest
from tests.e2e.conftest import Cloud

PATH = "/functions/v1/api-inbound"


def _basic(key: str) -> str:
    return "Basic " + base64.b64encode(f"vitals:{key}".encode()).decode()


def _poll(cloud: Cloud, query: str) -> Any:
    """Retrieve Poll: a GET with Basic Auth, which is all that it offers."""
    answer = cloud.request("GET", f"{PATH}?{query}", headers={"authorization": _basic(cloud.key)})
    assert answer.status == 200, answer.body
    return answer.json()


def _push(cloud: Cloud, data: dict[str, object]) -> Any:
    """Custom Request: a POST without a Content-Type."""
    body = json.dumps({"action": "upsert_account", "data": data})
    answer = cloud.request("POST", PATH, body, {"x-api-key": cloud.key})
    assert answer.status == 200, answer.body
    return answer.json()


def test_the_key_check_names_the_key_and_a_wrong_key_is_a_401(cloud: Cloud) -> None:
    assert _poll(cloud, "action=whoami")["data"]["type"] == "api_key"
    wrong = cloud.request(
        "GET", f"{PATH}?action=whoami", headers={"authorization": _basic("vt_live_nonsense")}
    )
    assert wrong.status == 401
    assert wrong.headers["content-type"] == "application/problem+json"
    assert "WWW-Authenticate" in wrong.headers


def test_a_poll_repeated_sees_only_what_was_updated_since(cloud: Cloud) -> None:
    first = _push(cloud, {"name": "Northwind", "logins": "10"})["data"]
    everything = _poll(cloud, "action=list_customers&updated_since=&shape=array")
    assert [row["name"] for row in everything] == ["Northwind"]
    _push(cloud, {"name": "Contoso", "logins": "12", "tags": "vip, beta"})
    since = quote(first["updated_at"])
    again = _poll(cloud, f"action=list_customers&updated_since={since}&shape=array")
    assert [row["name"] for row in again] == ["Contoso", "Northwind"]
    after = again[0]["updated_at"]
    later = _poll(cloud, f"action=list_customers&updated_since={quote(after)}&shape=array")
    assert [row["name"] for row in later] == ["Contoso"]


def test_a_customer_changed_twice_appears_twice_newest_first(cloud: Cloud) -> None:
    before = {row["id"] for row in _poll(cloud, "action=list_changes&shape=array")}
    _push(cloud, {"name": "Northwind", "logins": "20"})
    _push(cloud, {"name": "Northwind", "logins": "28"})
    fresh = [r for r in _poll(cloud, "action=list_changes&shape=array") if r["id"] not in before]
    assert [row["new"]["logins"] for row in fresh] == [28, 20]
    assert [row["name"] for row in fresh] == ["Northwind", "Northwind"]
    assert fresh[0]["old"]["score"] == fresh[1]["new"]["score"]
    assert len({row["id"] for row in fresh}) == 2


def test_the_same_values_again_wake_nobody(cloud: Cloud) -> None:
    before = _poll(cloud, "action=list_changes&shape=array")
    assert _push(cloud, {"name": "Northwind", "logins": "28"})["unchanged"] is True
    assert _poll(cloud, "action=list_changes&shape=array") == before


def test_a_blank_field_changes_nothing_and_a_template_not_filled_in_is_warned_of(
    cloud: Cloud,
) -> None:
    answer = _push(cloud, {"name": "Northwind", "logins": "", "manager": "{{csm}}"})
    assert answer["unchanged"] is True
    assert answer["data"]["logins"] == 28
    assert [warning["code"] for warning in answer["warnings"]] == ["unrendered_template"]
    poll = _poll(cloud, "action=list_customers&updated_since=" + quote("{{last_poll}}"))
    assert [warning["code"] for warning in poll["warnings"]] == ["unrendered_template"]
    assert len(poll["data"]) == 2


@pytest.mark.parametrize("carrier", ["x-api-key", "bearer", "basic, first half"])
def test_every_carrier_opens(cloud: Cloud, carrier: str) -> None:
    headers = {
        "x-api-key": {"x-api-key": cloud.key},
        "bearer": {"authorization": f"Bearer {cloud.key}"},
        "basic, first half": {
            "authorization": "Basic " + base64.b64encode(f"{cloud.key}:".encode()).decode()
        },
    }[carrier]
    assert cloud.request("GET", f"{PATH}?action=whoami", headers=headers).status == 200
