"""A batch ends as its records would one after the other, whichever threads write them."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.usecases.desk import Desk

from vitals.domain.change import facts
from vitals.domain.errors import VitalsError
from vitals.usecases.batch_upsert import batch_upsert
from vitals.usecases.upsert_account import upsert_account

NAMES = st.sampled_from(["Acme", "ACME ", "Bolt", "Corp", 7, "7", "", None])
EXTERNAL_IDS = st.sampled_from(["x", "y", 1001, "1001", " x "])
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        "name": NAMES,
        "external_id": EXTERNAL_IDS,
        "logins": st.integers(0, 40),
        "mrr": st.sampled_from([1, "many", None]),
        "create_only": st.booleans(),
    },
)


def told(desk: Desk) -> list[dict[str, Any]]:
    """The customers, told apart by what they are: ids are made in the order of threads."""
    everybody = desk.customers.customers.get(desk.context().tenant.id, {}).values()
    shown = [{**facts(each), "version": each.version} for each in everybody]
    for each in shown:
        each.pop("score_changed_at", None)
    return sorted(shown, key=lambda each: each["name"])


@settings(max_examples=150)
@given(st.lists(RECORDS, max_size=6), st.lists(RECORDS, min_size=1, max_size=14))
def test_a_batch_ends_as_its_records_would_one_by_one(
    there: list[dict[str, Any]], records: list[dict[str, Any]]
) -> None:
    together, apart = Desk(), Desk()
    for desk in (together, apart):
        for record in there:
            one_by_one(desk, record)
    answer = batch_upsert(together.context(), {"customers": records})
    wanted = [one_by_one(apart, record) for record in records]
    got = [each.get("error", {}).get("code", each["status"]) for each in answer["results"]]
    assert got == wanted
    assert told(together) == told(apart)


def one_by_one(desk: Desk, record: dict[str, Any]) -> str:
    try:
        answer = upsert_account(desk.context(), record)
    except VitalsError as error:
        return error.code
    if answer["unchanged"]:
        return "unchanged"
    return "created" if answer["created"] else "updated"


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_what_there_is_no_time_for_is_said(desk: Desk) -> None:
    left = iter([True, True])
    context = desk.context(has_time=lambda: next(left, False))
    answer = batch_upsert(context, {"customers": [{"name": f"Customer {n}"} for n in range(5)]})
    assert answer["summary"]["created"] == 2
    assert answer["summary"]["not_attempted"] == 3
    assert len(told(desk)) == 2


def test_a_batch_that_was_cut_short_is_finished_under_its_key(desk: Desk) -> None:
    records = [{"name": f"Customer {n}", "logins": n} for n in range(5)]
    left = iter([True, True])
    batch_upsert(desk.context("k", has_time=lambda: next(left, False)), {"customers": records})
    again = desk.context("k")
    answer = batch_upsert(again, {"customers": records})
    assert answer["summary"]["created"] == 5
    assert [each["version"] for each in told(desk)] == [1] * 5
    assert len(again.replays) == 2


def test_a_batch_under_the_key_of_another_stores_nothing(desk: Desk) -> None:
    batch_upsert(desk.context("k"), {"customers": [{"name": "Acme"}]})
    with pytest.raises(VitalsError) as caught:
        batch_upsert(desk.context("k", "another"), {"customers": [{"name": "Bolt"}]})
    assert caught.value.code == "idempotency_key_reused"
    assert [each["name"] for each in told(desk)] == ["Acme"]
