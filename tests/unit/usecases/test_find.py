"""Whom a request means: by id, else external_id, else name (AMB-11)."""

from datetime import timedelta

import pytest
from tests.unit.usecases.desk import Desk

from vitals.domain.errors import CustomerNotFoundError, DuplicateNameError, ValidationError
from vitals.usecases.delete_customer import delete_customer
from vitals.usecases.find import Known, find, require, require_live
from vitals.usecases.inputs import Reference
from vitals.usecases.upsert_account import upsert_account


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_an_id_counts_before_an_external_id_before_a_name(desk: Desk) -> None:
    one, two, three = (
        desk.upsert(name=f"Customer {n}", external_id=f"x{n}")["id"] for n in (1, 2, 3)
    )
    for reference, found in [
        (Reference(id=one, external_id="x2", name="Customer 3"), one),
        (Reference(external_id="x2", name="Customer 3"), two),
        (Reference(name="CUSTOMER  3"), three),
        (Reference(external_id="nobody", name="Customer 3"), three),
    ]:
        customer = find(desk.context(), reference)
        assert customer is not None
        assert customer.id == found


def test_an_unknown_id_is_nobody_whatever_else_is_said(desk: Desk) -> None:
    desk.upsert(name="Acme", external_id="x")
    assert find(desk.context(), Reference(id="nobody", external_id="x", name="Acme")) is None


def test_nothing_said_means_nobody(desk: Desk) -> None:
    with pytest.raises(ValidationError) as caught:
        require(desk.context(), Reference())
    assert [error.field for error in caught.value.errors] == ["id"]


@pytest.mark.parametrize("reference", [{"id": "x"}, {"external_id": "x"}, {"name": "x"}])
def test_nobody_is_named_in_the_refusal(desk: Desk, reference: dict[str, str]) -> None:
    with pytest.raises(CustomerNotFoundError, match=f"no customer has {next(iter(reference))} 'x'"):
        require(desk.context(), Reference(**reference))


def test_a_deleted_customer_is_found_but_not_live(desk: Desk) -> None:
    acme = desk.upsert(name="Acme")["id"]
    delete_customer(desk.context(), {"id": acme})
    assert require(desk.context(), Reference(id=acme)).deleted_at is not None
    with pytest.raises(CustomerNotFoundError):
        require_live(desk.context(), Reference(id=acme))


def test_after_thirty_days_a_deleted_customer_is_nobody(desk: Desk) -> None:
    acme = desk.upsert(name="Acme")["id"]
    delete_customer(desk.context(), {"id": acme})
    desk.now += timedelta(days=30)
    with pytest.raises(CustomerNotFoundError):
        require(desk.context(), Reference(id=acme))


def test_what_was_read_ahead_is_not_read_again(desk: Desk) -> None:
    acme = desk.upsert(name="Acme")["id"]
    context = desk.context()
    ahead = Known(
        asked=frozenset({("name", "acme"), ("name", "bolt")}),
        holders={("name", "acme"): acme},
        customers={acme: desk.stored(acme)},
    )
    desk.customers.customers.clear()
    desk.customers.held.clear()
    found = find(context, Reference(name="ACME"), ahead)
    assert found is not None
    assert found.id == acme
    assert find(context, Reference(name="Bolt"), ahead) is None


def test_what_was_not_read_ahead_is_read(desk: Desk) -> None:
    desk.upsert(name="Acme")
    assert find(desk.context(), Reference(name="Acme"), Known()) is not None


def test_what_was_read_ahead_serves_the_first_try_only(desk: Desk) -> None:
    """It may be old: the commit's conditions refuse it, and the next try reads for itself."""
    acme = desk.upsert(name="Acme", mrr=1)["id"]
    old = desk.stored(acme)
    ahead = Known(frozenset({("name", "acme")}), {("name", "acme"): acme}, {acme: old})
    desk.upsert(name="Acme", mrr=2)
    answer = upsert_account(desk.context(), {"name": "Acme", "logins": 3}, ahead)
    assert (answer["data"]["mrr"], answer["data"]["version"]) == (2, 3)
    assert desk.pauses == [0]


def test_a_name_read_ahead_as_free_may_be_taken_by_then(desk: Desk) -> None:
    ahead = Known(frozenset({("name", "acme")}))
    acme = desk.upsert(name="Acme")["id"]
    answer = upsert_account(desk.context(), {"name": "Acme", "logins": 3}, ahead)
    assert (answer["created"], answer["data"]["id"]) == (False, acme)


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_name_whose_holder_can_no_more_be_restored_gives_way(desk: Desk, dry_run: bool) -> None:
    acme, bolt = desk.upsert(name="Acme")["id"], desk.upsert(name="Bolt")["id"]
    delete_customer(desk.context(), {"id": acme})
    data = {"id": bolt, "name": "Acme", "dry_run": dry_run}
    with pytest.raises(DuplicateNameError):
        upsert_account(desk.context(), data)
    desk.now += timedelta(days=30)
    assert upsert_account(desk.context(), data)["data"]["name"] == "Acme"
    assert (desk.stored(acme) is None) is not dry_run
