"""The feed of changes and one customer's history (AMB-06, PLUS-07, IQ-096), and log_contact."""

from typing import Any

import pytest
from tests.integration.actions.api import Api


@pytest.fixture
def acme(api: Api) -> str:
    """A customer with three versions, a minute apart."""
    made = api.upsert("Acme", logins=22, mrr=100)
    for logins in (28, 5):
        api.later(minutes=1)
        api.upsert("Acme", logins=logins)
    return str(made["id"])


def versions(reply: Any) -> list[int]:
    return [change["version"] for change in reply.data]


def test_a_customer_that_changes_twice_is_there_twice(api: Api, acme: str) -> None:
    feed = api.get("list_changes", shape="array").body
    assert [(change["customer_id"], change["version"]) for change in feed] == [
        (acme, 3), (acme, 2), (acme, 1),
    ]  # fmt: skip
    assert len({change["id"] for change in feed}) == 3


def test_a_change_tells_what_moved_and_why(api: Api, acme: str) -> None:
    newest = api.get("list_changes", limit=1).data[0]
    assert newest["at"] == "2026-03-02T12:02:00.000Z"
    assert (newest["action"], newest["cause"]) == ("upsert_account", "api")
    assert newest["by"] == api.get("whoami").data["id"]
    assert (newest["old"]["logins"], newest["new"]["logins"]) == (28, 5)
    assert (newest["old"]["score"], newest["new"]["score"]) == (93, 17)
    assert (newest["old"]["status"], newest["new"]["status"]) == ("expansion", "critical")
    assert newest["score_change"] == -76
    assert newest["customer_id"] == acme


def test_a_poll_finds_only_what_is_new(api: Api, acme: str) -> None:
    assert acme
    seen = {change["id"] for change in api.get("list_changes").data}
    assert {change["id"] for change in api.get("list_changes").data} == seen
    api.later(minutes=1)
    api.upsert("Acme", mrr=101)
    [new] = [change for change in api.get("list_changes").data if change["id"] not in seen]
    assert new["changed"] == ["arr", "mrr"]


def test_a_feed_is_cut_by_time(api: Api, acme: str) -> None:
    assert acme
    since = "2026-03-02T12:01:00Z"
    assert versions(api.get("list_changes", updated_since=since)) == [3, 2]
    assert versions(api.get("list_changes", until=since)) == [2, 1]
    assert versions(api.get("list_changes", updated_since=since, until=since)) == [2]


def test_a_feed_is_of_one_customer_if_asked(api: Api, acme: str) -> None:
    api.upsert("Bolt", external_id="crm-2")
    for reference in ({"customer_id": acme}, {"customer": "ACME"}, {"name": "acme"}, {"id": acme}):
        assert versions(api.get("list_changes", **reference)) == [3, 2, 1]
    assert versions(api.get("list_changes", external_id="crm-2")) == [1]
    assert api.get("list_changes", customer="nobody").code == "customer_not_found"


def test_a_feed_is_of_some_causes_if_asked(api: Api, acme: str) -> None:
    api.post("log_contact", {"id": acme})
    api.post("score_customer", {"id": acme})
    api.post("delete_customer", {"id": acme})
    api.post("restore_customer", {"id": acme})
    assert versions(api.get("list_changes", cause="delete,RESTORE")) == [6, 5]
    assert versions(api.get("list_changes", cause="contact")) == [4]


def test_a_feed_is_walked_by_its_cursor(api: Api, acme: str) -> None:
    assert acme
    first = api.get("list_changes", limit=2)
    assert (versions(first), first.body["has_more"]) == ([3, 2], True)
    api.upsert("Acme", mrr=7)
    second = api.get("list_changes", limit=2, cursor=first.body["next_cursor"])
    assert versions(second) == [1]
    assert (second.body["has_more"], second.body["next_cursor"]) == (False, None)


def test_a_feed_read_forward_stops_short_of_now(api: Api, acme: str) -> None:
    """The index lags: a reader that goes forward must not overtake it."""
    assert acme
    assert versions(api.get("list_changes", order="asc")) == [1, 2]
    api.later(seconds=14.999)
    assert versions(api.get("list_changes", order="asc")) == [1, 2]
    api.later(seconds=0.001)
    assert versions(api.get("list_changes", order="asc")) == [1, 2, 3]
    later = api.get("list_changes", order="asc", until="2027-01-01")
    assert versions(later) == [1, 2, 3]
    assert versions(api.get("list_changes", order="asc", until="2026-03-02T12:01:30Z")) == [1, 2]


def test_a_feed_read_forward_goes_on_from_its_cursor(api: Api, acme: str) -> None:
    assert acme
    api.later(minutes=1)
    first = api.get("list_changes", order="asc", limit=1)
    second = api.get("list_changes", order="asc", limit=1, cursor=first.body["next_cursor"])
    assert (versions(first), versions(second)) == ([1], [2])


def test_a_history_explains_every_score(api: Api, acme: str) -> None:
    history = api.get("get_history", name="acme").data
    assert [change["new"]["score"] for change in history] == [17, 93, 73]
    newest, _, first = history
    assert newest["contributions"] == {"old": {"logins": 93.3333}, "new": {"logins": 16.6667}}
    assert first["contributions"] == {"old": {}, "new": {"logins": 73.3333}}
    assert newest["customer_id"] == acme


def test_a_history_is_walked_by_its_cursor(api: Api, acme: str) -> None:
    first = api.get("get_history", id=acme, limit=2)
    assert versions(first) == [3, 2]
    second = api.get("get_history", id=acme, limit=2, cursor=first.body["next_cursor"])
    assert (versions(second), second.body["has_more"]) == ([1], False)
    other = api.upsert("Bolt")["id"]
    reply = api.get("get_history", id=other, limit=2, cursor=first.body["next_cursor"])
    assert (reply.status, reply.code) == (400, "invalid_cursor")


def test_a_history_is_cut_by_time(api: Api, acme: str) -> None:
    since = "2026-03-02T12:01:00Z"
    assert versions(api.get("get_history", id=acme, updated_since=since)) == [3, 2]
    assert versions(api.get("get_history", id=acme, until=since)) == [2, 1]


def test_a_history_outlives_a_soft_delete(api: Api, acme: str) -> None:
    api.post("delete_customer", {"id": acme})
    assert versions(api.get("get_history", id=acme)) == [4, 3, 2, 1]


def test_a_change_never_says_more_than_one_instant_before_another(api: Api) -> None:
    """Two writes within a millisecond are still one after the other."""
    for logins in range(3):
        api.upsert("Acme", logins=logins)
    times = [change["at"] for change in api.get("list_changes").data]
    assert times == sorted(set(times), reverse=True)


def test_a_contact_is_recorded_and_moves_its_day(api: Api, acme: str) -> None:
    """PLUS-16."""
    api.upsert("Acme", days=30)
    data = {"id": acme, "channel": "call", "who": "Sarah", "note": "Happy."}
    reply = api.post("log_contact", data)
    assert (reply.data["days"], reply.data["last_contact_on"]) == (0, "2026-03-02")
    contact = {"at": "2026-03-02T12:02:00.000Z", "channel": "call", "who": "Sarah",
               "note": "Happy."}  # fmt: skip
    assert reply.body["contact"] == contact
    newest = api.get("get_history", id=acme).data[0]
    assert (newest["cause"], newest["contact"]) == ("contact", contact)
    assert newest["score_change"] > 0


def test_an_older_contact_is_recorded_and_moves_nothing(api: Api, acme: str) -> None:
    api.upsert("Acme", days=3)
    reply = api.post("log_contact", {"id": acme, "at": "2026-02-20"})
    assert reply.data["days"] == 3
    assert reply.body["unchanged"] is False
    newest = api.get("get_history", id=acme).data[0]
    assert (newest["contact"]["at"], newest["changed"]) == ("2026-02-20T00:00:00.000Z", [])


def test_every_contact_is_one_of_its_own(api: Api, acme: str) -> None:
    before = api.customer(id=acme)["version"]
    for _ in range(2):
        api.post("log_contact", {"id": acme})
    assert api.customer(id=acme)["version"] == before + 2


def test_a_contact_is_not_in_the_future(api: Api, acme: str) -> None:
    reply = api.post("log_contact", {"id": acme, "at": "2026-03-04"})
    assert (reply.status, reply.refused) == (400, {"at": "in_the_future"})
    assert api.post("log_contact", {"id": acme, "at": "2026-03-03T12:00:00Z"}).status == 200
