"""What Hypothesis draws: numbers, curves, models, values, customers and patches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from tests.builders import a_document

from vitals.domain.contact import Contact
from vitals.domain.model import LIFECYCLES, TIERS, ScoringModel
from vitals.domain.model_document import model_from_document
from vitals.domain.patch import OverrideRequest, Patch

Document = dict[str, Any]
Draw = st.DrawFn
BUILT_IN = ("logins", "adoption", "tickets", "nps", "csat", "days", "growth")


@dataclass(frozen=True)
class Case:
    """A model as document and as itself, a profile, and values of its signals."""

    document: Document
    model: ScoringModel
    profile: str | None
    values: Mapping[str, Any]


def numbers(low: int, high: int, places: int = 3) -> st.SearchStrategy[int | Decimal]:
    """Return exact numbers: ints where they are whole, else decimals."""
    scale = 10**places

    def exact(units: int) -> int | Decimal:
        return units // scale if units % scale == 0 else Decimal(units) / Decimal(scale)

    fractions = st.integers(low * scale, high * scale).map(exact)
    return st.one_of(st.integers(low, high), fractions)


@st.composite
def linears(draw: Draw, *, falling: bool | None = None) -> Document:
    ends = draw(st.lists(numbers(0, 300, 1), min_size=2, max_size=2, unique=True).map(sorted))
    if falling or (falling is None and draw(st.booleans())):
        ends = ends[::-1]
    return {"type": "linear", "zero": ends[0], "full": ends[1]}


@st.composite
def steps(draw: Draw, *, falling: bool | None = None) -> Document:
    bounds = draw(st.lists(numbers(0, 300, 1), min_size=1, max_size=5, unique=True).map(sorted))
    worths = st.lists(numbers(0, 100, 2), min_size=len(bounds), max_size=len(bounds)).map(sorted)
    worth = draw(worths)
    if falling or (falling is None and draw(st.booleans())):
        worth = worth[::-1]
    return {"type": "step", "steps": [list(step) for step in zip(bounds, worth, strict=True)]}


half_lives = st.builds(
    lambda life: {"type": "half_life", "half_life": life}, numbers(1, 8, 2).filter(bool)
)
powers = st.builds(
    lambda zero, delta: {"type": "power", "zero": zero, "delta": delta},
    numbers(1, 300, 1),
    st.sampled_from([1, 2, 3, Decimal("0.5"), Decimal("1.7")]),
)
choices = st.dictionaries(
    st.sampled_from(["bad", "fair", "good", "superb"]), numbers(0, 100, 2), min_size=1
).map(lambda options: {"type": "choice", "options": options})

falling_curves = st.one_of(linears(falling=True), steps(falling=True), half_lives, powers)
number_curves = st.one_of(linears(), steps(), half_lives, powers)
policies = st.one_of(
    st.sampled_from(["exclude", "zero"]), numbers(0, 100, 2).map(lambda v: {"neutral": v})
)
weights = st.one_of(st.just(0), st.integers(1, 60), numbers(0, 60, 4))


@st.composite
def documents(draw: Draw, *, decaying: bool = False) -> Document:
    """Draw a model's document: the built-in signals changed, own ones added."""
    own = [f"own_{number}" for number in range(draw(st.integers(0, 4)))]
    signals: dict[str, Any] = {}
    for name in (*BUILT_IN, *own):
        curve = choices if name == "growth" else number_curves
        if name == "days":
            curve = falling_curves
        elif name in own:
            curve = st.one_of(number_curves, choices)
        signals[name] = {"weight": draw(weights), "curve": draw(curve)}
        if name == "days" and decaying:
            signals[name]["weight"] = draw(st.integers(60, 300))
        if draw(st.integers(0, 3)) == 0:
            signals[name]["missing_policy"] = draw(policies)
        if name != "days" and draw(st.booleans()):
            signals[name]["resolution"] = draw(st.sampled_from([1, Decimal("0.5"), 5]))
            signals[name] |= {"minimum": 0, "maximum": draw(st.integers(1, 320))}
    preset = st.fixed_dictionaries({}, optional=dict.fromkeys(signals, weights))
    bounds = draw(st.lists(st.integers(1, 100), min_size=4, max_size=4, unique=True).map(sorted))
    names = ("critical", "at_risk", "watch", "healthy", "expansion")
    return a_document(
        signals=signals,
        bands=dict(zip(names, [0, *bounds], strict=True)),
        missing_policy=draw(policies),
        min_coverage=draw(numbers(0, 1, 2)) if draw(st.integers(0, 5)) == 0 else 0,
        low_confidence_below=draw(numbers(0, 1, 2)),
        profiles=draw(st.dictionaries(st.sampled_from(["big", "small"]), preset)),
    )


@st.composite
def cases(draw: Draw, *, contacted: bool = False) -> Case:
    """Draw a model, a profile that it may not have, and values of some of its signals."""
    document = draw(documents(decaying=contacted))
    values: dict[str, Any] = {}
    for name, signal in document["signals"].items():
        if name == "days":
            if contacted or draw(st.booleans()):
                values[name] = draw(st.integers(0, 40) | st.integers(0, 320))
        elif draw(st.integers(0, 3)):
            options = signal["curve"].get("options")
            bounds = numbers(signal.get("minimum", -20), signal.get("maximum", 320), 1)
            values[name] = draw(st.sampled_from(sorted(options)) if options else bounds)
    profile = draw(st.sampled_from([None, "big", "small", "gone"]))
    return Case(document, model_from_document(1, document), profile, values)


days = st.dates(date(2025, 1, 1), date(2027, 12, 31))
instants = st.builds(
    lambda ms: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms),
    st.integers(0, 3 * 365 * 86_400_000),
)
"""Instants in whole milliseconds, over three years with all their clock changes."""

words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
json_values = st.recursive(
    st.one_of(st.booleans(), numbers(-3, 3, 1), st.sampled_from(["", "0", "a", "é"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=6,
)

keys = st.sampled_from(["plan", "seats", "a.b", ""])
reasons = st.none() | words
tags = st.lists(st.sampled_from(["vip", "VIP", "beta", "Straße", "STRASSE"]), max_size=3).map(tuple)
amounts = st.none() | st.just(0) | numbers(0, 100_000, 2)

FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "name": words,
    "external_id": st.none() | words,
    "email_domain": st.none() | words,
    "mrr": amounts,
    "arr": amounts,
    "tier": st.sampled_from([None, *TIERS]),
    "lifecycle": st.sampled_from([None, *LIFECYCLES]),
    "manager": st.none() | words,
    "tags": st.none() | tags,
    "renewal_date": st.none() | days,
    "next_touch": st.none() | days,
    "since": st.none() | days,
    "sentiment": st.sampled_from([None, "positive", "neutral", "negative"]),
    "note": st.none() | words,
    "scoring_profile": st.sampled_from([None, "big"]),
}
SIGNALS: dict[str, st.SearchStrategy[Any]] = {
    "logins": st.none() | numbers(0, 40, 1),
    "adoption": st.none() | numbers(0, 100, 1),
    "tickets": st.none() | st.integers(0, 6),
    "nps": st.none() | st.integers(0, 10),
    "csat": st.none() | numbers(1, 5, 1),
    "growth": st.sampled_from([None, "none", "mild", "strong"]),
}


people = st.builds(
    Contact,
    name=words,
    created_at=instants,
    updated_at=instants,
    email=st.none() | words,
    title=st.none() | words,
    is_champion=st.booleans(),
    whatsapp_number=st.none() | words,
)
contacts = st.dictionaries(st.sampled_from(["01A", "01B", "01C"]), people, max_size=3)
"""Contacts by their ids."""


def requests(now: datetime) -> st.SearchStrategy[OverrideRequest]:
    """Return scores to set by hand at *now*."""
    expiries = st.none() | st.integers(1, 400).map(lambda hours: now + timedelta(hours=hours))
    return st.builds(OverrideRequest, st.integers(0, 100), reasons, expiries, st.booleans())


@st.composite
def patches(draw: Draw, now: datetime, *, contact: bool = True) -> Patch:
    """Draw what a request may ask of a customer of the default model, at *now*."""
    fields = draw(st.fixed_dictionaries({}, optional=FIELDS))
    signals = draw(st.fixed_dictionaries({}, optional=SIGNALS))
    if contact and draw(st.booleans()):
        fields["last_contact_on"] = draw(st.none() | days)
    given = signals.keys() | ({"days"} if "last_contact_on" in fields else set())
    return Patch(
        fields=fields,
        signals=signals,
        given=frozenset(given),
        add_tags=draw(tags),
        remove_tags=draw(tags),
        custom_fields=draw(st.none() | st.dictionaries(keys, st.none() | json_values, max_size=3)),
        override=draw(st.none() | requests(now)),
        clear_override=draw(st.booleans()),
    )
