"""A clock that steps back an hour between two writes."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.integration.actions.api import Api
from tests.integration.faults.kept import check, kept

WRITES: dict[str, dict[str, Any]] = {
    "upsert_account": {"mrr": 7, "logins": 3},
    "update_health": {"field": "adoption", "value": 90},
    "log_contact": {"note": "they called"},
    "score_customer": {},
    "delete_customer": {},
    "restore_customer": {},
}


def instants(api: Api) -> list[str]:
    """When each version of the customer was made, in the order of the feed, oldest first."""
    return [change["at"] for change in reversed(api.get("list_changes", limit=500).data)]


def test_versions_and_the_feed_stay_in_order(api: Api) -> None:
    for hour in (14, 13, 12):
        api.clock.now = datetime(2026, 3, 2, hour, tzinfo=UTC)
        for action, data in {"upsert_account": {"logins": hour}, **WRITES}.items():
            assert api.post(action, {"name": "Acme", **data}).status == 200
            check(kept(api))
    history = api.get("get_history", name="Acme", limit=500).data
    feed = api.get("list_changes", limit=500).data
    assert [change["id"] for change in feed] == [change["id"] for change in history]
    versions = [change["version"] for change in history]
    assert versions == list(range(len(versions), 0, -1))
    assert instants(api) == sorted(set(instants(api)))


@pytest.mark.parametrize("field", ["updated_at", "score_changed_at"])
def test_what_a_customer_says_of_its_last_change_never_goes_back(api: Api, field: str) -> None:
    seen = []
    for minutes in (0, 5, -60, 1, -60, 200):
        api.later(minutes=minutes)
        seen += [api.upsert("Acme", logins=logins)[field] for logins in (1, 30)]
    assert seen == sorted(seen)


def test_created_at_is_not_after_updated_at(api: Api) -> None:
    api.upsert("Acme")
    api.later(hours=-1)
    shown = api.upsert("Acme", mrr=1)
    assert shown["created_at"] < shown["updated_at"]
    assert shown["updated_at"] == "2026-03-02T12:00:00.001Z"


def test_a_page_by_time_has_every_customer_once(api: Api) -> None:
    for number in range(6):
        api.upsert(f"Customer {number}", logins=number)
        api.later(minutes=-20 if number % 2 else 7)
    page = api.get("list_customers", limit=4).body
    rest = api.get("list_customers", limit=4, cursor=page["next_cursor"]).body
    shown = [each["updated_at"] for each in (*page["data"], *rest["data"])]
    assert len(shown) == 6
    assert shown == sorted(shown, reverse=True)


def test_a_score_is_that_of_its_versions_own_day(api: Api) -> None:
    """Midnight comes twice: the second version is of the later day, as its instant says."""
    api.clock.now = datetime(2026, 3, 3, 0, 30, tzinfo=UTC)
    api.upsert("Acme", last_contact_date="2026-03-01", logins=15)
    check(kept(api))
    api.later(hours=-1)
    api.upsert("Acme", logins=16)
    check(kept(api))


def test_a_key_still_answers_what_it_answered(api: Api) -> None:
    first = api.post("upsert_account", {"name": "Acme", "mrr": 1}, idempotency_key="k")
    api.later(hours=-1)
    again = api.post("upsert_account", {"name": "Acme", "mrr": 1}, idempotency_key="k")
    assert again.body == first.body
    assert again.headers["idempotency-replayed"] == "true"
    check(kept(api))


def test_what_was_deleted_can_be_restored(api: Api) -> None:
    api.upsert("Acme", mrr=5)
    api.post("delete_customer", {"name": "Acme"})
    api.later(hours=-1)
    assert api.post("restore_customer", {"name": "Acme"}).data["deleted_at"] is None
    check(kept(api))
