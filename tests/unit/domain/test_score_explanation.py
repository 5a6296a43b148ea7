"""What moved a score between two instants sums to the move exactly (PLUS-02)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import NOW, TENANT_ID, a_customer, a_moment, at
from tests.unit.histories import MODELS, Written, histories

from vitals.domain.customer import Customer
from vitals.domain.mutation import Reason, settled
from vitals.domain.patch import OverrideRequest, Patch, merged
from vitals.domain.replay import undone, versions
from vitals.domain.score_explanation import Explanation, explanation
from vitals.domain.view import customer_view

DAY = 86_400
hours = st.integers(-100, 2600)


def model_of(version: int) -> Any:
    return MODELS[version - 1]


def explained(written: list[Written], start: datetime, end: datetime) -> Explanation:
    newest_first = [change for _, _, change in reversed(written)]
    return explanation(written[-1][1], newest_first, start, end, model_of)


def shown_at(written: list[Written], instant: datetime) -> Mapping[str, Any] | None:
    """Return the customer as a read at *instant* showed it, replayed from the first change on."""
    then: Customer | None = None
    for _, after, change in versions(TENANT_ID, [each for _, _, each in written], model_of):
        if change.at <= instant:
            then = after
    return (
        None if then is None else customer_view(then, model_of(then.model_version), instant, UTC, 0)
    )


@given(histories().filter(bool), hours, hours)
@settings(max_examples=100)
def test_parts_and_causes_sum_to_the_change_of_what_was_shown(
    written: list[Written], one: int, other: int
) -> None:
    start, end = (NOW + timedelta(hours=hour) for hour in sorted((one, other)))
    found = explained(written, start, end)
    assert sum(part.change for part in found.parts) == found.change
    assert sum(cause.moved for cause in found.causes) == found.change
    assert found.change == (found.end.exact or 0) - (found.start.exact or 0)
    for stand, instant in ((found.start, start), (found.end, end)):
        shown = shown_at(written, instant) or {}
        assert stand.exact == shown.get("score_exact")
        assert stand.score == shown.get("score")
        assert stand.model_version == shown.get("model_version")
    assert all(part.change for part in found.parts)


@given(histories().filter(bool))
def test_undoing_each_change_leaves_what_was_there(written: list[Written]) -> None:
    for before, after, change in written:
        left = undone(after, change)
        if change.version == 1:
            assert left is None
            continue
        assert before is not None
        # What no record tells is as it was after.
        told_by_none = ("updated_at", "recent", "change_id", "cause", "received")
        assert left == replace(before, **{name: getattr(after, name) for name in told_by_none})


def life(*writes: tuple[float, Mapping[str, Any]]) -> list[Written]:
    """Return what comes of writes so many seconds after NOW, each signals and other facts.

    `model` is the model of the write, `cause` its cause, `score` an override or None to clear it.
    """
    found: list[Written] = []
    before: Customer | None = None
    for number, (seconds, given_facts) in enumerate(writes):
        facts = dict(given_facts)
        model = model_of(facts.pop("model", 1))
        reason = Reason(action="write", cause=facts.pop("cause", "api"))
        moment = a_moment(at(seconds))
        override, cleared = None, False
        if "score" in facts:
            value = facts.pop("score")
            cleared = value is None
            override = None if value is None else OverrideRequest(value)
        fields = {name: facts.pop(name) for name in ("last_contact_on", "tier") if name in facts}
        profile = {"scoring_profile": facts.pop("profile")} if "profile" in facts else {}
        patch = Patch(
            fields=fields | profile,
            signals=facts,
            given=frozenset(facts),
            override=override,
            clear_override=cleared,
        )
        customer = merged(before or replace(a_customer(), version=0), patch, moment)
        old = model_of(before.model_version) if before else None
        after, change = settled(before, customer, model, reason, moment, before_model=old)
        assert change is not None
        found.append((before, after, replace(change, id=f"01{number:024d}")))
        before = after
    return found


def parts(found: Explanation) -> dict[tuple[str, str | None], Decimal]:
    return {(part.kind, part.signal): Decimal(part.change) for part in found.parts}


def test_a_signal_that_moves_carries_the_whole_of_what_it_moved() -> None:
    written = life((0, {"logins": 22, "adoption": 75, "tickets": 1}), (60, {"logins": 28}))
    found = explained(written, at(30), at(90))
    # `tickets` was cut otherwise by 0.0001: that is no move of tickets.
    assert parts(found) == {("signal", "logins"): Decimal("7.1429")}
    [part] = found.parts
    assert (part.dimension, part.before, part.after) == ("usage", 22, 28)
    [cause] = found.causes
    assert cause.change is not None
    assert (cause.change.score_before, cause.change.score_after) == (76, 83)


def test_what_a_new_signal_takes_from_the_others_is_coverage() -> None:
    written = life((0, {"logins": 30}), (60, {"adoption": 0}))
    found = explained(written, at(0), at(90))
    assert parts(found) == {("coverage", "adoption"): Decimal(-50)}
    written = life((0, {"logins": 30}), (60, {"adoption": 100}), (70, {"adoption": None}))
    found = explained(written, at(0), at(65))
    assert parts(found) == {
        ("signal", "adoption"): Decimal(50), ("coverage", "adoption"): Decimal(-50)
    }  # fmt: skip
    # And back again: nothing is left of it.
    assert explained(written, at(0), at(90)).parts == ()


def test_time_alone_is_decay_and_told_of_although_nothing_published_it() -> None:
    facts = {"logins": 15, "last_contact_on": at(0).date()}
    written = life((0, facts))
    found = explained(written, at(0), at(90 * DAY))
    assert parts(found) == {("decay", "days"): Decimal("-14.2857")}
    [part] = found.parts
    assert (part.dimension, part.before, part.after) == ("engagement", 0, 90)
    [cause] = found.causes
    assert (cause.change, cause.moved) == (None, Decimal("-14.2857"))
    # What passed before `from` is no part of it.
    assert explained(written, at(89.7 * DAY), at(89.9 * DAY)).change == 0


def test_an_override_that_comes_and_goes_is_its_own_part() -> None:
    written = life((0, {"logins": 15}), (60, {"score": 90}), (120, {"score": None}))
    assert parts(explained(written, at(30), at(90))) == {("override", None): Decimal(40)}
    assert parts(explained(written, at(90), at(150))) == {("override", None): Decimal(-40)}
    assert parts(explained(written, at(30), at(150))) == {}


def test_an_override_of_the_very_score_still_counts_as_the_exact_one() -> None:
    written = life((0, {"logins": 22}), (60, {"score": 73}))
    found = explained(written, at(30), at(90))
    assert (found.start.exact, found.end.exact) == (Decimal("73.3333"), 73)
    assert parts(found) == {("override", None): Decimal("-0.3333")}


def test_what_a_new_model_makes_of_the_same_facts_is_the_model_alone() -> None:
    """Version 2 counts what is missing as nothing."""
    written = life((0, {"logins": 30}), (60, {"model": 2, "cause": "model"}))
    assert parts(explained(written, at(30), at(90))) == {("model", None): Decimal(-75)}
    written = life((0, {"logins": 30}), (60, {"model": 2, "logins": 15}))
    assert parts(explained(written, at(30), at(90))) == {
        ("model", None): Decimal(-75), ("signal", "logins"): Decimal("-12.5")
    }  # fmt: skip


def test_another_profile_is_its_own_part() -> None:
    written = life((0, {"logins": 30, "adoption": 0}), (60, {"profile": "big"}))
    assert parts(explained(written, at(30), at(90))) == {("profile", None): Decimal(-10)}


def test_the_first_score_carries_the_whole_and_what_follows_is_explained() -> None:
    written = life((0, {}), (60, {"logins": 15}), (120, {"logins": 30}))
    for start in (-60, 30):
        found = explained(written, at(start), at(150))
        assert found.start.exact is None
        assert parts(found) == {
            ("first_score", None): Decimal(50), ("signal", "logins"): Decimal(50)
        }  # fmt: skip
    assert explained(written, at(-60), at(30)).parts == ()


def test_a_score_that_goes_missing_counts_nothing() -> None:
    written = life((0, {"logins": 15}), (60, {"logins": None}))
    found = explained(written, at(30), at(90))
    assert (found.end.exact, found.change) == (None, -50)
    assert parts(found) == {("signal", "logins"): Decimal(-50)}
