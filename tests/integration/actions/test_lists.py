"""list_customers: filters, sorts and both pagings (IQ-049 to 058, AMB-19, 55, 58)."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from tests.integration.actions.api import Api

# name, logins (of 30), mrr, tier, lifecycle, manager, tags
PEOPLE = [
    ("Ada", 30, 500, "enterprise", "active", "Sarah", "vip,eu"),
    ("bolt", 22, 100, "mid", "active", "sarah", "eu"),
    ("Corp", 16, None, "smb", "onboarding", "Tom", ""),
    ("Dune", 8, 100, "mid", None, None, "VIP"),
    ("echo", 3, 0, None, "churned", "Tom", "eu,us"),
    ("Fox", None, 900, "smb", "won", "Ümit", "us"),
]


@pytest.fixture
def people(api: Api) -> dict[str, Any]:
    """Six customers, each updated a second after the one before, by name."""
    made = {}
    for name, logins, mrr, tier, lifecycle, manager, tags in PEOPLE:
        fields = {"logins": logins, "mrr": mrr, "tier": tier, "lifecycle": lifecycle,
                  "manager": manager, "tags": tags}  # fmt: skip
        given = {field: value for field, value in fields.items() if value not in (None, "")}
        made[name] = api.upsert(name, **given)
        api.later(seconds=1)
    return made


def names(reply: Any) -> list[str]:
    return [customer["name"] for customer in reply.data]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, "Ada bolt Corp Dune echo Fox"),
        ({"status": "expansion"}, "Ada"),
        ({"status": "HEALTHY"}, "bolt"),
        ({"status": "At Risk"}, "Dune"),
        ({"status": "critical, watch"}, "Corp echo"),
        ({"status": "unscored"}, "Fox"),
        ({"lifecycle": "active"}, "Ada bolt"),
        ({"lifecycle": "at-risk"}, "Dune"),
        ({"lifecycle": "churned,won"}, "echo Fox"),
        ({"tier": "enterprise"}, "Ada"),
        ({"tier": "Mid-Market,SMB"}, "bolt Corp Dune Fox"),
        ({"manager": "SARAH"}, "Ada bolt"),
        ({"manager": "ümit, tom"}, "Corp echo Fox"),
        ({"manager": "nobody"}, ""),
        ({"tag": "vip"}, "Ada Dune"),
        ({"tag": "us,vip"}, "Ada Dune echo Fox"),
        ({"tier": "mid", "tag": "eu"}, "bolt"),
        ({"tier": "mid", "manager": "Tom"}, ""),
        ({"status": ""}, "Ada bolt Corp Dune echo Fox"),
    ],
)
@pytest.mark.usefixtures("people")
def test_a_filter_is_or_within_and_across(api: Api, filters: dict[str, str], found: str) -> None:
    assert sorted(names(api.get("list_customers", **filters)), key=str.lower) == found.split()
    listed = api.post("list_customers", {**filters, "sort": "name", "order": "asc"})
    assert (names(listed), listed.body["total"]) == (found.split(), len(found.split()))


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"q": "ACME"}, "Acme Bolt"),
        ({"q": "inc acme"}, "Acme"),
        ({"q": "bolt acme.ex"}, "Bolt"),
        ({"q": "strasse"}, "Corp"),
        ({"q": "\uff43orp"}, "Corp"),
        ({"q": "acme nobody"}, ""),
        ({"q": " "}, "Acme Bolt Corp Dune"),
        ({"min_arr": 1200}, "Acme Bolt"),
        ({"max_arr": "1200.00"}, "Bolt Corp"),
        ({"min_arr": 0}, "Acme Bolt Corp"),
        ({"min_arr": 1200, "max_arr": 1200}, "Bolt"),
        ({"renewal_within_days": 0}, "Acme"),
        ({"renewal_within_days": 30}, "Acme Bolt"),
        ({"renewal_within_days": 31}, "Acme Bolt Corp"),
        ({"q": "acme", "min_arr": 2000, "renewal_within_days": 30}, "Acme"),
    ],
)
def test_customers_are_looked_for_by_words_revenue_and_renewal(
    api: Api, filters: dict[str, str], found: str
) -> None:
    """LU-026 to 028; at half past three in the morning it is still yesterday in Honolulu."""
    api.clock.now = datetime(2026, 3, 3, 3, 30, tzinfo=UTC)
    assert api.post("update_config", {"time_zone": "Pacific/Honolulu"}).status == 200
    api.upsert("Acme Inc", arr=2400, renewal_date="2026-03-02")
    api.upsert("Bolt", email_domain="acme.example", arr=1200, renewal_date="2026-04-01")
    api.upsert("Corp Straße", arr=0, renewal_date="2026-04-02")
    api.upsert("Dune", renewal_date="2026-03-01")
    for sort in ("name", "updated_at"):
        listed = api.post("list_customers", {**filters, "sort": sort, "order": "asc"})
        assert [name.split()[0] for name in names(listed)] == found.split()


@pytest.mark.usefixtures("people")
def test_a_cursor_belongs_to_what_was_looked_for(api: Api) -> None:
    asked: dict[str, object] = {"q": "o", "min_arr": 0, "renewal_within_days": 9, "limit": 1}
    for name in ("bolt", "echo"):
        api.upsert(name, renewal_date="2026-03-09")
    first = api.post("list_customers", asked)
    assert names(first) == ["echo"]
    cursor = first.body["next_cursor"]
    for changed in ({"q": "b"}, {"min_arr": 1}, {"max_arr": 5}, {"renewal_within_days": 8}):
        reply = api.post("list_customers", {**asked, **changed, "cursor": cursor})
        assert (reply.status, reply.code) == (400, "invalid_cursor")
    api.later(days=1)
    assert names(api.post("list_customers", {**asked, "cursor": cursor})) == ["bolt"]


@pytest.mark.parametrize(
    ("filters", "field"),
    [
        ({"q": "x" * 201}, "q"),
        ({"min_arr": -1}, "min_arr"),
        ({"max_arr": "much"}, "max_arr"),
        ({"renewal_within_days": 3651}, "renewal_within_days"),
        ({"renewal_within_days": -1}, "renewal_within_days"),
        ({"renewal_within_days": 1.5}, "renewal_within_days"),
    ],
)
def test_a_filter_out_of_bounds_is_refused(
    api: Api, filters: dict[str, object], field: str
) -> None:
    reply = api.post("list_customers", filters)
    assert (reply.status, list(reply.refused)) == (400, [field])


@pytest.mark.parametrize(
    ("filters", "field"),
    [
        ({"status": "bad"}, "status"),
        ({"status": "healthy,bad"}, "status"),
        ({"lifecycle": "risk"}, "lifecycle"),
        ({"tier": "gold"}, "tier"),
        ({"sort": "logins"}, "sort"),
        ({"order": "up"}, "order"),
    ],
)
def test_an_unknown_word_is_refused_with_those_allowed(
    api: Api, filters: dict[str, str], field: str
) -> None:
    reply = api.get("list_customers", **filters)
    assert (reply.status, reply.refused) == (400, {field: "unknown_value"})
    assert "must be one of: " in reply.body["errors"][0]["message"]


@pytest.mark.parametrize(
    ("sort", "ascending"),
    [
        ("name", "Ada bolt Corp Dune echo Fox"),
        ("score", "echo Dune Corp bolt Ada Fox"),
        ("mrr", "echo bolt Dune Ada Fox Corp"),
        ("arr", "echo bolt Dune Ada Fox Corp"),
        ("updated_at", "Ada bolt Corp Dune echo Fox"),
        ("created_at", "Ada bolt Corp Dune echo Fox"),
    ],
)
@pytest.mark.usefixtures("people")
def test_a_list_is_sorted_with_the_unknown_last(api: Api, sort: str, ascending: str) -> None:
    up = names(api.get("list_customers", sort=sort, order="asc"))
    down = names(api.get("list_customers", sort=sort, order="desc"))
    assert up == ascending.split()
    unknown = {"score": 1, "mrr": 1, "arr": 1}.get(sort, 0)
    known = len(up) - unknown
    assert down == up[:known][::-1] + up[known:]


@pytest.mark.usefixtures("people")
def test_the_newest_come_first_unless_asked_otherwise(api: Api) -> None:
    assert names(api.get("list_customers")) == ["Fox", "echo", "Dune", "Corp", "bolt", "Ada"]
    assert names(api.get("list_customers", sort="name"))[0] == "Fox"
    api.upsert("bolt", mrr=101)
    assert names(api.get("list_customers"))[0] == "bolt"


@pytest.mark.usefixtures("people")
def test_updated_since_takes_the_instant_itself(api: Api) -> None:
    for since, found in [
        ("2026-03-02T12:00:03Z", 3),
        ("2026-03-02T12:00:03.000+00:00", 3),
        ("2026-03-02T13:00:03+01:00", 3),
        ("2026-03-02 12:00:03", 3),
        ("2026-03-02T12:00:03.001Z", 2),
        ("2026-03-02", 6),
        ("2026-03-03", 0),
    ]:
        for sort in ("updated_at", "score"):
            reply = api.get("list_customers", updated_since=since, sort=sort)
            assert len(reply.data) == found, since


@pytest.mark.usefixtures("people")
def test_a_plus_that_became_a_space_is_read_as_meant(api: Api) -> None:
    query = "action=list_customers&updated_since=2026-03-02T13:00:03+01:00"
    assert len(api.send("GET", query=query).data) == 3


@pytest.mark.usefixtures("people")
def test_an_updated_since_that_is_not_there_is_absent(api: Api) -> None:
    """AMB-06."""
    assert len(api.get("list_customers", updated_since="").data) == 6
    reply = api.get("list_customers", updated_since="{{last_poll}}")
    assert len(reply.data) == 6
    assert reply.warned == {("unrendered_template", "updated_since")}
    reply = api.get("list_customers", updated_since="yesterday")
    assert (reply.status, reply.refused) == (400, {"updated_since": "must_be_instant"})


def test_deleted_customers_are_listed_on_request(api: Api, people: dict[str, Any]) -> None:
    api.post("delete_customer", {"name": "Corp"})
    for sort in ("updated_at", "name"):
        assert len(api.get("list_customers", sort=sort).data) == 5
        both = api.get("list_customers", sort=sort, include_deleted="true").data
        assert {each["id"] for each in both} == {each["id"] for each in people.values()}


@pytest.mark.parametrize("sort", ["updated_at", "name", "score", "mrr", "arr", "created_at"])
@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("size", [1, 2, 4, 5, 6])
@pytest.mark.usefixtures("people")
def test_both_pagings_walk_the_whole_list(api: Api, sort: str, order: str, size: int) -> None:
    asked = {"sort": sort, "order": order, "limit": size}
    whole = names(api.get("list_customers", sort=sort, order=order))
    by_cursor: list[str] = []
    by_offset: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        reply = api.get("list_customers", **asked, cursor=cursor)
        at = api.get("list_customers", **asked, offset=len(by_offset))
        assert reply.body["has_more"] == at.body["has_more"]
        assert reply.body["has_more"] == (reply.body["next_cursor"] is not None)
        by_cursor += names(reply)
        by_offset += names(at)
        assert len(by_cursor) <= len(whole)
        cursor = reply.body["next_cursor"]
    assert by_cursor == by_offset == whole


@pytest.mark.parametrize("sort", ["updated_at", "score"])
@pytest.mark.usefixtures("people")
def test_a_cursor_stays_true_beside_writers(api: Api, sort: str) -> None:
    """What was not touched comes exactly once, whatever moves meanwhile."""
    first = api.get("list_customers", sort=sort, limit=3)
    seen = names(first)
    unseen = [name for name, *_ in PEOPLE if name not in seen]
    api.later(seconds=1)
    api.upsert(seen[0], logins=1)
    api.upsert("Gone", logins=29)
    api.post("delete_customer", {"name": unseen[0]})
    second = api.get("list_customers", sort=sort, limit=100, cursor=first.body["next_cursor"])
    assert set(unseen[1:]) <= set(names(second))
    assert unseen[0] not in names(second)
    assert not set(seen[1:]) & set(names(second))


def test_the_pages_of_a_cursor_are_scored_at_one_instant(api: Api) -> None:
    for number in range(4):
        api.upsert(f"Customer {number}", days=number * 40)
    first = api.get("list_customers", sort="score", limit=2)
    api.later(days=60)
    second = api.get("list_customers", sort="score", limit=2, cursor=first.body["next_cursor"])
    scores = [each["score"] for each in first.data + second.data]
    assert all(one > other for one, other in pairwise(scores))
    assert {each["evaluated_at"] for each in first.data + second.data} == {
        "2026-03-02T12:00:00.000Z"
    }


@pytest.mark.usefixtures("people")
def test_a_cursor_belongs_to_its_query(api: Api) -> None:
    cursor = api.get("list_customers", sort="score", limit=2).body["next_cursor"]
    for other in (
        {"sort": "score", "order": "asc"},
        {"sort": "name"},
        {"sort": "score", "status": "healthy"},
        {},
    ):
        reply = api.get("list_customers", **other, cursor=cursor)
        assert (reply.status, reply.code) == (400, "invalid_cursor")
    assert api.get("list_customers", sort="score", limit=4, cursor=cursor).status == 200


@pytest.mark.parametrize("cursor", ["x", "!!", "e30", "W10", "bnVsbA", "a" * 900, "\udcff"])
@pytest.mark.parametrize("action", ["list_customers", "list_changes"])
def test_a_cursor_from_elsewhere_is_refused(api: Api, action: str, cursor: str) -> None:
    reply = api.get(action, cursor=cursor.encode(errors="surrogateescape"))
    assert (reply.status, reply.code) == (400, "invalid_cursor")


@pytest.mark.parametrize(
    ("page", "refused"),
    [
        ({"limit": 501}, "limit"),
        ({"limit": 0}, "limit"),
        ({"limit": -1}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"limit": 2.5}, "limit"),
        ({"offset": -1}, "offset"),
    ],
)
def test_a_page_out_of_bounds_is_refused(api: Api, page: dict[str, object], refused: str) -> None:
    reply = api.get("list_customers", **page)
    assert (reply.status, list(reply.refused)) == (400, [refused])


def test_the_largest_page_is_named(api: Api) -> None:
    reply = api.get("list_customers", limit=501)
    assert "500" in reply.body["detail"]
    assert api.get("list_customers", limit=500).body["limit"] == 500
    assert api.get("list_customers").body["limit"] == 100


@pytest.mark.usefixtures("people")
def test_an_array_is_bare(api: Api) -> None:
    whole = api.get("list_customers", limit=2)
    bare = api.get("list_customers", limit=2, shape="array")
    assert bare.body == whole.data


def test_four_shards_are_one_list(api: Api) -> None:
    wide = api.another_tenant(shards=4)
    for number in range(12):
        wide.upsert(f"Customer {number:02}", logins=number)
        wide.later(seconds=1)
    wanted = [f"Customer {number:02}" for number in range(12)]
    assert names(wide.get("list_customers", order="asc")) == wanted
    assert names(wide.get("list_customers", sort="score", order="asc")) == wanted
    first = wide.get("list_customers", limit=5)
    rest = wide.get("list_customers", limit=9, cursor=first.body["next_cursor"])
    assert names(first) + names(rest) == wanted[::-1]
