"""Reading parameters: aliases, blanks, templates, unknown fields, all errors at once."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import pytest

from vitals.domain.errors import ValidationError
from vitals.usecases.fields import Day, Flag, Name, Percent, whole
from vitals.usecases.inputs import Input, read


class Asked(Input):
    aliases: ClassVar[Mapping[str, str]] = {"customer_since": "since"}

    name: Name
    since: Day | None = None
    limit: Annotated[int, whole(1, 9)] = 5
    share: Percent | None = None
    loud: Flag = False


def refused(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the field and code of every error."""
    with pytest.raises(ValidationError) as error:
        read(Asked, given)
    return [(each.field, each.code) for each in error.value.errors]


def test_what_was_sent_is_told_from_what_was_not() -> None:
    parsed, warnings, rest = read(Asked, {"name": "Acme", "share": None})
    assert parsed.model_fields_set == {"name", "share"}
    assert (parsed.limit, parsed.loud, warnings, rest) == (5, False, [], {})


def test_a_blank_string_is_a_field_not_given() -> None:
    parsed, warnings, _ = read(Asked, {"name": "Acme", "since": "", "limit": "  ", "loud": "\t"})
    assert parsed.model_fields_set == {"name"}
    assert warnings == []
    assert refused({"name": " "}) == [("name", "required")]


def test_null_is_given_where_it_means_something() -> None:
    assert refused({"name": None, "limit": None}) == [
        ("name", "must_be_string"),
        ("limit", "must_be_number"),
    ]


def test_an_alias_is_the_field_and_two_that_disagree_are_refused() -> None:
    parsed, _, _ = read(Asked, {"name": "Acme", "customer_since": "2026-03-01"})
    assert str(parsed.since) == "2026-03-01"
    same = {"name": "Acme", "since": "2026-03-01", "customer_since": "2026-03-01"}
    read(Asked, same)
    assert refused({**same, "customer_since": "2026-03-02"}) == [
        ("customer_since", "conflicting_fields")
    ]


def test_a_template_that_was_not_filled_in_counts_as_absent_with_a_warning() -> None:
    parsed, warnings, _ = read(Asked, {"name": "Acme", "since": "{{last_poll}}"})
    assert parsed.since is None
    assert [(each["code"], each["field"]) for each in warnings] == [
        ("unrendered_template", "since")
    ]


@pytest.mark.parametrize(
    ("field", "meant"),
    [("Name", "name"), ("nmae", "name"), ("sinc", "since"), ("shares", "share"), ("xyzzy", None)],
)
def test_an_unknown_field_is_accepted_with_a_hint(field: str, meant: str | None) -> None:
    _, warnings, rest = read(Asked, {"name": "Acme", field: 1})
    [warning] = warnings
    assert (warning["code"], warning["field"], warning["did_you_mean"]) == (
        "unknown_field",
        field,
        meant,
    )
    assert rest == {}


def test_strict_refuses_what_is_unknown() -> None:
    assert refused({"name": "Acme", "strict": "true", "nmae": 1, "x": 2}) == [
        ("nmae", "unknown_field"),
        ("x", "unknown_field"),
    ]
    read(Asked, {"name": "Acme", "strict": True, "customer_since": "2026-03-01"})


def test_every_failing_field_is_named_at_once() -> None:
    errors = refused({"since": "soon", "limit": 99, "share": "abc", "loud": "perhaps"})
    assert sorted(errors) == [
        ("limit", "out_of_range"),
        ("loud", "must_be_boolean"),
        ("name", "required"),
        ("share", "must_be_number"),
        ("since", "must_be_date"),
    ]


def test_the_detail_names_the_first_and_counts_the_others() -> None:
    with pytest.raises(ValidationError, match=r"since: must be a date.*\(and 1 more, see errors\)"):
        read(Asked, {"name": "Acme", "since": "soon", "limit": 99})


def test_what_is_read_elsewhere_is_handed_on_as_it_came() -> None:
    given = {"name": "Acme", "value": {"a": [1]}, "other": ""}
    _, warnings, rest = read(Asked, given, also=("value", "other", "absent"))
    assert rest == {"value": {"a": [1]}}
    assert warnings == []
