"""A score set by hand: how long it stands, and what it leaves alone (AMB-02)."""

from datetime import UTC, date, timedelta

from tests.builders import NOW, a_customer, a_model, a_moment

from vitals.domain.customer import Customer, Override
from vitals.domain.mutation import Reason, settled
from vitals.domain.patch import OverrideRequest, Patch, merged

LOGINS = frozenset({"logins"})
TOMORROW = NOW + timedelta(days=1)


def held(*, sticky: bool = False, expires: bool = False) -> Customer:
    """Return a customer at 50 whose score was set to 90."""
    override = Override(90, "key-0", NOW, "renewed", TOMORROW if expires else None, sticky)
    return a_customer(signals={"logins": 15}, override=override)


def after(customer: Customer, patch: Patch, hours: int = 1) -> Override | None:
    return merged(customer, patch, a_moment(NOW + timedelta(hours=hours))).override


def test_a_set_score_is_published_and_the_computed_one_stays_beside_it() -> None:
    customer = held()
    assert customer.published_at(a_model(), NOW, UTC) == (90, "expansion")
    assert customer.computed(a_model(), NOW.date()).value == 50


def test_a_signal_that_moves_clears_it() -> None:
    assert after(held(), Patch(signals={"logins": 16}, given=LOGINS)) is None
    assert after(held(), Patch(signals={"logins": None}, given=LOGINS)) is None
    reported = Patch(fields={"last_contact_on": date(2026, 3, 2)}, given=frozenset({"days"}))
    assert after(held(), reported) is None


def test_a_sync_that_repeats_what_is_known_leaves_it() -> None:
    """PLUS-11."""
    assert after(held(), Patch(signals={"logins": 15}, given=LOGINS)) == held().override


def test_what_is_no_signal_leaves_it() -> None:
    assert (
        after(held(), Patch(fields={"mrr": 10, "note": "n"}, add_tags=("vip",))) == held().override
    )


def test_a_sticky_one_outlives_signals_but_not_a_null_score() -> None:
    sticky = held(sticky=True)
    assert after(sticky, Patch(signals={"logins": 3}, given=LOGINS)) == sticky.override
    assert after(sticky, Patch(clear_override=True)) is None


def test_a_null_score_clears_any() -> None:
    assert after(held(), Patch(clear_override=True)) is None


def test_a_score_beside_signals_wins_and_the_signals_are_stored() -> None:
    patch = Patch(signals={"logins": 30}, given=LOGINS, override=OverrideRequest(40))
    now = merged(held(), patch, a_moment())
    assert now.signals == {"logins": 30}
    assert now.published_at(a_model(), NOW, UTC) == (40, "at_risk")


def test_it_stands_until_its_expiry_and_not_at_it() -> None:
    customer = held(expires=True)
    just_before = TOMORROW - timedelta(milliseconds=1)
    assert customer.published_at(a_model(), just_before, UTC) == (90, "expansion")
    assert customer.published_at(a_model(), TOMORROW, UTC) == (50, "watch")


def test_a_write_after_its_expiry_forgets_it_even_a_sticky_one() -> None:
    for customer in (held(expires=True), held(expires=True, sticky=True)):
        assert after(customer, Patch(fields={"note": "n"}), hours=23) == customer.override
        assert after(customer, Patch(fields={"note": "n"}), hours=24) is None


def test_the_same_one_sent_again_is_no_new_one() -> None:
    customer = held(expires=True)
    again = Patch(override=OverrideRequest(90, "renewed", TOMORROW))
    assert after(customer, again) == customer.override
    stored, _ = settled(None, customer, a_model(), Reason(action="upsert"), a_moment())
    later = a_moment(NOW + timedelta(hours=1))
    _, change = settled(
        stored, merged(stored, again, later), a_model(), Reason(action="upsert"), later
    )
    assert change is None


def test_another_value_reason_expiry_or_stickiness_is_a_new_one() -> None:
    customer = held(expires=True)
    for asked in (
        OverrideRequest(91, "renewed", TOMORROW),
        OverrideRequest(90, None, TOMORROW),
        OverrideRequest(90, "renewed"),
        OverrideRequest(90, "renewed", TOMORROW, sticky=True),
    ):
        now = after(customer, Patch(override=asked))
        assert now is not None
        assert (now.set_by, now.set_at) == ("key-1", NOW + timedelta(hours=1))
        assert (now.value, now.reason, now.expires_at, now.sticky) == (
            asked.value, asked.reason, asked.expires_at, asked.sticky
        )  # fmt: skip


def test_decay_does_not_move_a_set_score() -> None:
    decaying = merged(held(), Patch(fields={"last_contact_on": date(2026, 1, 1)}), a_moment())
    assert decaying.override is not None
    in_a_year = NOW + timedelta(days=365)
    assert decaying.published_at(a_model(), in_a_year, UTC) == (90, "expansion")


def test_zero_can_be_set_by_hand() -> None:
    now = merged(a_customer(signals={"logins": 30}), Patch(override=OverrideRequest(0)), a_moment())
    assert now.published_at(a_model(), NOW, UTC) == (0, "critical")


def test_a_customer_without_signals_can_be_given_a_score() -> None:
    now = merged(a_customer(), Patch(override=OverrideRequest(70)), a_moment())
    assert now.published_at(a_model(), NOW, UTC) == (70, "healthy")
