"""What a pipe lets through, and what it reads out of a record."""

import json

import pytest
from local.console import LocalCloudError
from local.patterns import matcher, reader

QUEUED = '{"dynamodb": {"NewImage": {"state": {"S": ["queued"]}}}}'


def record(**image: object) -> dict[str, object]:
    return {"eventName": "MODIFY", "dynamodb": {"NewImage": image, "Keys": {"PK": {"S": "T#a"}}}}


def test_a_record_passes_if_its_field_equals_the_string() -> None:
    assert matcher(QUEUED)(record(state={"S": "queued"}, more={"N": "1"}))


@pytest.mark.parametrize(
    "other",
    [
        record(state={"S": "done"}),
        record(state={"S": "queued "}),
        record(state={"N": "queued"}),
        record(state={"M": {"S": {"S": "queued"}}}),
        record(),
        {"eventName": "REMOVE", "dynamodb": {"OldImage": {"state": {"S": "queued"}}}},
        {"dynamodb": None},
        {},
    ],
)
def test_any_other_record_does_not_pass(other: object) -> None:
    assert not matcher(QUEUED)(other)


def test_one_of_several_strings_is_enough_but_every_field_must_match() -> None:
    matches = matcher('{"dynamodb": {"NewImage": {"a": {"S": ["1", "2"]}, "b": {"S": ["3"]}}}}')
    assert matches(record(a={"S": "2"}, b={"S": "3"}))
    assert not matches(record(a={"S": "2"}, b={"S": "4"}))
    assert not matches(record(a={"S": "2"}))


@pytest.mark.parametrize(
    ("key", "passes"),
    [("C#1", True), ("C#", True), ("MODEL#1", True), ("XC#1", False), ("C", False)],
)
def test_a_field_passes_that_begins_with_one_of_the_prefixes(key: str, passes: object) -> None:
    matches = matcher(
        '{"dynamodb": {"Keys": {"SK": {"S": [{"prefix": "C#"}, {"prefix": "MODEL#"}]}}}}'
    )
    assert matches({"dynamodb": {"Keys": {"SK": {"S": key}}}}) is passes
    assert not matches({"dynamodb": {"Keys": {"SK": {"N": key}}}})
    assert not matches({"dynamodb": {"Keys": {"SK": {"S": 1}}}})


@pytest.mark.parametrize(
    ("image", "passes"),
    [
        ({"state": {"S": "queued"}}, True),
        ({"state": {"S": "queued"}, "queue": {"S": "reports"}}, False),
        ({"state": {"S": "queued"}, "queue": {"N": "1"}}, True),
        ({"state": {"S": "done"}}, False),
        ({}, False),
    ],
)
def test_a_field_may_be_asked_not_to_be_there(image: dict[str, object], passes: object) -> None:
    matches = matcher(
        '{"dynamodb": {"NewImage":'
        ' {"state": {"S": ["queued"]}, "queue": {"S": [{"exists": false}]}}}}'
    )
    assert matches(record(**image)) is passes
    assert not matches({"dynamodb": {"Keys": {}}}), "the other field has to be there"


def test_only_a_leaf_exists_and_what_holds_others_never_does() -> None:
    matches = matcher('{"dynamodb": {"NewImage": {"queue": [{"exists": false}]}}}')
    assert matches(record(queue={"S": "reports"})), "as in AWS, where it is the leaf that counts"
    assert matches({}), "nothing is asked but that there is nothing"


def test_an_array_passes_if_one_of_its_elements_does() -> None:
    matches = matcher('{"dynamodb": {"NewImage": {"tags": {"SS": ["x"]}}}}')
    assert matches(record(tags={"SS": ["w", "x"]}))
    assert not matches(record(tags={"SS": ["w"]}))


@pytest.mark.parametrize(
    "rule",
    [
        {"a": [{"prefix": 1}]},
        {"a": [{"prefix": "q", "suffix": "r"}]},
        {"a": [{"exists": True}]},
        {"a": [{"exists": False, "prefix": "x"}]},
        {"a": ["x", {"anything-but": "y"}]},
        {"a": [1]},
        {"a": [None]},
        {"a": []},
        {"a": {}},
        {"a": "queued"},
        {"b": {"a": "queued"}},
        {"$or": [{"a": ["x"]}]},
        ["x"],
    ],
)
def test_what_else_a_pattern_can_say_is_refused_at_once(rule: object) -> None:
    with pytest.raises(
        LocalCloudError, match="patterns of exact strings, prefixes and absence alone"
    ):
        matcher(json.dumps(rule))


def test_a_pattern_that_is_no_json_is_refused() -> None:
    with pytest.raises(LocalCloudError, match="not JSON"):
        matcher("{")


def test_a_path_reads_a_value_and_any_other_text_is_itself() -> None:
    assert reader("$.dynamodb.Keys.PK.S")(record()) == "T#a"
    assert reader("everybody")(record()) == "everybody"


def test_a_path_that_leads_nowhere_is_named() -> None:
    with pytest.raises(LocalCloudError, match=r"nothing at \$\.dynamodb\.Keys\.SK\.S"):
        reader("$.dynamodb.Keys.SK.S")(record())


@pytest.mark.parametrize("path", ["$", "$.a[0]", "$..a", "$.a.*", "$['a']", "$.a "])
def test_a_path_of_another_kind_is_refused_at_once(path: str) -> None:
    with pytest.raises(LocalCloudError, match="cannot follow the path"):
        reader(path)
