"""Movement: whoever moved, and parts that sum to the whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor

from hypothesis import given
from hypothesis import strategies as st
from tests.builders import NOW, TENANT_ID, a_change, a_customer, an_id, customer_number
from tests.unit.domain.reports.portfolio_books import (
    MODEL,
    THEN,
    a_book,
    books,
    mean,
    midday,
    scoring,
    then,
)
from tests.unit.histories import MODELS, Written, histories

from vitals.domain.change import is_visible
from vitals.domain.customer import Customer, Override, override_fields
from vitals.domain.instants import local_day, start_of
from vitals.domain.numbers import published_ratio
from vitals.domain.replay import versions
from vitals.domain.reports.book import Book
from vitals.domain.reports.movement import (
    change_moves,
    difference,
    moved_by,
    movement_chart,
    movers,
    waterfall,
)


@given(books(), st.integers(0, 4))
def test_movers_are_those_whose_score_moved_most(book: Book, count: int) -> None:
    fell, rose = movers(book, count)
    left = list(book.accounts)
    for found, sign in ((fell, -1), (rose, 1)):
        for each in found:
            # Nobody that is left moved further, or as far with a claim to come earlier.
            best = min(
                (other for other in left if other.moved and other.moved * sign > 0),
                key=lambda other: (
                    -abs(other.moved or 0),
                    -Fraction(other.customer.mrr or 0),
                    other.customer.name,
                    other.customer.id,
                ),
            )
            assert each is best
            left.remove(each)
        rest = [each for each in left if each.moved and each.moved * sign > 0]
        assert len(found) == count or not rest


def test_equal_moves_go_by_revenue_then_name() -> None:
    book = a_book(
        [
            scoring(1, 40, mrr=100, name="Zulu"),
            scoring(2, 40, mrr=200, name="Yankee"),
            scoring(3, 40, mrr=100, name="Acme"),
            scoring(4, 49, mrr=900),
            scoring(5, 51),
        ],
        scores_then=then({1: 50, 2: 50, 3: 50, 4: 50, 5: 50}),
    )
    fell, rose = movers(book, 9)
    assert [each.customer.id for each in fell] == [an_id(number) for number in (2, 3, 1, 4)]
    assert [each.customer.id for each in rose] == [an_id(5)]


def stood(version: Customer, at_change: date, begun: date) -> Fraction | None:
    """Return the score to four decimals that *version* published, as the day *begun* began."""
    override = version.active_override(max(start_of(begun, UTC), version.updated_at))
    if override:
        return Fraction(override.value)
    exact = version.computed(MODELS[version.model_version - 1], at_change).exact
    return Fraction(published_ratio(*exact)) if exact else None


@given(histories(), st.integers(-2, 40), st.integers(0, 900), st.sets(st.integers(0, 5)))
def test_what_moved_an_account_sums_to_its_move(
    written: list[Written], days: int, hours: int, turns: set[int]
) -> None:
    changes = [
        replace(change, cause="decay" if number in turns else change.cause)
        for number, (_, _, change) in enumerate(written)
    ]
    seen = [change for change in changes if is_visible(change)]
    now = written[-1][2].at + timedelta(hours=hours)
    customer = replace(written[-1][1], deleted_at=None, lifecycle="active")
    begun = NOW.date() + timedelta(days=days)
    book = Book(as_of=now, model=MODELS[0], then=begun, histories={customer.id: seen[::-1]})
    book.add(customer, MODELS[customer.model_version - 1])
    [account] = book.accounts
    there = None
    for _, version, change in versions(TENANT_ID, changes, lambda number: MODELS[number - 1]):
        day = local_day(change.at, book.where)
        if change in seen and (day < begun or (day == begun and change.cause == "decay")):
            there = stood(replace(version, updated_at=change.at), day, begun)
    book.scores_then = {} if there is None else {customer.id: floor(there + Fraction(1, 2))}
    override = customer.active_override(now)
    scored = account.standing.customer.computed(account.standing.model, book.today).exact
    here = Fraction(override.value) if override else scored and Fraction(published_ratio(*scored))
    moves = moved_by(book, account)
    if there is None or here is None:
        assert moves == []
        return
    assert sum(Fraction(part) for _, part in moves) == here - there
    sizes = [(-abs(Fraction(part)), name) for name, part in moves]
    assert sizes == sorted(sizes)
    assert 0 not in [part for _, part in moves]


def a_history(*, override: bool = False) -> Book:
    """Return a book of one whose logins fell in the period, by hand or not."""
    fields = {"signals": {"logins": 15, "nps": 9}}
    customer = customer_number(1, created_at=midday(date(2026, 1, 5)), **fields)
    if override:
        customer = replace(customer, override=Override(30, "key-1", NOW))
    born = a_change(customer, at=midday(date(2026, 1, 5)), contributions_after={"logins": "90"})
    later = a_change(
        customer,
        at=midday(date(2026, 2, 9)),
        changed={"override": (None, override_fields(customer.override))} if override else {},
        contributions_before={"logins": "62.5", "nps": "37.5"},
        contributions_after={"logins": "31.25", "nps": "37.5"},
    )
    turned = a_change(
        customer,
        at=midday(THEN, 0),
        cause="decay",
        contributions_after={"logins": "60.5", "nps": "37.5", "days": "1"},
    )
    history = [later, turned, born]
    return a_book([customer], histories={customer.id: history}, scores_then={customer.id: 99})


def test_what_the_turn_of_the_day_moved_was_so_as_the_period_began() -> None:
    book = a_history()
    [account] = book.accounts
    assert moved_by(book, account) == [("logins", Decimal("-29.25")), ("days", -1)]


def test_a_score_set_by_hand_is_a_part_of_the_move() -> None:
    book = a_history(override=True)
    [account] = book.accounts
    moves = dict(moved_by(book, account))
    assert moves == {"logins": Decimal("-29.25"), "days": -1, "override": Decimal("-38.75")}
    assert sum(moves.values()) == 30 - 99


def test_a_score_set_by_hand_until_the_period_began_is_none_of_it() -> None:
    customer = customer_number(1, override=Override(30, "key-1", NOW), created_at=midday(THEN))
    ended = {"value": 50, "expires_at": "2026-02-01T00:00:00.000Z"}
    history = [
        a_change(customer, at=midday(THEN), changed={"override": (ended, None)}),
        a_change(customer, at=midday(date(2026, 1, 5)), contributions_after={"logins": "70"}),
    ]
    book = a_book([customer], histories={an_id(1): history}, scores_then=then({1: 70}))
    assert moved_by(book, book.accounts[0]) == [("logins", -70), ("override", 30)]


def test_a_history_that_does_not_lead_to_the_score_then_explains_nothing() -> None:
    book = a_history()
    book.scores_then = {book.accounts[0].customer.id: 98}
    assert moved_by(book, book.accounts[0]) == []


def test_without_a_history_nothing_is_said_to_have_moved_it() -> None:
    book = a_book([scoring(1, 40)], scores_then=then({1: 60}))
    assert moved_by(book, book.accounts[0]) == []
    book.histories = {an_id(1): []}
    assert moved_by(book, book.accounts[0]) == []


@given(histories())
def test_what_moved_a_change_sums_to_its_move(written: list[Written]) -> None:
    for before, after, change in written:
        moves = change_moves(change)
        if change.score_before is None or change.score_after is None:
            assert moves == []
            continue
        assert before is not None
        parts = [change.contributions_before, change.contributions_after]
        sums = [sum(map(Fraction, each.values()), start=Fraction(0)) for each in parts]
        wholes = [
            total if each and abs(total - score) <= Fraction(1, 2) else score
            for each, total, score in zip(
                parts, sums, (change.score_before, change.score_after), strict=True
            )
        ]
        assert sum(Fraction(part) for _, part in moves) == wholes[1] - wholes[0]
        assert after.score == change.score_after


@given(books())
def test_the_waterfall_leads_from_one_average_to_the_other(book: Book) -> None:
    found = waterfall(book)
    here = {each.customer.id: each.score for each in book.accounts}
    were = [book.scores_then.get(key) for key in here] + list(book.lost)
    opening = mean(score for score in were if score is not None)
    closing = mean(score for score in here.values() if score is not None)
    chart = movement_chart(book)
    if book.then is None or opening is None or closing is None:
        assert found is None
        assert chart is None
        return
    assert found
    assert chart
    parts = [Fraction(part) for part in (found.left, found.improved, found.declined, found.joined)]
    assert (Fraction(found.opening), Fraction(found.closing)) == (opening, closing)
    assert sum(parts) == closing - opening
    assert chart.series[0].values[1:5] == (found.left, found.improved, found.declined, found.joined)
    moved = [each.moved for each in book.accounts if each.moved is not None]
    unit = Fraction(1, 10_000)
    for part, wanted in (
        (parts[1], [m for m in moved if m > 0]),
        (parts[2], [m for m in moved if m < 0]),
    ):
        ideal = Fraction(sum(wanted), len(moved)) if moved else Fraction(0)
        assert abs(part - ideal) <= unit
        assert bool(wanted) or part == 0
    stayed = [score for score, own in zip(were, here.values(), strict=False)
              if score is not None and own is not None]  # fmt: skip
    if stayed:
        exactly = [score for score in were if score is not None]
        left = Fraction(sum(stayed), len(stayed)) - Fraction(sum(exactly), len(exactly))
        assert abs(parts[0] - left) <= unit
    assert found.counts["left"] == sum(score is not None for score in were) - len(moved)
    assert found.counts["joined"] == sum(score is not None for score in here.values()) - len(moved)


def test_a_waterfall_tells_who_left_who_joined_and_who_moved() -> None:
    book = a_book(
        [scoring(1, 60), scoring(2, 40), scoring(3, 95), scoring(4, 70)],
        scores_then=then({1: 50, 2: 60, 4: 70, 9: 20}),
    )
    found = waterfall(book)
    assert found
    assert (found.opening, found.closing) == (50, Decimal("66.25"))
    assert (found.left, found.joined) == (10, Decimal("9.5833"))
    assert (found.improved, found.declined) == (Decimal("3.3334"), Decimal("-6.6667"))
    assert dict(found.counts) == {
        "left": 1, "improved": 1, "declined": 1, "joined": 1, "unchanged": 1,
    }  # fmt: skip


def test_a_new_book_has_no_movement() -> None:
    assert waterfall(a_book([scoring(1, 60)], then=None)) is None
    assert waterfall(a_book()) is None
    assert waterfall(a_book([scoring(1, None)], scores_then=then({1: None}))) is None
    assert movers(a_book([scoring(1, 60)], then=None), 5) == ([], [])


def test_a_difference_of_published_numbers_is_exact() -> None:
    assert difference(Decimal("0.3"), Decimal("0.1")) == Decimal("0.2")
    assert difference(1, Decimal("2.5")) == Decimal("-1.5")


def test_the_customer_of_another_model_is_scored_by_its_own() -> None:
    book = a_book([a_customer(signals={"logins": 15})])
    assert book.accounts[0].standing.model is MODEL
