"""A document that is accepted makes a model that scores anybody; whatever else is refused."""

from __future__ import annotations

import copy
import json
from datetime import UTC, date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from tests.builders import NOW, a_customer, a_document
from tests.unit import strategies

from vitals.domain.errors import VitalsError
from vitals.domain.model_document import model_from_document
from vitals.domain.view import customer_view
from vitals.storage.codec import decode, encode
from vitals.usecases.model_rules import checked, normalised, reserved

Document = dict[str, Any]

numbers = st.one_of(
    st.integers(-5, 400), strategies.numbers(-5, 400, 5), st.sampled_from([10**15, -(10**15)])
)
junk = st.one_of(
    st.none(), st.booleans(), numbers, st.text(max_size=5), st.sampled_from(["exclude", "days"]),
    st.lists(numbers, max_size=3), st.lists(st.lists(numbers, max_size=3), max_size=3),
    st.dictionaries(st.sampled_from(["type", "zero", "neutral", "x"]), numbers, max_size=3),
    strategies.number_curves, strategies.choices,
)  # fmt: skip
values = st.dictionaries(
    st.sampled_from(strategies.BUILT_IN[:5] + strategies.BUILT_IN[6:]),
    st.one_of(strategies.numbers(-10, 400, 2), st.sampled_from(["none", "mild", "good", "x"])),
)


@st.composite
def damaged(draw: st.DrawFn) -> Document:
    """Draw the default document with other numbers in it, or junk, in up to three places."""
    document = copy.deepcopy(a_document())
    for _ in range(draw(st.integers(1, 3))):
        place: Any = document
        while True:
            names = sorted(place) if isinstance(place, dict) else range(len(place))
            key = draw(st.sampled_from(names))
            inner = place[key]
            if inner and isinstance(inner, dict | list) and draw(st.integers(0, 9)):
                place = inner
                continue
            tame = key != "weight" and isinstance(inner, int) and draw(st.integers(0, 4))
            place[key] = draw(st.integers(inner, inner + 9) if tame else junk)
            break
    return document


@settings(max_examples=200, deadline=None)
@given(damaged(), values, st.integers(0, 4000))
def test_what_is_accepted_scores_anybody(document: Document, signals: Any, days: int) -> None:
    try:
        accepted = checked(document)
    except VitalsError as error:
        event("refused")
        refused = error.errors
    else:
        event("accepted")
        _scores_anybody(accepted, signals, days)
        return
    assert refused
    assert all(error.field and error.message for error in refused)


def _scores_anybody(accepted: Document, signals: Any, days: int) -> None:
    model = model_from_document(2, decode(encode(accepted)))
    contact = date.fromordinal(NOW.date().toordinal() - days)
    customer = a_customer(signals=signals, last_contact_on=contact, mrr=100)
    shown = customer_view(customer, model, NOW, UTC, 1000)
    parts = sum((Decimal(each["contribution"]) for each in shown["contributions"]), Decimal(0))
    assert shown["score"] is None or 0 <= shown["score"] <= 100
    assert shown["score_exact"] in (None, parts)


@settings(max_examples=100, deadline=None)
@given(strategies.documents())
def test_what_is_accepted_is_stored_as_it_was_meant(document: Document) -> None:
    for name, given_signal in document["signals"].items():
        given_signal["weight"] = 100 if name == "days" else 0
    document["profiles"] = {}
    accepted = checked(document)
    assert decode(encode(accepted)) == accepted
    assert checked(accepted) == accepted
    meant, kept = model_from_document(1, document), model_from_document(1, accepted)
    assert (meant.signals, meant.bands, meant.missing) == (kept.signals, kept.bands, kept.missing)


@given(st.dictionaries(st.sampled_from("abcdef"), strategies.numbers(0, 60, 4), min_size=1))
def test_weights_are_scaled_to_a_hundred_exactly_and_in_proportion(weights: Any) -> None:
    total = sum(map(Fraction, weights.values()))
    if not total:
        with pytest.raises(VitalsError):
            normalised(weights)
        return
    scaled = normalised(weights)
    assert sum(map(Fraction, scaled.values())) == 100
    for name, weight in weights.items():
        assert abs(Fraction(scaled[name]) - Fraction(weight) * 100 / total) < Fraction(1, 10_000)


def test_the_default_model_is_one_that_could_be_saved() -> None:
    assert json.loads(encode(checked(a_document())))["signals"].keys() == set(strategies.BUILT_IN)


def test_no_signal_may_be_called_what_customers_and_requests_call_something_else() -> None:
    assert {"id", "score", "mrr", "status", "strict", "customer_since", "dry_run", "value"} <= (
        reserved()
    )
    assert not reserved() & set(strategies.BUILT_IN)
