"""The merge: only what was sent is touched, custom fields deep, tags, amounts."""

from dataclasses import fields as attributes
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import NOW, a_customer, a_moment
from tests.unit.strategies import json_values, patches

from vitals.domain.customer import Customer
from vitals.domain.errors import ValidationError
from vitals.domain.patch import Patch, merge_patch, merged


def after(customer: Customer, **fields: Any) -> Customer:
    return merged(customer, Patch(fields=fields), a_moment())


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        # Appendix A of RFC 7396, its examples over objects.
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({"a": [1, 2]}, {"a": {"a": "b", "c": None}}, {"a": {"a": "b"}}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_custom_fields_merge_as_the_rfc_says(
    target: dict[str, Any], patch: dict[str, Any], result: dict[str, Any]
) -> None:
    assert merge_patch(target, patch) == result


@given(
    st.dictionaries(st.sampled_from("abc"), json_values),
    st.dictionaries(st.sampled_from("abc"), json_values),
)
@settings(max_examples=100)
def test_a_merge_leaves_its_arguments_alone_and_says_the_same_twice(
    target: dict[str, Any], patch: dict[str, Any]
) -> None:
    kept = repr((target, patch))
    once = merge_patch(target, patch)
    assert merge_patch(once, patch) == once
    assert repr((target, patch)) == kept


@given(patches(NOW))
@settings(max_examples=100)
def test_what_was_not_sent_is_not_touched(patch: Patch) -> None:
    before = a_customer(
        mrr=10,
        arr=120,
        revenue_basis="mrr",
        tier="smb",
        manager="Sarah",
        note="n",
        signals={"nps": 9},
    )
    now = merged(before, patch, a_moment())
    follows = {
        "mrr": {"arr", "revenue_basis"},
        "arr": {"mrr", "revenue_basis"},
        "lifecycle": {"lifecycle_auto", "churned_on"},
    }
    may = set(patch.fields) | set().union(*(follows.get(name, set()) for name in patch.fields))
    may |= {"tags", "custom_fields", "override", "received", "signals"}
    for attribute in attributes(Customer):
        if attribute.name not in may:
            assert getattr(now, attribute.name) == getattr(before, attribute.name)
    for name in {"nps", *patch.signals}:
        assert now.signals.get(name) == patch.signals.get(name, before.signals.get(name))
    if patch.custom_fields is None:
        assert now.custom_fields == before.custom_fields


def test_null_clears_a_signal_and_says_that_it_was_heard_of() -> None:
    patch = Patch(signals={"nps": None}, given=frozenset({"nps"}))
    now = merged(a_customer(signals={"nps": 9, "logins": 3}), patch, a_moment())
    assert now.signals == {"logins": 3}
    assert (now.received["nps"].at, now.received["nps"].source) == (NOW, "CRM sync")


@pytest.mark.parametrize(
    ("stored", "sent", "kept"),
    [
        # (mrr, arr, basis), what is sent, (mrr, arr, basis)
        ((None, None, None), {"mrr": 5000}, (5000, 60_000, "mrr")),
        ((None, None, None), {"arr": 60_000}, (5000, 60_000, "arr")),
        ((None, None, None), {"arr": 100}, (Decimal("8.33"), 100, "arr")),
        ((None, None, None), {"arr": Decimal("0.06")}, (Decimal("0.01"), Decimal("0.06"), "arr")),
        ((None, None, None), {"arr": Decimal("0.05")}, (0, Decimal("0.05"), "arr")),
        ((None, None, None), {"mrr": Decimal("8.33")}, (Decimal("8.33"), Decimal("99.96"), "mrr")),
        ((None, None, None), {"mrr": 0}, (0, 0, "mrr")),
        ((None, None, None), {"mrr": 10, "arr": 500}, (10, 500, "both")),
        ((None, None, None), {"mrr": None}, (None, None, None)),
        # A later write of one derives the other anew.
        ((5000, 60_000, "mrr"), {"arr": 120_000}, (10_000, 120_000, "arr")),
        ((10, 500, "both"), {"mrr": 20}, (20, 240, "mrr")),
        ((10, 500, "both"), {"arr": 600}, (50, 600, "arr")),
        # The same value again changes nothing, whatever it was derived from.
        ((Decimal("8.33"), 100, "arr"), {"mrr": Decimal("8.33")}, (Decimal("8.33"), 100, "arr")),
        ((Decimal("8.33"), 100, "arr"), {"arr": 100}, (Decimal("8.33"), 100, "arr")),
        ((10, 500, "both"), {"mrr": 10}, (10, 500, "both")),
        ((10, 500, "both"), {"mrr": 10, "arr": 500}, (10, 500, "both")),
        # Null clears what was sent, and what was derived from it.
        ((5000, 60_000, "mrr"), {"mrr": None}, (None, None, None)),
        ((5000, 60_000, "mrr"), {"arr": None}, (None, None, None)),
        ((10, 500, "both"), {"mrr": None}, (None, 500, "arr")),
        ((10, 500, "both"), {"arr": None}, (10, None, "mrr")),
        ((10, 500, "both"), {"mrr": None, "arr": None}, (None, None, None)),
        ((10, 500, "both"), {"mrr": 20, "arr": None}, (20, 240, "mrr")),
        ((10, 500, "both"), {"mrr": None, "arr": 240}, (20, 240, "arr")),
        ((10, 500, "both"), {}, (10, 500, "both")),
    ],
)  # fmt: skip
def test_mrr_and_arr(stored: tuple[Any, ...], sent: dict[str, Any], kept: tuple[Any, ...]) -> None:
    mrr, arr, basis = stored
    now = after(a_customer(mrr=mrr, arr=arr, revenue_basis=basis), **sent)
    assert (now.mrr, now.arr, now.revenue_basis) == kept
    again = after(now, **sent)
    assert (again.mrr, again.arr, again.revenue_basis) == kept


def tagged(customer: Customer, **patch: Any) -> tuple[str, ...]:
    return merged(customer, Patch(**patch), a_moment()).tags


def test_tags_replace_and_deltas_change_them() -> None:
    customer = a_customer(tags=("vip", "beta"))
    assert tagged(customer) == ("vip", "beta")
    assert tagged(customer, fields={"tags": ("new",)}) == ("new",)
    assert tagged(customer, fields={"tags": None}) == ()
    assert tagged(customer, fields={"tags": ()}) == ()
    assert tagged(customer, add_tags=("new",)) == ("vip", "beta", "new")
    assert tagged(customer, remove_tags=("beta",)) == ("vip",)
    assert tagged(customer, fields={"tags": ("a", "b")}, add_tags=("c",), remove_tags=("a",)) == (
        "b",
        "c",
    )


def test_tags_are_one_whatever_their_case_and_the_first_spelling_stays() -> None:
    customer = a_customer(tags=("VIP", "Straße"))
    assert tagged(customer, add_tags=("vip", "STRASSE")) == ("VIP", "Straße")
    assert tagged(customer, remove_tags=("Vip", "strasse")) == ()


def test_tags_added_one_by_one_are_no_more_than_fifty_either() -> None:
    full = a_customer(tags=tuple(f"tag {number}" for number in range(50)))
    assert len(tagged(full, add_tags=("TAG 7",))) == 50
    assert len(tagged(full, add_tags=("new",), remove_tags=("tag 7",))) == 50
    with pytest.raises(ValidationError) as refused:
        tagged(full, add_tags=("new",))
    assert [(error.field, error.code) for error in refused.value.errors] == [
        ("add_tags", "too_long")
    ]


def test_a_lifecycle_that_was_sent_is_set_by_hand_and_null_is_where_it_starts() -> None:
    automatic = a_customer(lifecycle="atrisk", lifecycle_auto=True)
    by_hand = after(automatic, lifecycle="atrisk")
    assert (by_hand.lifecycle, by_hand.lifecycle_auto) == ("atrisk", False)
    cleared = after(automatic, lifecycle=None)
    assert (cleared.lifecycle, cleared.lifecycle_auto) == ("active", False)
