"""What the table is asked, in the words of DynamoDB's own reference."""

from datetime import UTC, datetime

from vitals.storage import words
from vitals.storage.table import Item

AT = datetime(2026, 3, 2, 12, 0, 0, 900_000, tzinfo=UTC)


def test_an_item_expires_at_a_whole_second_and_bears_nothing_empty() -> None:
    item = Item("here", "there", row="{}", doc=None, version=3, expires_at=AT)
    assert words.put(item, None) == {
        "Item": {
            "PK": {"S": "here"},
            "SK": {"S": "there"},
            "row": {"S": "{}"},
            "version": {"N": "3"},
            "expires_at": {"N": "1772452800"},
        }
    }


def test_a_condition_names_its_attribute_and_its_value() -> None:
    guarded = words.delete(Item("here", "there"), Item.version == 3)
    assert guarded == {
        "Key": words.key("here", "there"),
        "ConditionExpression": "#0 = :0",
        "ExpressionAttributeNames": {"#0": "version"},
        "ExpressionAttributeValues": {":0": {"N": "3"}},
    }


def test_a_condition_without_a_value_names_none() -> None:
    guarded = words.put(Item("here", "there"), Item.PK.does_not_exist())
    assert guarded["ConditionExpression"] == "attribute_not_exists (#0)"
    assert "ExpressionAttributeValues" not in guarded


def test_a_counter_grows_and_expires() -> None:
    assert words.add(Item("here", "there"), {"reads": 1, "records": 5}, AT) == {
        "Key": words.key("here", "there"),
        "UpdateExpression": "ADD #reads :reads, #records :records SET expires_at = :expires_at",
        "ExpressionAttributeNames": {"#reads": "reads", "#records": "records"},
        "ExpressionAttributeValues": {
            ":reads": {"N": "1"},
            ":records": {"N": "5"},
            ":expires_at": {"N": "1772452800"},
        },
    }
