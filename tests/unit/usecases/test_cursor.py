import base64
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.strategies import numbers

from vitals.domain.errors import InvalidCursorError
from vitals.usecases.cursor import cursor, digest, place_of
from vitals.usecases.paging import LONGEST_CURSOR

ANY: tuple[Any, ...] = (str, int, Decimal, type(None))
QUERY = digest("name", frozenset({"vip"}))


def forged(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@given(st.one_of(st.none(), st.text(max_size=200), numbers(0, 10**6, 2)), st.text(max_size=30))
@settings(max_examples=200)
def test_a_place_survives_its_cursor(value: Any, customer_id: str) -> None:
    found = place_of(cursor(QUERY, (value, customer_id)), QUERY, ANY, str)
    assert found == [value, customer_id]
    assert [type(part) for part in found] == [type(value), str]


def test_an_instant_is_in_a_cursor_as_answers_show_it() -> None:
    text = cursor(QUERY, (datetime(2026, 3, 1, 12, tzinfo=UTC),))
    assert place_of(text, QUERY, str) == ["2026-03-01T12:00:00.000Z"]


def test_a_cursor_goes_into_a_query_string_as_it_is() -> None:
    text = cursor(QUERY, ("?>~ÿþ" * 9, 7))
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_a_cursor_of_the_longest_name_is_short_enough_to_be_sent_back() -> None:
    # U+FDFA is normalised to eighteen letters; no character to more.
    name = "صلى الله عليه وسلم" * 200
    assert len(cursor(QUERY, (name, "0" * 26, "2026-03-01T12:00:00.000Z"))) <= LONGEST_CURSOR


def test_a_cursor_of_another_query_is_refused() -> None:
    text = cursor(digest("score"), (1, "id"))
    with pytest.raises(InvalidCursorError, match="another query"):
        place_of(text, QUERY, int, str)


@pytest.mark.parametrize(
    "given_",
    [
        "",
        "x",
        "no cursor",
        "ünïcode",
        "====",
        forged(""),
        forged("null"),
        forged("7"),
        forged("[]"),
        forged("{}"),
        forged('"text"'),
        forged(json.dumps([QUERY])),
        forged(json.dumps([QUERY, 1])),
        forged(json.dumps([QUERY, 1, "id", 3])),
        forged(json.dumps([QUERY, 1, "id"])),  # with spaces, as ours has none
        forged(json.dumps([QUERY, [1], "id"], separators=(",", ":"))),
        forged(json.dumps([QUERY, {}, "id"], separators=(",", ":"))),
        forged(json.dumps([QUERY, "1", 1], separators=(",", ":"))),
        forged(f'["{QUERY}",NaN,"id"]'),
        forged(f'["{QUERY}",1e999999999999999999999,"id"]'),
        forged(f'["{QUERY}","\\ud800","id"]'),
        forged("[" * 7000),
        cursor(QUERY, (1, "id")) + "A",
        cursor(QUERY, (1, "id"))[:-1],
    ],
)
def test_what_was_not_issued_is_refused(given_: str) -> None:
    with pytest.raises(InvalidCursorError, match="not issued here"):
        place_of(given_, QUERY, (int, Decimal), str)


@given(st.text(max_size=60))
@settings(max_examples=150)
def test_no_text_does_anything_else_than_be_refused(text: str) -> None:
    with pytest.raises(InvalidCursorError):
        place_of(text, QUERY, ANY, str)


def test_a_digest_tells_questions_apart_and_not_how_they_were_asked() -> None:
    asked = digest(frozenset({"a", "b"}), "name", None, datetime(2026, 3, 1, tzinfo=UTC))
    assert asked == digest(frozenset({"b", "a"}), "name", None, datetime(2026, 3, 1, tzinfo=UTC))
    assert asked != digest(frozenset({"a"}), "name", None, datetime(2026, 3, 1, tzinfo=UTC))
    assert asked != digest(frozenset({"a", "b"}), "name", None, None)
