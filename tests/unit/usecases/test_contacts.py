"""The people at a customer: kept with it, changed with it, forgotten with it (LU-040, 041)."""

from datetime import timedelta
from typing import Any

import pytest
from tests.builders import a_tenant
from tests.unit.usecases.desk import Desk

from vitals.domain.contact import MAX_CONTACTS, contact_fields
from vitals.domain.errors import (
    ContactNotFoundError,
    CustomerNotFoundError,
    DuplicateContactError,
    IdempotencyMismatchError,
    InvalidCursorError,
    TooManyError,
    ValidationError,
    VersionConflictError,
    VitalsError,
)
from vitals.usecases.contacts import (
    create_contact,
    delete_contact,
    get_contact,
    list_contacts,
    update_contact,
)
from vitals.usecases.delete_customer import delete_customer
from vitals.usecases.list_changes import get_history

MARIA = {
    "name": "Maria Lopez",
    "email": "Maria@Acme.example",
    "title": "COO",
    "is_champion": True,
    "whatsapp_number": "+14155550123",
}


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def acme(desk: Desk) -> str:
    return str(desk.upsert(name="Acme", logins=22)["id"])


def create(desk: Desk, customer_id: str, **fields: Any) -> Any:
    return create_contact(desk.context(), {"id": customer_id, **fields})["data"]


def refused(error: ValidationError) -> dict[str, str]:
    return {each.field: each.code for each in error.errors}


def test_a_contact_is_shown_as_it_was_sent(desk: Desk, acme: str) -> None:
    made = create(desk, acme, **MARIA)
    assert {name: made[name] for name in MARIA} == MARIA
    assert (made["customer_id"], made["version"]) == (acme, 2)
    assert made["created_at"] == made["updated_at"]
    found = get_contact(desk.context(), {"id": acme, "contact_id": made["id"]})["data"]
    assert found == {name: value for name, value in made.items() if name != "unchanged"}
    assert list_contacts(desk.context(), {"id": acme})["data"] == [found]


def test_a_contact_needs_a_name_and_no_more(desk: Desk, acme: str) -> None:
    made = create(desk, acme, name="Ada")
    nothing = {name: made[name] for name in MARIA if name != "name"}
    assert nothing == {"email": None, "title": None, "is_champion": False, "whatsapp_number": None}
    for fields in ({}, {"name": None}, {"name": " "}, {"email": "a@b.example"}):
        with pytest.raises(ValidationError) as caught:
            create(desk, acme, **fields)
        assert refused(caught.value) == {"name": "required"}


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", "x" * 201, "too_long"),
        ("email", "ada", "must_be_email"),
        ("email", "ada@b@c", "must_be_email"),
        ("email", "@acme.example", "must_be_email"),
        ("email", "ada@", "must_be_email"),
        ("email", "ada b@acme.example", "must_be_email"),
        ("email", "ada\n@acme.example", "must_be_email"),
        ("email", "a" * 250 + "@b.eu", "must_be_email"),
        ("title", "x" * 201, "too_long"),
        ("whatsapp_number", "14155550123", "must_be_phone_number"),
        ("whatsapp_number", "+1415555", "must_be_phone_number"),
        ("whatsapp_number", "+" + "1" * 16, "must_be_phone_number"),
        ("whatsapp_number", "+1 415 555 0123", "must_be_phone_number"),
        ("whatsapp_number", "+" + "\u0661" * 8, "must_be_phone_number"),
        ("is_champion", "perhaps", "must_be_boolean"),
    ],
)  # fmt: skip
def test_a_field_that_cannot_be_is_refused(
    desk: Desk, acme: str, field: str, value: str, code: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        create(desk, acme, **{"name": "Ada", field: value})
    assert refused(caught.value) == {field: code}


def test_the_longest_that_is_taken_is_kept(desk: Desk, acme: str) -> None:
    email = "a" * 249 + "@b.eu"
    for number in ("+12345678", "+123456789012345"):
        made = create(desk, acme, name="x" * 200, title="t" * 200, whatsapp_number=number)
        assert made["whatsapp_number"] == number
    assert create(desk, acme, name="Ada", email=email)["email"] == email


def test_an_update_touches_what_was_sent_and_null_clears(desk: Desk, acme: str) -> None:
    made = create(desk, acme, **MARIA)
    given = {"id": acme, "contact_id": made["id"], "title": "CEO", "whatsapp_number": None}
    changed = update_contact(desk.context(), given)["data"]
    expected = {**MARIA, "title": "CEO", "whatsapp_number": None}
    assert {name: changed[name] for name in MARIA} == expected
    assert changed["version"] == 3
    assert changed["created_at"] == made["created_at"] < changed["updated_at"]
    cleared = {"id": acme, "contact_id": made["id"], "email": None, "is_champion": None}
    left = update_contact(desk.context(), cleared)["data"]
    assert (left["email"], left["is_champion"], left["name"]) == (None, False, "Maria Lopez")
    with pytest.raises(ValidationError):
        update_contact(desk.context(), {**cleared, "name": None})


def test_what_a_contact_is_already_makes_no_version(desk: Desk, acme: str) -> None:
    made = create(desk, acme, **MARIA)
    answer = update_contact(desk.context(), {"id": acme, "contact_id": made["id"], **MARIA})
    assert (answer["unchanged"], answer["data"]["version"]) == (True, 2)
    assert answer["data"]["updated_at"] == made["updated_at"]
    assert desk.versions(acme) == [2, 1]


def test_a_deleted_contact_is_gone(desk: Desk, acme: str) -> None:
    made, other = create(desk, acme, **MARIA), create(desk, acme, name="Ada")
    named = {"id": acme, "contact_id": made["id"]}
    answer = delete_contact(desk.context(), named)
    assert (answer["deleted"], answer["data"]["name"]) == (True, "Maria Lopez")
    assert answer["data"]["version"] == 4
    for use_case in (get_contact, update_contact, delete_contact):
        with pytest.raises(ContactNotFoundError):
            use_case(desk.context(), named)
    [left] = list_contacts(desk.context(), {"id": acme})["data"]
    assert left["id"] == other["id"]


def test_two_contacts_of_one_customer_never_share_an_address(desk: Desk, acme: str) -> None:
    maria = create(desk, acme, **MARIA)
    ada = create(desk, acme, name="Ada", email="ada@acme.example")
    with pytest.raises(DuplicateContactError) as caught:
        create(desk, acme, name="Else", email="mARIA@acme.EXAMPLE")
    assert caught.value.extra == {"contact_id": maria["id"]}
    with pytest.raises(DuplicateContactError):
        update_contact(
            desk.context(), {"id": acme, "contact_id": ada["id"], "email": MARIA["email"]}
        )
    own = {"id": acme, "contact_id": maria["id"], "email": "maria@acme.example"}
    assert update_contact(desk.context(), own)["data"]["email"] == "maria@acme.example"
    bolt = desk.upsert(name="Bolt")["id"]
    assert create(desk, bolt, **MARIA)["email"] == MARIA["email"]


def test_a_customer_has_a_hundred_contacts_at_most(desk: Desk, acme: str) -> None:
    ids = [create(desk, acme, name=f"Person {number}")["id"] for number in range(MAX_CONTACTS)]
    with pytest.raises(TooManyError):
        create(desk, acme, name="One more")
    update_contact(desk.context(), {"id": acme, "contact_id": ids[0], "name": "Ada"})
    delete_contact(desk.context(), {"id": acme, "contact_id": ids[0]})
    create(desk, acme, name="One more")


def test_pages_go_through_all_in_the_order_of_creation(desk: Desk, acme: str) -> None:
    names = [f"Person {number}" for number in range(5)]
    for name in names:
        create(desk, acme, name=name)
    seen: list[str] = []
    asked: dict[str, Any] = {"id": acme, "limit": 2}
    while True:
        page = list_contacts(desk.context(), asked)
        seen += [each["name"] for each in page["data"]]
        assert page["has_more"] == (page["next_cursor"] is not None)
        if page["next_cursor"] is None:
            break
        asked["cursor"] = page["next_cursor"]
    assert seen == names
    bolt = desk.upsert(name="Bolt")["id"]
    with pytest.raises(InvalidCursorError):
        list_contacts(desk.context(), {**asked, "id": bolt})


USE_CASES = [list_contacts, get_contact, create_contact, update_contact, delete_contact]


@pytest.mark.parametrize("use_case", USE_CASES)
def test_an_unknown_customer_and_one_in_the_trash_have_no_contacts(
    desk: Desk, acme: str, use_case: Any
) -> None:
    made = create(desk, acme, **MARIA)
    delete_customer(desk.context(), {"id": acme})
    for customer_id in (acme, "nobody"):
        given = {"id": customer_id, "name": "Ada"} | (
            {} if use_case in (create_contact, list_contacts) else {"contact_id": made["id"]}
        )
        with pytest.raises(CustomerNotFoundError):
            use_case(desk.context(), given)


def test_contacts_move_no_score_and_are_on_record(desk: Desk, acme: str) -> None:
    before = desk.stored(acme)
    made = create(desk, acme, **MARIA)
    named = {"id": acme, "contact_id": made["id"]}
    update_contact(desk.context(), {**named, "title": "CEO"})
    delete_contact(desk.context(), named)
    after = desk.stored(acme)
    assert (after.score, after.status, after.score_changed_at) == (
        before.score, before.status, before.score_changed_at)  # fmt: skip
    assert (after.lifecycle, after.signals) == (before.lifecycle, before.signals)
    path = f"contacts.{made['id']}"
    deleted, updated, created, _ = get_history(desk.context(), {"id": acme})["data"]
    assert [each["action"] for each in (created, updated, deleted)] == [
        "create_contact", "update_contact", "delete_contact"]  # fmt: skip
    assert [each["changed"] for each in (created, updated, deleted)] == [[path]] * 3
    assert created["old"][path] is None
    assert created["new"][path]["email"] == MARIA["email"]
    assert (updated["old"][path]["title"], updated["new"][path]["title"]) == ("COO", "CEO")
    assert deleted["new"][path] is None


def test_two_writers_of_two_contacts_lose_nothing(desk: Desk, acme: str) -> None:
    one, two = create(desk, acme, name="One"), create(desk, acme, name="Two")

    def meanwhile() -> None:
        events, desk.customers.events = desk.customers.events, []
        update_contact(desk.context(), {"id": acme, "contact_id": two["id"], "title": "CEO"})
        desk.customers.events = events

    desk.customers.events = [meanwhile]
    named = {"id": acme, "contact_id": one["id"]}
    assert update_contact(desk.context(), {**named, "title": "COO"})["data"]["version"] == 5
    titles = {each.name: each.title for each in desk.stored(acme).contacts.values()}
    assert titles == {"One": "COO", "Two": "CEO"}
    with pytest.raises(VersionConflictError):
        delete_contact(desk.context(), {**named, "if_version": 4})


def test_a_repeated_key_creates_one_contact(desk: Desk, acme: str) -> None:
    given = {"id": acme, **MARIA}
    first = create_contact(desk.context(key="k"), given)
    assert create_contact(desk.context(key="k"), given) == first
    assert len(desk.stored(acme).contacts) == 1
    with pytest.raises(IdempotencyMismatchError):
        create_contact(desk.context(key="k", fingerprint="other"), given)


def test_the_lost_answer_of_a_creation_is_found_again(desk: Desk, acme: str) -> None:
    desk.customers.lost = 1
    made = create(desk, acme, **MARIA)
    assert list(desk.stored(acme).contacts) == [made["id"]]


@pytest.mark.parametrize("use_case", [create_contact, update_contact, delete_contact])
def test_no_stored_answer_brings_a_contact_back_that_was_erased(
    desk: Desk, acme: str, use_case: Any
) -> None:
    """AMB-13."""
    made = create(desk, acme, name="Ada")
    given = {"id": acme, "contact_id": made["id"], **MARIA}
    use_case(desk.context(key="k"), given)
    delete_customer(desk.context(), {"id": acme, "hard": True})
    with pytest.raises(VitalsError) as caught:
        use_case(desk.context(key="k"), given)
    assert caught.value.code == "customer_not_found"
    left = [*desk.customers.customers[a_tenant().id], *desk.customers.changes[a_tenant().id]]
    assert "Maria" not in str(left)


def test_a_dry_run_shows_the_contact_and_keeps_nothing(desk: Desk, acme: str) -> None:
    answer = create_contact(desk.context(), {"id": acme, **MARIA, "dry_run": True})
    assert (answer["dry_run"], answer["data"]["name"]) == (True, "Maria Lopez")
    assert desk.stored(acme).contacts == {}


def test_a_restored_customer_has_its_contacts_again(desk: Desk, acme: str) -> None:
    made = create(desk, acme, **MARIA)
    before = contact_fields(desk.stored(acme).contacts[made["id"]])
    delete_customer(desk.context(), {"id": acme})
    desk.now += timedelta(days=29)
    desk.upsert(id=acme, on_deleted="restore")
    assert contact_fields(desk.stored(acme).contacts[made["id"]]) == before
