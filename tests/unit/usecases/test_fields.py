"""How single values are read: words, lists, texts, flags, dates and objects."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from vitals.domain.model import LIFECYCLES, STATUSES, TIERS
from vitals.usecases import fields
from vitals.usecases.fields import bounded, split, whole, word, words


def accepted(kind: Any, raw: Any) -> Any:
    return TypeAdapter(kind).validate_python(raw)


def code(kind: Any, raw: Any) -> str:
    """Return the code with which *raw* is refused."""
    with pytest.raises(ValidationError) as refused:
        accepted(kind, raw)
    [error] = refused.value.errors()
    return error["type"]


@pytest.mark.parametrize(
    ("allowed", "raw", "meant"),
    [
        (LIFECYCLES, "atrisk", "atrisk"),
        (LIFECYCLES, "At Risk", "atrisk"),
        (LIFECYCLES, "at_risk", "atrisk"),
        (LIFECYCLES, "AT-RISK", "atrisk"),
        (LIFECYCLES, "Won/Upsold", "won"),
        (LIFECYCLES, "upsold", "won"),
        (LIFECYCLES, " Onboarding ", "onboarding"),
        (TIERS, "Mid-Market", "mid"),
        (TIERS, "mid market", "mid"),
        (TIERS, "MID", "mid"),
        (TIERS, "Small Business", "smb"),
        (TIERS, "SMB", "smb"),
        (TIERS, "ent", "enterprise"),
        (STATUSES, "At Risk", "at_risk"),
        (STATUSES, "atrisk", "at_risk"),
        (STATUSES, "Unscored", "unscored"),
        (("none", "mild", "strong"), "Strong", "strong"),
        # Words that only a sign tells apart are told apart.
        (("A+", "A", "A-"), "A-", "A-"),
        (("A+", "A", "A-"), "A+", "A+"),
        (("A+", "A", "A-"), " A ", "A"),
    ],
)
def test_a_word_is_taken_in_every_spelling(allowed: Any, raw: str, meant: str) -> None:
    assert word(raw, allowed) == meant


@pytest.mark.parametrize("raw", ["", "??", "huge", 5, True, None, ["mid"]])
def test_a_word_that_is_none_of_them_is_refused_with_the_list(raw: object) -> None:
    with pytest.raises(PydanticCustomError, match="enterprise, mid, smb") as refused:
        word(raw, TIERS)
    assert refused.value.type == "unknown_value"


def test_several_words_are_a_list_or_a_text_with_commas() -> None:
    assert words("critical, At Risk", STATUSES) == {"critical", "at_risk"}
    assert words(["critical", "critical"], STATUSES) == {"critical"}
    assert words(",", STATUSES) == frozenset()
    assert split(" a, ,b ") == split(["a", " ", "b"]) == ["a", "b"]


@pytest.mark.parametrize("raw", [5, None, {"a": 1}, ["a", 5], [["a"]]])
def test_a_list_of_something_else_is_refused(raw: object) -> None:
    with pytest.raises(PydanticCustomError, match="list of strings"):
        split(raw)


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ("vip, beta", ("vip", "beta")),
        (["vip", "beta"], ("vip", "beta")),
        ("VIP, beta, vip", ("VIP", "beta")),
        ([" Straße ", "STRASSE"], ("Straße",)),
        ("a|b", ("a|b",)),
        ([], ()),
        (",".join(f"t{n}" for n in range(50)), tuple(f"t{n}" for n in range(50))),
        ("ß" * 100, ("ß" * 100,)),
    ],
)
def test_tags_keep_their_order_and_first_spelling(raw: Any, read: tuple[str, ...]) -> None:
    assert accepted(fields.Tags, raw) == read


def test_too_many_or_too_long_tags_are_refused() -> None:
    assert code(fields.Tags, [f"t{n}" for n in range(51)]) == "too_long"
    assert code(fields.Tags, ["x" * 101]) == "too_long"
    assert code(fields.Tags, 5) == "must_be_strings"


def test_texts_are_trimmed_and_bounded_and_a_number_is_its_digits() -> None:
    assert accepted(fields.Name, "  Acme Corp ") == "Acme Corp"
    assert accepted(fields.Name, 42) == "42"
    assert accepted(fields.Name, Decimal("3.50")) == "3.50"
    assert accepted(fields.Name, "x" * 200) == "x" * 200
    assert code(fields.Name, "x" * 201) == "too_long"
    assert code(fields.Name, "   ") == "required"
    others: list[Any] = [True, None, [], {}]
    assert [code(fields.Name, raw) for raw in others] == ["must_be_string"] * 4


def test_what_cannot_be_seen_is_no_text() -> None:
    assert accepted(fields.Note, "one\ntwo\tthree\r\n") == "one\ntwo\tthree"
    assert code(fields.Note, "a\x00b") == "must_be_text"
    assert code(fields.Note, "a\x1b[31mb") == "must_be_text"
    assert code(fields.Name, "\u200b\u200d") == "required"


@pytest.mark.parametrize(
    ("raw", "code_"),
    [
        (-1, "must_be_non_negative"),
        ("-0.01", "must_be_non_negative"),
        (10**13 + 1, "out_of_range"),
        (10**16, "must_be_number"),
        ("abc", "must_be_number"),
        (True, "must_be_number"),
        (None, "must_be_number"),
        ("1,000", "must_be_number"),
        (Decimal("NaN"), "must_be_number"),
        (float("inf"), "must_be_number"),
    ],
)
def test_amounts_that_are_refused(raw: object, code_: str) -> None:
    assert code(fields.Amount, raw) == code_


def test_zero_is_an_amount_and_so_is_a_text_of_one() -> None:
    assert accepted(fields.Amount, 0) == 0
    assert accepted(fields.Amount, " 4999.90 ") == Decimal("4999.9")
    assert accepted(fields.Amount, 10**13) == 10**13


def test_what_is_out_of_range_is_refused_and_never_clamped() -> None:
    assert code(fields.Percent, 101) == "out_of_range"
    assert code(fields.Percent, -1) == "out_of_range"
    assert accepted(fields.Percent, "100") == 100
    with pytest.raises(PydanticCustomError, match="at least 1, is 0"):
        bounded(0, 1, None)


def test_whole_numbers() -> None:
    kind = Annotated[int, whole(1, 500)]
    assert accepted(kind, "500") == 500
    assert accepted(kind, 5.0) == 5
    assert code(kind, "2.5") == "must_be_whole"
    assert code(kind, 501) == "out_of_range"
    assert code(kind, 0) == "out_of_range"


@pytest.mark.parametrize(
    ("raw", "flag"),
    [
        *[(raw, True) for raw in (True, "true", " YES ", 1, "1")],
        *[(raw, False) for raw in (False, "False", "no", 0, "0")],
    ],
)
def test_flags(raw: object, flag: bool) -> None:
    assert accepted(fields.Flag, raw) is flag


@pytest.mark.parametrize("raw", ["maybe", 2, None, "on", [], {}])
def test_what_is_no_flag_is_refused(raw: object) -> None:
    assert code(fields.Flag, raw) == "must_be_boolean"


def test_dates_and_instants() -> None:
    assert accepted(fields.Day, "2026-03-01T10:00:00Z") == date(2026, 3, 1)
    assert accepted(fields.Instant, "2026-03-01") == datetime(2026, 3, 1, tzinfo=UTC)
    assert [code(fields.Day, raw) for raw in ("03/04/2026", 20260301, None, True)] == [
        "must_be_date"
    ] * 4
    assert [code(fields.Instant, raw) for raw in ("soon", 1772323200, None)] == [
        "must_be_instant"
    ] * 3


def nested(depth: int) -> dict[str, Any]:
    return {"a": nested(depth - 1)} if depth > 1 else {"a": 1}


def listed(depth: int) -> dict[str, Any]:
    value: Any = []
    for _ in range(depth - 2):
        value = [value]
    return {"a": value}


def test_custom_fields_nest_five_deep_and_no_deeper() -> None:
    assert accepted(fields.Custom, nested(5)) == nested(5)
    assert accepted(fields.Custom, listed(5)) == listed(5)
    assert code(fields.Custom, nested(6)) == "too_deep"
    assert code(fields.Custom, listed(6)) == "too_deep"
    assert code(fields.Custom, nested(400)) == "too_deep"


def test_custom_fields_hold_two_hundred_values_and_no_more() -> None:
    assert len(accepted(fields.Custom, {str(n): n for n in range(200)})) == 200
    assert code(fields.Custom, {str(n): n for n in range(201)}) == "too_large"
    assert code(fields.Custom, {"rows": list(range(201))}) == "too_large"


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ({"a": Decimal("1.50")}, {"a": Decimal("1.5")}),
        ({"a": Decimal("2.0")}, {"a": 2}),
        ({"a": [True, None, "x", 0.1]}, {"a": [True, None, "x", Decimal("0.1")]}),
        ({"a": {"b": None}}, {"a": {"b": None}}),
        ({}, {}),
    ],
)
def test_custom_fields_hold_json_and_its_numbers_are_exact(
    raw: Mapping[str, Any], read: Mapping[str, Any]
) -> None:
    found = accepted(fields.Custom, raw)
    assert repr(found) == repr(read)


def test_numbers_that_no_client_could_read_back_are_refused_in_custom_fields() -> None:
    for huge in (2**53 + 1, Decimal("1e99"), Decimal("1e999999999")):
        assert code(fields.Custom, {"a": [huge]}) == "out_of_range"
    assert accepted(fields.Custom, {"phone": 4915112345678901}) == {"phone": 4915112345678901}


@pytest.mark.parametrize("raw", [[], "text", 5, None, True])
def test_custom_fields_are_an_object(raw: object) -> None:
    assert code(fields.Custom, raw) == "must_be_object"


def test_filters_of_names_are_folded() -> None:
    assert accepted(fields.Folded, "Sarah, JÖRG") == {"sarah", "jörg"}
