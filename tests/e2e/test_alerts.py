"""From a write to a receiver, over HTTP: what is told, once, and what time alone tells."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.e2e.receiver import Receiver, listening
from tests.e2e.test_local_clock import tick

if TYPE_CHECKING:
    from tests.e2e.conftest import Cloud

QUIET = 3.0
"""Seconds in which what must not come would have come: it takes less than one."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as made:
        yield made


def done(cloud: Cloud, action: str, data: dict[str, Any]) -> Any:
    """Call an action and return its answer."""
    answer = cloud.action(action, data)
    assert answer.status == 200, answer.body
    return answer.json()


def a_webhook(cloud: Cloud, receiver: Receiver, name: str) -> tuple[str, str]:
    """Save a webhook connection; return its id and its secret, shown this once."""
    data = {"name": name, "kind": "webhook", "url": f"{receiver.url}/{name}"}
    made = done(cloud, "put_connection", data)["data"]
    return made["id"], made["secret"]


def test_a_drop_arrives_once_signed_and_a_second_drop_again(
    cloud: Cloud, receiver: Receiver
) -> None:
    connection, secret = a_webhook(cloud, receiver, "drops")
    rule = {"name": "Below 50", "connections": [connection]}
    done(cloud, "put_alert_rule", {**rule, "events": [{"type": "health_below_threshold"}]})
    fell = {"name": "Acme", "logins": 12, "adoption": 40}
    assert (
        done(cloud, "upsert_account", {"name": "Acme", "logins": 22, "adoption": 79})["score"] == 76
    )
    assert done(cloud, "upsert_account", fell)["score"] == 40

    [first] = receiver.wait(1)
    event = first.verified(secret)
    [alert] = event["data"]["alerts"]
    assert (event["type"], alert["before"], alert["after"]) == ("alert.fired", 76, 40)
    assert {each["signal"] for each in event["data"]["moved"]} == {"logins", "adoption"}

    assert done(cloud, "upsert_account", fell)["unchanged"] is True
    time.sleep(QUIET)
    assert receiver.wait(1) == [first]

    done(cloud, "upsert_account", {"name": "Acme", "logins": 18, "adoption": 60})
    done(cloud, "upsert_account", fell)
    _, second = receiver.wait(2)
    assert second.verified(secret)["data"]["alerts"][0]["before"] == 60
    assert second.headers["webhook-id"] != first.headers["webhook-id"]


def test_time_alone_moves_a_score_and_tells_of_silence_and_renewal(
    cloud: Cloud, receiver: Receiver
) -> None:
    """Two days; half a year is in tests/integration/actions/test_reacting_to_time.py."""
    connection, secret = a_webhook(cloud, receiver, "time")
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    events = [{"type": "no_contact", "max_days": 14}, {"type": "renewal_approaching", "days": 30}]
    rule = {"name": "Time", "connections": [connection], "events": events, "managers": ["Dana"]}
    done(cloud, "put_alert_rule", rule)
    renewal = (today + timedelta(days=32)).date().isoformat()
    quiet = {"name": "Quiet", "manager": "Dana", "days": 13, "renewal_date": renewal}
    done(cloud, "upsert_account", quiet)
    # An unrelated write is no contact.
    done(cloud, "upsert_account", {"name": "Quiet", "note": "asked for an invoice"})

    ticked = tick(cloud, today + timedelta(days=2, minutes=20))

    assert (ticked.returncode, ticked.stderr) == (0, "")
    arrived = [each.verified_whenever(secret) for each in receiver.wait(1)]
    told = {alert["event"]: alert for each in arrived for alert in each["data"]["alerts"]}
    # Both on the second midnight, by one rule, of one customer: one message.
    assert len(arrived) == 1
    assert (told["no_contact"]["after"], told["no_contact"]["at"][:10]) == (
        15,
        f"{today + timedelta(days=2):%Y-%m-%d}",
    )
    assert told["renewal_approaching"]["message"].startswith("Renews in 30 days")
    assert found(cloud, "Quiet")["days"] == 15
    changes = listed(cloud, "list_changes&cause=decay&order=asc&name=Quiet")
    assert [each["new"]["score"] for each in changes] == [92]


def listed(cloud: Cloud, query: str) -> Any:
    path = f"/functions/v1/api-inbound?action={query}"
    return cloud.request("GET", path, headers={"x-api-key": cloud.key}).json()["data"]


def found(cloud: Cloud, name: str) -> Any:
    return listed(cloud, f"get_customer&name={name}")


def test_mail_lands_in_the_folder(cloud: Cloud) -> None:
    made = done(
        cloud, "put_connection", {"name": "Mail", "kind": "email", "emails": "dana@example.com"}
    )
    tried = done(cloud, "test_connection", {"id": made["data"]["id"]})
    assert tried["data"]["verdict"] == "ok", tried
    [mail] = [path.read_text() for path in (cloud.folder / "mail").glob("*.eml")]
    assert "To: dana@example.com" in mail
