"""What the resource API and imports ask of upsert_account beside what a caller sends."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.builders import NOW, a_model
from tests.unit.usecases.desk import Desk

from vitals.domain.errors import CustomerNotFoundError, InTrashError, ValidationError
from vitals.usecases.delete_customer import delete_customer
from vitals.usecases.upsert_account import Terms, upsert_account

STRICT = Terms(must_exist=True, trash_is_gone=True, renewal_ahead=True)
AHEAD = Terms(renewal_ahead=True)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def refused(desk: Desk, terms: Terms, **data: Any) -> dict[str, str]:
    """Return the fields that were refused, each with its code."""
    with pytest.raises(ValidationError) as caught:
        upsert_account(desk.context(), data, terms=terms)
    return {each.field: each.code for each in caught.value.errors}


@pytest.mark.parametrize("data", [{"name": "Acme"}, {"id": "nobody"}, {"external_id": "x"}])
def test_what_must_exist_is_not_created(desk: Desk, data: dict[str, str]) -> None:
    with pytest.raises(CustomerNotFoundError):
        upsert_account(desk.context(), data, terms=STRICT)
    assert desk.customers.commits == 0
    assert refused(desk, STRICT, mrr=1) == {"id": "required"}


def test_what_is_in_the_trash_is_not_there(desk: Desk) -> None:
    acme = desk.upsert(name="Acme")["id"]
    delete_customer(desk.context(), {"id": acme})
    for data in ({"id": acme, "mrr": 1}, {"id": acme, "on_deleted": "restore"}):
        with pytest.raises(CustomerNotFoundError):
            upsert_account(desk.context(), data, terms=STRICT)
    with pytest.raises(InTrashError):
        upsert_account(desk.context(), {"id": acme}, terms=Terms(must_exist=True))


def test_a_renewal_is_not_moved_into_the_past(desk: Desk) -> None:
    """AMB-37."""
    past = {"renewal_date": "in_the_past"}
    assert refused(desk, AHEAD, name="Acme", renewal_date="2026-03-01") == past
    acme = desk.upsert(name="Acme", renewal_date="2026-03-05")["id"]
    assert refused(desk, AHEAD, id=acme, renewal_date="2026-03-01", dry_run=True) == past
    for day in ("2026-03-02", "2026-03-03", None):
        answer = upsert_account(desk.context(), {"id": acme, "renewal_date": day}, terms=AHEAD)
        assert answer["data"]["renewal_date"] == day


def test_a_renewal_that_is_over_already_may_be_sent_again(desk: Desk) -> None:
    """AMB-37: a nightly sync must not fail the day after."""
    acme = desk.upsert(name="Acme", renewal_date="2026-03-01")["id"]
    same = {"id": acme, "renewal_date": "2026-03-01", "mrr": 5}
    assert upsert_account(desk.context(), same, terms=AHEAD)["data"]["mrr"] == 5
    assert upsert_account(desk.context(), {"id": acme, "mrr": 6}, terms=AHEAD)["data"]["mrr"] == 6
    assert refused(desk, AHEAD, id=acme, renewal_date="2026-02-28") == {
        "renewal_date": "in_the_past"
    }
    assert desk.upsert(id=acme, renewal_date="2026-02-28")["renewal_overdue"]


def test_the_past_is_the_tenants(desk: Desk) -> None:
    desk.now = datetime(2026, 3, 3, 5, 0, tzinfo=UTC)
    data = {"name": "Acme", "renewal_date": "2026-03-02"}
    assert refused(desk, AHEAD, **data) == {"renewal_date": "in_the_past"}
    away = desk.context(model_of=lambda version: a_model(version, time_zone="Pacific/Honolulu"))
    assert upsert_account(away, data, terms=AHEAD)["created"]


def test_a_change_bears_the_action_and_the_cause_of_its_terms(desk: Desk) -> None:
    acme = upsert_account(
        desk.context(), {"name": "Acme"}, terms=Terms(action="import_customers", cause="import")
    )["data"]["id"]
    [change] = desk.customers.history(desk.context().tenant, acme)
    assert (change.action, change.cause, change.at > NOW) == ("import_customers", "import", True)


def test_a_stage_that_stays_is_not_moved(desk: Desk) -> None:
    """AMB-32."""
    terms = Terms(stays_in=("won", "active"))
    won = desk.upsert(name="Acme", lifecycle="won")["id"]
    trial = desk.upsert(name="Bolt", lifecycle="trial")["id"]
    found = [
        upsert_account(desk.context(), {"id": each, "lifecycle": "active"}, terms=terms)["data"]
        for each in (won, trial)
    ]
    assert [each["lifecycle"] for each in found] == ["won", "active"]
