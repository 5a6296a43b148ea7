"""Pages of customers and of changes, put together, are the list; the oracle is slow and obvious."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import NOW, a_change, a_commit, a_tenant, at, customer_number
from tests.unit.usecases.desk import Desk

from vitals.domain.customer import Customer
from vitals.domain.errors import InvalidCursorError
from vitals.usecases.list_changes import get_history, list_changes
from vitals.usecases.list_customers import list_customers
from vitals.usecases.log_contact import log_contact

SORTS = ("updated_at", "name", "score", "mrr", "arr", "created_at")
PEOPLE = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.text("aAbZéß 19", min_size=1, max_size=4),
            "signals": st.fixed_dictionaries({}, optional={"logins": st.integers(0, 40)}),
            "mrr": st.sampled_from([None, 0, 1, 100]),
            "arr": st.sampled_from([None, 5]),
            "tier": st.sampled_from([None, "mid", "smb"]),
            "manager": st.sampled_from([None, "Sarah", "SARAH", "Tom"]),
            "tags": st.sampled_from([(), ("vip",), ("VIP", "eu")]),
            "updated_at": st.integers(0, 3).map(at),
            "created_at": st.integers(0, 3).map(at),
            "deleted_at": st.sampled_from([None, None, None, NOW]),
        }
    ),
    max_size=12,
)
QUERIES = st.fixed_dictionaries(
    {"sort": st.sampled_from(SORTS), "order": st.sampled_from(["asc", "desc"])},
    optional={
        "status": st.sampled_from(["critical", "expansion,unscored", "Watch"]),
        "tier": st.sampled_from(["mid", "mid,smb"]),
        "manager": st.sampled_from(["sarah", "tom, sarah"]),
        "tag": st.sampled_from(["vip", "EU,us"]),
        "updated_since": st.integers(0, 4).map(lambda seconds: at(seconds).isoformat()),
        "include_deleted": st.booleans(),
    },
)


def desk_with(people: list[dict[str, Any]]) -> Desk:
    desk = Desk()
    for number, fields in enumerate(people):
        # Apart from the number, names may be equal; no two customers hold one.
        named = {**fields, "name": f"{fields['name']} {number}"}
        desk.customers.commit(a_tenant(), a_commit(None, customer_number(number, **named)))
    return desk


def expected(desk: Desk, people: int, query: dict[str, Any]) -> list[str]:
    """The ids that the query should list, by the plainest loops."""
    found = []
    for number in range(people):
        each = desk.stored(customer_number(number).id)
        if passes(each, query):
            found.append((key(each, query["sort"]), each.id))
    known = sorted((pair for pair in found if pair[0] is not None), key=lambda pair: pair)
    unknown = sorted(pair for pair in found if pair[0] is None)
    if query["order"] == "desc":
        known, unknown = known[::-1], unknown[::-1]
    return [customer_id for _, customer_id in known + unknown]


def score(customer: Customer) -> int | None:
    """What logins alone give, halves up: the other signals are not sent here."""
    logins = customer.signals.get("logins")
    return None if logins is None else min(100, (int(logins) * 200 + 30) // 60)


def status(customer: Customer) -> str:
    found, value = "unscored", score(customer)
    for band, lowest in [("critical", 0), ("at_risk", 25), ("watch", 50), ("healthy", 65),
                         ("expansion", 80)]:  # fmt: skip
        if value is not None and value >= lowest:
            found = band
    return found


def words(text: str) -> list[str]:
    return [word.strip().lower() for word in text.split(",")]


def passes(customer: Customer, query: dict[str, Any]) -> bool:
    if customer.deleted_at is not None and not query.get("include_deleted"):
        return False
    if "status" in query and status(customer) not in words(query["status"]):
        return False
    if "tier" in query and customer.tier not in words(query["tier"]):
        return False
    if "manager" in query and (customer.manager or "").lower() not in words(query["manager"]):
        return False
    if "tag" in query and not {t.lower() for t in customer.tags} & set(words(query["tag"])):
        return False
    return "updated_since" not in query or customer.updated_at.isoformat() >= query["updated_since"]


def key(customer: Customer, sort: str) -> Any:
    if sort == "score":
        return score(customer)
    if sort == "name":
        return " ".join(customer.name.casefold().split())
    return getattr(customer, sort)


@settings(max_examples=150)
@given(PEOPLE, QUERIES, st.integers(1, 5))
def test_the_pages_of_any_query_are_its_list(
    people: list[dict[str, Any]], query: dict[str, Any], limit: int
) -> None:
    desk = desk_with(people)
    wanted = expected(desk, len(people), query)
    walked: list[str] = []
    cursor: dict[str, Any] = {}
    while True:
        page = list_customers(desk.context(), {**query, **cursor, "limit": limit})
        at_offset = list_customers(desk.context(), {**query, "limit": limit, "offset": len(walked)})
        ids = [each["id"] for each in page["data"]]
        assert ids == [each["id"] for each in at_offset["data"]]
        assert page.get("total", len(wanted)) == len(wanted)
        walked += ids
        assert len(walked) <= len(wanted)
        if not page["has_more"]:
            assert page["next_cursor"] is None
            break
        cursor = {"cursor": page["next_cursor"]}
    assert walked == wanted


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5)), max_size=14),
    st.sampled_from(["asc", "desc"]),
    st.integers(1, 4),
    st.sampled_from([{}, {"customer_id": customer_number(1).id}, {"updated_since": at(6)},
                     {"until": at(9)}, {"cause": "contact"}]),
)  # fmt: skip
def test_the_pages_of_any_feed_are_the_feed(
    made: list[tuple[int, int]], order: str, limit: int, asked: dict[str, Any]
) -> None:
    desk, versions, wanted = Desk(), dict[int, Customer](), []
    for who, second in made:
        before = versions.get(who)
        when = (
            max(at(second), before.updated_at + timedelta(milliseconds=1)) if before else at(second)
        )
        version = before.version + 1 if before else 1
        after = customer_number(who, version=version, updated_at=when)
        cause = "contact" if second % 2 else "api"
        change = a_change(after, cause=cause)
        desk.customers.commit(a_tenant(), a_commit(before, after, change=change))
        versions[who] = after
        wanted.append(change)
    if asked.get("customer_id") and 1 not in versions:
        return
    wanted = [
        change
        for change in sorted(wanted, key=lambda each: (each.at, each.id))
        if change.customer_id == asked.get("customer_id", change.customer_id)
        and change.at >= asked.get("updated_since", change.at)
        and change.at <= asked.get("until", change.at)
        and change.cause == asked.get("cause", change.cause)
    ]
    given_ = {
        name: getattr(value, "isoformat", lambda v=value: v)() for name, value in asked.items()
    }
    desk.now = at(60)
    walked: list[str] = []
    cursor: dict[str, Any] = {}
    while True:
        data = {**given_, "order": order, "limit": limit, **cursor}
        page = list_changes(desk.context(), data)
        walked += [each["id"] for each in page["data"]]
        assert len(walked) <= len(wanted)
        if not page["has_more"]:
            break
        cursor = {"cursor": page["next_cursor"]}
    ids = [change.id for change in wanted]
    assert walked == (ids if order == "asc" else ids[::-1])


def test_one_customers_feed_is_read_from_its_own_history(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tenant's feed may be without end, and hold hardly any of this customer's changes."""
    desk = Desk()
    acme = desk.upsert(name="Acme")["id"]

    def endless(*_: object, **__: object) -> object:
        raise AssertionError("the feed of everybody was read")

    monkeypatch.setattr(desk.customers, "feed", endless)
    assert len(list_changes(desk.context(), {"customer_id": acme})["data"]) == 1


@pytest.mark.parametrize(("order", "versions"), [("asc", [1, 2, 3, 4]), ("desc", [4, 3, 2, 1])])
def test_one_customers_feed_is_walked_page_by_page(order: str, versions: list[int]) -> None:
    desk = Desk()
    acme = desk.upsert(name="Acme")["id"]
    for number in range(3):
        desk.upsert(id=acme, mrr=number)
    desk.now += timedelta(minutes=1)
    walked, cursor = list[int](), ""
    for _ in range(4):
        asked = {"customer_id": acme, "order": order, "limit": 1, "cursor": cursor}
        page = list_changes(desk.context(), asked)
        walked += [change["version"] for change in page["data"]]
        cursor = page["next_cursor"] or ""
    assert (walked, cursor) == (versions, "")


def test_a_history_is_not_cut_by_the_clock() -> None:
    desk = Desk()
    acme = desk.upsert(name="Acme")["id"]
    log_contact(desk.context(), {"id": acme})
    found = get_history(desk.context(), {"id": acme})["data"]
    assert [change["version"] for change in found] == [2, 1]


@pytest.mark.parametrize("action", [list_customers, list_changes])
def test_a_cursor_of_another_action_is_refused(action: Any) -> None:
    desk = desk_with([{"name": "a"}, {"name": "b"}])
    for number in range(2):
        desk.upsert(name=f"Customer {number}")
    pages = {each: each(desk.context(), {"limit": 1}) for each in (list_customers, list_changes)}
    [other] = [page for each, page in pages.items() if each is not action]
    with pytest.raises(InvalidCursorError):
        action(desk.context(), {"limit": 1, "cursor": other["next_cursor"]})
