"""Any past score follows from what is on record: the facts then, and the model then (PLUS-03)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from tests.integration.actions.api import Api

from vitals.domain.change import replayed
from vitals.domain.instants import local_day, zone
from vitals.domain.scoring import contributions, score
from vitals.runtime.wiring import wiring


def lived(api: Api) -> None:
    """Have one customer live through writes, contacts, decay and changes of the model."""
    words = {"type": "choice", "options": {"red": 0, "amber": 50, "green": 100}}
    own = {"weight": 30, "curve": words}
    api.upsert("Acme", logins=22, adoption=75, days=3, tier="smb", tags=["trial"])
    api.later(days=11)
    api.job("update_config", {"weights": {"logins": 45, "adoption": 5}})
    api.post("update_config", {"signals": {"mood": own}, "normalize": True, "rescore": False})
    api.later(hours=5)
    api.upsert("Acme", mood="amber", logins=9)
    api.job("put_profile", {"name": "trial", "weights": {"days": 40, "mood": 60}})
    api.later(days=40)
    api.job("update_config", {"profile_rules": [{"profile": "trial", "tags": ["trial"]}]})
    api.job("rescore_all")
    api.post("log_contact", {"name": "Acme", "channel": "call"})
    api.job("update_config", {"time_zone": "Pacific/Auckland"})
    api.upsert("Acme", mood="green", tags=[])
    api.job("restore_model", {"version": 2})


@pytest.fixture
def history(api: Api) -> list[Any]:
    lived(api)
    customer = api.customer(name="Acme")
    changes = wiring().customers.history(api.tenant, customer["id"])
    return sorted(changes, key=lambda change: change.version)


def test_every_score_on_record_is_what_the_facts_and_the_model_of_its_time_give(
    api: Api, history: list[Any]
) -> None:
    model_of = wiring().model_of(api.tenant)
    assert len({change.model_version for change in history}) >= 6
    for index, change in enumerate(history):
        facts = replayed(history[: index + 1])
        model = model_of(change.model_version)
        today = local_day(change.at, zone(model.time_zone))
        values = {
            path.removeprefix("signals."): value
            for path, value in facts.items()
            if path.startswith("signals.")
        }
        if "last_contact_on" in facts:
            contacted = date.fromisoformat(facts["last_contact_on"])
            values["days"] = max(0, (today - contacted).days)
        profile = model.profile_for(
            facts.get("scoring_profile"),
            facts.get("tier"),
            facts.get("tags", ()),
            facts.get("lifecycle", "active"),
        )
        taken = model.taken(values)
        found = score(model, profile, taken)
        assert (found.value, found.band) == (change.score_after, change.status_after)
        parts = contributions(model, profile, taken, found)
        assert {part.signal: str(part.contribution) for part in parts} == (
            change.contributions_after
        )


def test_what_was_published_before_is_explained_under_the_model_of_before(
    history: list[Any],
) -> None:
    for earlier, later in pairwise(history):
        if earlier.at.date() == later.at.date() == datetime(2026, 3, 2, tzinfo=UTC).date():
            assert later.contributions_before == earlier.contributions_after
        total = sum(Fraction(part) for part in later.contributions_before.values())
        assert 0 <= total <= 100


def test_each_version_is_on_record_once(history: list[Any]) -> None:
    assert [change.version for change in history] == list(range(1, len(history) + 1))
