"""An Idempotency-Key has one answer for a day, given or claimed."""

from dataclasses import replace

import pytest
from tests.builders import (
    NOW,
    a_change,
    a_commit,
    a_tenant,
    an_answer,
    an_id,
    at,
    customer_number,
    next_version,
)
from tests.integration.storage.conftest import Store

from vitals.storage.ports import WriteConflictError

DAY = 86_400


def test_an_answer_is_read_as_it_was_given(store: Store) -> None:
    store.commit(a_commit(None, customer_number(1), answer=an_answer()))
    found = store.customers.answer(store.tenant, "key", NOW)
    assert found is not None
    assert (found.key, found.fingerprint, found.expires_at) == ("key", "f", at(DAY))
    assert dict(found.body) == {"score": 76, "score_exact": 75.5, "data": {"name": "Acme"}}


def test_a_key_that_nobody_used_has_no_answer(store: Store) -> None:
    assert store.customers.answer(store.tenant, "key", NOW) is None


def test_an_answer_lasts_until_it_expires(store: Store) -> None:
    store.customers.claim(store.tenant, an_answer())
    known = [store.customers.answer(store.tenant, "key", at(t)) for t in (DAY - 1, DAY)]
    assert [answer is not None for answer in known] == [True, False]


def test_a_key_with_an_answer_writes_nothing_more(store: Store) -> None:
    store.commit(a_commit(None, customer_number(1), answer=an_answer()))
    with pytest.raises(WriteConflictError) as caught:
        store.commit(a_commit(None, customer_number(2), answer=an_answer(at=at(DAY - 1))))
    assert caught.value.on == {"answer"}
    assert store.get(customer_number(2)) is None


def test_a_key_can_be_used_again_after_its_day(store: Store) -> None:
    store.commit(a_commit(None, customer_number(1), answer=an_answer()))
    later = an_answer(body={"score": 1}, at=at(DAY + 1), expires_at=at(2 * DAY))
    store.commit(a_commit(None, customer_number(2), answer=later))
    found = store.customers.answer(store.tenant, "key", at(DAY + 1))
    assert found is not None
    assert found.body == {"score": 1}


def test_a_claim_holds_against_a_commit(store: Store) -> None:
    store.customers.claim(store.tenant, an_answer(body={}))
    with pytest.raises(WriteConflictError) as caught:
        store.commit(a_commit(None, customer_number(1), answer=an_answer()))
    assert caught.value.on == {"answer"}


def test_only_the_first_claim_holds(store: Store) -> None:
    store.customers.claim(store.tenant, an_answer(fingerprint="first"))
    store.customers.claim(store.tenant, an_answer(fingerprint="second"))
    found = store.customers.answer(store.tenant, "key", NOW)
    assert found is not None
    assert found.fingerprint == "first"


def test_an_expired_claim_gives_way(store: Store) -> None:
    store.customers.claim(store.tenant, an_answer(fingerprint="first"))
    late = replace(an_answer(fingerprint="second"), at=at(DAY + 1), expires_at=at(2 * DAY))
    store.customers.claim(store.tenant, late)
    found = store.customers.answer(store.tenant, "key", at(DAY + 1))
    assert found is not None
    assert found.fingerprint == "second"


def test_keys_of_two_tenants_are_two_keys(store: Store) -> None:
    other = a_tenant(id=an_id(99))
    store.customers.claim(store.tenant, an_answer(fingerprint="mine"))
    assert store.customers.answer(other, "key", NOW) is None
    store.customers.claim(other, an_answer(fingerprint="theirs"))
    found = store.customers.answer(store.tenant, "key", NOW)
    assert found is not None
    assert found.fingerprint == "mine"


def test_an_answer_gives_way_in_the_second_in_which_it_expires(store: Store) -> None:
    """The table keeps whole seconds: what is read as expired must not be in the way of a write."""
    store.customers.claim(store.tenant, an_answer(at=at(0.4), expires_at=at(DAY + 0.4)))
    for number, late in enumerate((at(DAY), at(DAY + 0.2), at(DAY + 0.4))):
        answer = an_answer(at=late, expires_at=at(2 * DAY), fingerprint=str(number))
        if store.customers.answer(store.tenant, "key", late) is None:
            store.commit(a_commit(None, customer_number(number), answer=answer))
            return
    raise AssertionError("it never expired")


def test_a_purge_brings_its_answer_or_nothing(store: Store) -> None:
    one, two = store.create(customer_number(1)), store.create(customer_number(2))
    for made in (one, two):
        change = a_change(next_version(made))
        if made == one:
            store.customers.purge(store.tenant, made, change, an_answer())
            continue
        with pytest.raises(WriteConflictError) as caught:
            store.customers.purge(store.tenant, made, change, an_answer())
        assert caught.value.on == {"answer"}
    assert store.get(two) == two
    assert store.customers.answer(store.tenant, "key", NOW) is not None
