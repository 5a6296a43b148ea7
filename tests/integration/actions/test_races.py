"""Writers at the same time, on real threads: nothing is lost, nothing happens twice (AMB-60)."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from tests.integration.actions.api import Api, Reply
from tests.integration.actions.writes import WRITES, Write
from tests.integration.faults.kept import check, kept

CROWD = 8


def at_once(*calls: Callable[[], Reply]) -> list[Reply]:
    """Make every call at the same moment, each on a thread of its own."""
    ready = Barrier(len(calls))

    def run(call: Callable[[], Reply]) -> Reply:
        ready.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(run, calls))


def posting(api: Api, action: str, data: dict[str, Any], **headers: str) -> Callable[[], Reply]:
    return lambda: api.post(action, data, **headers)


def statuses(replies: Sequence[Reply]) -> list[int]:
    return sorted(reply.status for reply in replies)


def test_two_writers_of_two_fields_lose_nothing(api: Api) -> None:
    acme = api.upsert("Acme")["id"]

    def write(field: str) -> Callable[[], Reply]:
        def run() -> Reply:
            for number in range(1, 16):
                reply = api.post("update_health", {"id": acme, "field": field, "value": number})
                assert reply.status == 200
                assert reply.data[field] == number
            return reply

        return run

    at_once(write("logins"), write("mrr"))
    shown = api.customer(id=acme)
    assert (shown["logins"], shown["mrr"], shown["version"]) == (15, 15, 31)
    check(kept(api))


def test_many_writers_of_one_customer_lose_nothing(api: Api) -> None:
    acme = api.upsert("Acme")["id"]
    replies = at_once(
        *(
            posting(api, "upsert_account", {"id": acme, "custom_fields": {f"of {n}": n}})
            for n in range(CROWD)
        )
    )
    assert statuses(replies) == [200] * CROWD
    shown = api.customer(id=acme)
    assert shown["custom_fields"] == {f"of {n}": n for n in range(CROWD)}
    assert sorted(reply.data["version"] for reply in replies) == list(range(2, CROWD + 2))
    check(kept(api))


def test_one_name_created_by_many_is_one_customer(api: Api) -> None:
    """IQ-103."""
    for number in range(5):
        name = f"Customer {number}"
        replies = at_once(
            *(
                posting(api, "upsert_account", {"name": name, "custom_fields": {f"of {n}": n}})
                for n in range(CROWD)
            )
        )
        assert statuses(replies) == [200] * CROWD
        assert sum(reply.body["created"] for reply in replies) == 1
        assert len({reply.data["id"] for reply in replies}) == 1
        shown = api.customer(name=name)
        assert (len(shown["custom_fields"]), shown["version"]) == (CROWD, CROWD)
    check(kept(api))


def test_one_name_created_only_by_one(api: Api) -> None:
    data = {"name": "Acme", "create_only": True}
    replies = at_once(*(posting(api, "upsert_account", data) for _ in range(CROWD)))
    assert statuses(replies) == [200] + [409] * (CROWD - 1)
    check(kept(api))


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_one_key_at_many_times_at_once_has_one_effect_and_one_answer(
    api: Api, write: Write
) -> None:
    """AMB-40: the loser of a race gets the winner's answer."""
    write.prepare(api)
    before = len(api.get("list_changes", limit=500).data)
    data = write.data
    if write.guarded:
        [found] = api.get("list_customers", include_deleted="true").data or [{"version": 0}]
        data = {**data, "if_version": found["version"]}
    calls = [posting(api, write.action, data, idempotency_key="k") for _ in range(CROWD)]
    replies = at_once(*calls)
    assert statuses(replies) == [200] * CROWD, [reply.body for reply in replies]
    assert all(reply.body == replies[0].body for reply in replies)
    left = len(api.get("list_changes", limit=500).data)
    assert left == (1 if replies[0].body.get("hard") else before + effects(replies[0]))
    check(kept(api))


def effects(reply: Reply) -> int:
    """How many changes an answer tells of."""
    results = reply.body.get("results", [reply.body])
    quiet = ("error", "unchanged")
    return sum(each["status"] not in quiet and not each.get("unchanged") for each in results)


def test_one_key_with_two_bodies_at_once_has_one_effect(api: Api) -> None:
    calls = [
        posting(api, "upsert_account", {"name": f"Customer {n}"}, idempotency_key="k")
        for n in range(CROWD)
    ]
    assert statuses(at_once(*calls)) == [200] + [422] * (CROWD - 1)
    assert len(api.get("list_customers").data) == 1
    check(kept(api))


def test_a_rename_and_a_creation_of_that_name_make_no_duplicate(api: Api) -> None:
    for number in range(6):
        old = api.upsert(f"Old {number}")["id"]
        renamed, created = at_once(
            posting(api, "upsert_account", {"id": old, "name": f"New {number}"}),
            posting(api, "upsert_account", {"name": f"New {number}", "logins": 3}),
        )
        assert created.status == 200
        if renamed.status == 200:
            assert created.data["id"] == old
            assert created.body["created"] is False
        else:
            assert (renamed.status, renamed.code) == (409, "duplicate_name")
            assert created.body["created"] is True
            assert api.customer(id=old)["name"] == f"Old {number}"
    check(kept(api))


def test_two_renames_to_one_name_leave_one_of_them(api: Api) -> None:
    ids = [api.upsert(f"Customer {number}")["id"] for number in range(CROWD)]
    calls = [posting(api, "upsert_account", {"id": each, "name": "Acme"}) for each in ids]
    assert statuses(at_once(*calls)) == [200] + [409] * (CROWD - 1)
    check(kept(api))


def test_one_external_id_goes_to_one_customer(api: Api) -> None:
    for number in range(CROWD):
        api.upsert(f"Customer {number}")
    calls = [
        posting(api, "update_health",
                {"name": f"Customer {number}", "field": "external_id", "value": "crm-1"})
        for number in range(CROWD)
    ]  # fmt: skip
    assert statuses(at_once(*calls)) == [200] + [409] * (CROWD - 1)
    check(kept(api))


def test_a_delete_against_an_update_leaves_both_or_says_so(api: Api) -> None:
    for number in range(6):
        each = api.upsert(f"Customer {number}", mrr=10)["id"]
        deleted, updated = at_once(
            posting(api, "delete_customer", {"id": each}),
            posting(api, "update_health", {"id": each, "field": "mrr", "value": 20}),
        )
        assert deleted.status == 200
        shown = api.customer(id=each, include_deleted="true")
        assert shown["deleted_at"] is not None
        if updated.status == 200:
            assert (shown["mrr"], shown["version"]) == (20, 3)
        else:
            assert (updated.status, updated.code) == (409, "in_trash")
            assert (shown["mrr"], shown["version"]) == (10, 2)
    check(kept(api))


def test_a_purge_against_an_update_leaves_nothing_behind(api: Api) -> None:
    for number in range(6):
        each = api.upsert(f"Customer {number}", mrr=10, external_id=f"crm-{number}")["id"]
        purged, updated = at_once(
            posting(api, "delete_customer", {"id": each, "hard": True}),
            posting(api, "upsert_account", {"id": each, "mrr": 20}),
        )
        assert purged.status == 200
        assert updated.status in (200, 404)
        assert api.get("get_customer", id=each, include_deleted="true").status == 404
        [left] = [key for key in api.stored() if key[0].endswith(f"#C#{each}")]
        assert api.stored()[left]["row"].count("mrr") == 0
    check(kept(api))


def test_a_guarded_purge_never_takes_a_newer_version(api: Api) -> None:
    for number in range(6):
        each = api.upsert(f"Customer {number}")["id"]
        purged, updated = at_once(
            posting(api, "delete_customer", {"id": each, "hard": True, "if_version": 1}),
            posting(api, "update_health", {"id": each, "field": "mrr", "value": 20}),
        )
        assert (purged.status, updated.status) in [(200, 404), (409, 200)]
    check(kept(api))


def test_many_deletes_and_restores_end_in_one_order(api: Api) -> None:
    each = api.upsert("Acme", mrr=10)["id"]
    verbs = ["delete_customer", "restore_customer"] * (CROWD // 2)
    replies = at_once(*(posting(api, verb, {"id": each}) for verb in verbs))
    assert statuses(replies) == [200] * CROWD
    check(kept(api))


def test_only_one_of_many_guarded_writers_wins(api: Api) -> None:
    each = api.upsert("Acme")["id"]
    calls = [
        posting(api, "upsert_account", {"id": each, "mrr": number, "if_version": 1})
        for number in range(1, CROWD + 1)
    ]
    replies = at_once(*calls)
    assert statuses(replies) == [200] + [409] * (CROWD - 1)
    [won] = [reply for reply in replies if reply.status == 200]
    assert api.customer(id=each)["mrr"] == won.data["mrr"]
    check(kept(api))


def test_batches_that_overlap_lose_nothing(api: Api) -> None:
    def batch(field: str) -> Callable[[], Reply]:
        records = [{"name": f"Customer {n}", field: n} for n in range(20)]
        return posting(api, "batch_upsert", {"customers": records})

    fields = ("logins", "tickets", "mrr", "days")
    for reply in at_once(*(batch(field) for field in fields)):
        assert reply.body["summary"]["error"] == 0
    for shown in api.get("list_customers", limit=100).data:
        number = int(shown["name"].split()[1])
        assert {shown[field] for field in fields} == {number}
        assert shown["version"] == len(fields)
    check(kept(api))


def test_a_touch_is_never_lost(api: Api) -> None:
    """PLUS-16: every contact is a version of its own."""
    each = api.upsert("Acme")["id"]
    calls = [posting(api, "log_contact", {"id": each, "note": f"n{n}"}) for n in range(CROWD)]
    assert statuses(at_once(*calls)) == [200] * CROWD
    notes = {change["contact"]["note"] for change in api.get("list_changes", cause="contact").data}
    assert notes == {f"n{n}" for n in range(CROWD)}
    check(kept(api))
