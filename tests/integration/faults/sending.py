"""What two clients may send, in any order: strategies, and how their values are spelled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from tests.builders import TODAY
from tests.integration.faults.wire import AFTER, BEFORE, CONFLICT, TIMEOUT, Fault

from vitals.domain.instants import iso
from vitals.domain.model import LIFECYCLES

NAMES = ("Acme", " ACME ", "\uff21cme", "Bolt", "bolt", "Dust", "Dust", "Straße", "STRASSE")
EXTERNAL = ("x-1", "x-2", "X-1")
MANAGERS = ("Sarah", "sarah", "Tom")
TAGS = ("vip", "VIP", "trial", "eu")
STATUSES = ("critical", "at_risk", "watch", "healthy", "expansion", "unscored")

halves = st.integers(0, 200).map(lambda each: each / 2 if each % 2 else each // 2)
amounts = st.sampled_from([0, 1, 100, 5000]).map(Decimal) | st.decimals(0, 9999, places=2)
days = st.dates(date(2025, 6, 1), date(2027, 6, 1))
tags = st.lists(st.sampled_from(TAGS), max_size=3, unique_by=str.casefold)
custom = st.recursive(
    st.none() | st.integers(-5, 5) | st.text("ab", max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("pqr"), inner, max_size=2),
    max_leaves=4,
)


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A value, or now and then null, which clears."""
    return st.one_of(values, values, values, st.none())


FIELDS: Mapping[str, st.SearchStrategy[Any]] = {
    "email_domain": maybe(st.sampled_from(["acme.example", "bolt.example"])),
    "logins": maybe(st.integers(0, 45)),
    "adoption": maybe(halves.filter(lambda each: each <= 100)),
    "tickets": maybe(st.integers(0, 8)),
    "nps": maybe(st.integers(0, 10)),
    "csat": maybe(st.sampled_from([1, 2.5, 5])),
    "growth": maybe(st.sampled_from(["none", "mild", "strong"])),
    "days": maybe(st.integers(0, 200)),
    "mrr": maybe(amounts),
    "arr": maybe(amounts),
    "tier": maybe(st.sampled_from(["enterprise", "mid", "smb"])),
    "lifecycle": maybe(st.sampled_from(LIFECYCLES)),
    "manager": maybe(st.sampled_from(MANAGERS)),
    "renewal_date": maybe(days),
    "sentiment": maybe(st.sampled_from(["positive", "neutral", "negative"])),
    "note": maybe(st.text("xy ", min_size=1, max_size=5).map(str.strip).filter(bool)),
    "tags": maybe(tags),
    "score": maybe(st.integers(0, 100)),
    "custom_fields": st.dictionaries(st.sampled_from("pqr"), custom, max_size=3),
}
MORE: Mapping[str, st.SearchStrategy[Any]] = {
    "add_tags": tags,
    "remove_tags": tags,
    "last_contact_date": maybe(st.dates(TODAY - timedelta(days=200), TODAY)),
}
some_fields = st.lists(
    st.sampled_from([*FIELDS, *MORE]), min_size=1, max_size=5, unique=True
).flatmap(lambda names: st.fixed_dictionaries({name: {**FIELDS, **MORE}[name] for name in names}))
one_field = st.sampled_from(list(FIELDS)).flatmap(
    lambda name: st.fixed_dictionaries({"field": st.just(name), "value": FIELDS[name]})
)
overrides = st.fixed_dictionaries(
    {"score": st.integers(0, 100)},
    optional={
        "override_reason": st.sampled_from(["they called", "a hunch"]),
        "override_sticky": st.booleans(),
        "ends_in_days": st.integers(1, 40),
    },
)
fields = st.one_of(some_fields, some_fields, some_fields, overrides)

names = st.sampled_from(NAMES)
externals = st.sampled_from(EXTERNAL)
numbers = st.integers(0, 6)
"""Which of the known ids; the last is a stranger's."""
references = st.one_of(
    st.tuples(st.just("name"), names),
    st.tuples(st.just("external_id"), externals),
    st.tuples(st.just("id"), numbers),
    st.tuples(st.just("id"), numbers),
)
upserted = st.one_of(
    st.fixed_dictionaries({"name": names}),
    st.fixed_dictionaries({"name": names}, optional={"external_id": externals}),
    st.fixed_dictionaries({"external_id": externals}, optional={"name": names}),
    st.fixed_dictionaries({"id": numbers}, optional={"name": names, "external_id": externals}),
)
upsert_options = st.fixed_dictionaries(
    {},
    optional={
        "create_only": st.sampled_from([True, False, False, False]),
        "on_deleted": st.sampled_from(["restore", "refuse"]),
    },
)


@dataclass(frozen=True)
class Manner:
    """Who sends a write, and how."""

    who: int
    if_version: str | None
    dry_run: bool
    keyed: bool
    loss: tuple[Fault, str] | None


manners = st.builds(
    Manner,
    who=st.integers(0, 1),
    if_version=st.sampled_from([None] * 5 + ["right", "wrong"]),
    dry_run=st.sampled_from([False] * 6 + [True]),
    keyed=st.booleans(),
    loss=st.sampled_from([None] * 6 + [(TIMEOUT, BEFORE), (TIMEOUT, AFTER), (CONFLICT, BEFORE)]),
)
records = st.lists(
    st.tuples(upserted, fields, upsert_options).map(lambda parts: parts[0] | parts[1] | parts[2]),
    min_size=1,
    max_size=4,
)
filters = st.fixed_dictionaries(
    {},
    optional={
        "status": st.lists(st.sampled_from(STATUSES), min_size=1, max_size=3, unique=True),
        "lifecycle": st.lists(st.sampled_from(["active", "atrisk", "won"]), min_size=1, max_size=2),
        "tier": st.lists(st.sampled_from(["enterprise", "mid"]), min_size=1, max_size=2),
        "manager": st.lists(st.sampled_from(MANAGERS), min_size=1, max_size=1),
        "tag": st.lists(st.sampled_from(TAGS), min_size=1, max_size=2),
        "include_deleted": st.booleans(),
    },
)
sorts = st.sampled_from(["updated_at", "name", "score", "mrr", "arr", "created_at"])
passing = st.sampled_from(
    [{"minutes": 1}, {"minutes": 40}, {"hours": 7}, {"days": 1}, {"days": 6}, {"days": 29},
     {"days": 30}, {"days": 45}, {"days": 120}]
)  # fmt: skip


def spelled(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, dict):
        return {name: spelled(each) for name, each in value.items()}
    if isinstance(value, list):
        return [spelled(each) for each in value]
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value
