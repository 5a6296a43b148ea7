"""Score History: every change that moved a score, with what made it."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import NOW, a_change, an_id, customer_number
from tests.unit.domain.reports.portfolio_books import a_book, checked, midday, scoring, then
from tests.unit.histories import Written, histories

from vitals.domain.change import Change
from vitals.domain.reports.document import said
from vitals.domain.reports.movement import change_moves
from vitals.domain.reports.score_changes import ScoreChanges
from vitals.domain.reports.score_history import build

CAUSES = ["api", "decay", "rescore", "contact"]


@st.composite
def feeds(draw: st.DrawFn) -> list[Change]:
    scores = st.none() | st.integers(0, 100)
    bands = st.sampled_from(["critical", "watch", "healthy"])
    return [
        a_change(
            customer_number(draw(st.integers(0, 3))),
            at=NOW - timedelta(hours=number),
            cause=draw(st.sampled_from(CAUSES)),
            score_before=draw(scores),
            score_after=draw(scores),
            status_before=draw(bands),
            status_after=draw(bands),
            contributions_before=draw(st.sampled_from([{}, {"nps": "40", "logins": "20"}])),
            contributions_after=draw(st.sampled_from([{}, {"nps": "50.5"}, {"days": "60"}])),
        )
        for number in range(draw(st.integers(0, 8)))
    ]


@given(feeds(), st.booleans())
def test_every_change_of_a_score_is_listed_with_what_made_it(
    feed: list[Change], about: bool
) -> None:
    of_one = {"about": an_id(1), "histories": {an_id(1): feed}}
    book = a_book([scoring(1, 50)], **(of_one if about else {"feed": ScoreChanges.of(feed)}))
    document = build(book)
    shown = checked(document)
    wanted = [each for each in feed if each.score_before != each.score_after]
    rows = shown["sections"]
    [changes] = [each for each in rows if each["name"] == "changes"]
    assert [row["at"] for row in changes["rows"]] == [
        each.at.isoformat(timespec="milliseconds").replace("+00:00", "Z") for each in wanted
    ]
    for row, each in zip(document.tables()["changes"].rows, wanted, strict=True):
        cells = row if about else (row[0], *row[2:])
        both = each.score_before is not None and each.score_after is not None
        points = (each.score_after or 0) - (each.score_before or 0) if both else None
        assert cells[1:7] == (
            each.score_before, each.score_after, points, each.status_after, each.cause, each.by,
        )  # fmt: skip
        assert about or row[1] == each.name
        moves = [part for move in change_moves(each)[:2] for part in move]
        assert list(cells[7:]) == moves + [None] * (4 - len(moves))
    counts = {row[0]: row[1:] for row in document.tables()["causes"].rows}
    made = Counter(each.cause for each in wanted)
    assert {cause: row[0] for cause, row in counts.items()} == made
    scored = [each for each in wanted if None not in (each.score_before, each.score_after)]
    for cause, row in counts.items():
        own = [each for each in scored if each.cause == cause]
        rises = sum((each.score_after or 0) > (each.score_before or 0) for each in own)
        assert row[1:] == (rises, len(own) - rises)
    assert build(book) == document


def key_figures(shown: dict[str, Any]) -> dict[str, Any]:
    return {each["name"]: each["value"] for each in shown["sections"][0]["figures"]}


def test_the_latest_changes_say_how_many_they_are_and_which_moved_most() -> None:
    feed = [
        a_change(customer_number(1), at=midday(date(2026, 2, 20)), score_before=60, score_after=40,
                 status_before="watch", status_after="at_risk", cause="decay"),
        a_change(customer_number(2), at=midday(date(2026, 2, 10)), score_before=50, score_after=58,
                 status_before="watch", status_after="watch"),
        a_change(customer_number(2), at=midday(date(2026, 2, 9)), score_before=None,
                 score_after=50, status_after="watch"),
    ]  # fmt: skip
    shown = checked(build(a_book([scoring(1, 40)], feed=ScoreChanges.of(feed))))
    assert shown["headlines"] == [
        "There were 3 score changes of 2 customers since 2026-02-01.",
        "The largest fall was Customer 1's: -20 points, from 60 to 40 on 2026-02-20T12:00:00.000Z, "
        "by decay.",
        "The largest rise was Customer 2's: +8 points, from 50 to 58 on 2026-02-10T12:00:00.000Z, "
        "by api.",
    ]
    assert key_figures(shown) == {"changes": 3, "rises": 1, "falls": 1, "band_changes": 2}
    [table] = [each for each in shown["sections"] if each["name"] == "changes"]
    assert table["note"] == "3 changes of the score since 2026-02-01."


def test_all_changes_count_and_the_newest_are_listed() -> None:
    feed = [
        a_change(customer_number(number % 7), at=NOW - timedelta(minutes=number), cause="decay",
                 score_before=50, score_after=49, status_before="watch", status_after="watch")
        for number in range(1100)
    ]  # fmt: skip
    feed.append(
        a_change(customer_number(8), at=NOW - timedelta(days=20), cause="api",
                 score_before=80, score_after=20, status_before="healthy", status_after="critical")
    )  # fmt: skip
    document = build(a_book([scoring(1, 40)], feed=ScoreChanges.of(iter(feed))))
    shown = checked(document)
    assert shown["headlines"][:2] == [
        "There were 1101 score changes of 8 customers since 2026-02-01.",
        "The largest fall was Customer 8's: -60 points, from 80 to 20 on "
        "2026-02-10T12:00:00.000Z, by api.",
    ]
    assert key_figures(shown) == {"changes": 1101, "rises": 0, "falls": 1101, "band_changes": 1}
    table = document.tables()["changes"]
    assert [row[0] for row in table.rows] == [each.at for each in feed[:1000]]
    assert table.note is not None
    assert said(table.note) == (
        "The latest 1000 of 1101 changes since 2026-02-01; 101 more are older."
    )
    assert document.tables()["causes"].rows == (("decay", 1100, 0, 1100), ("api", 1, 0, 1))


def test_one_change_is_said_as_one() -> None:
    change = a_change(customer_number(1), at=midday(date(2026, 2, 9)), score_before=50,
                      score_after=49, status_before="watch", status_after="watch")  # fmt: skip
    shown = checked(build(a_book([scoring(1, 40)], feed=ScoreChanges.of([change]))))
    assert shown["headlines"][0] == "There was 1 score change of 1 customer since 2026-02-01."
    assert "-1 point, from 50 to 49" in shown["headlines"][1]
    about = a_book([scoring(1, 40)], about=an_id(1), histories={an_id(1): [change]})
    shown = checked(build(about))
    assert shown["headlines"][0] == "Customer 1 scores 40; the score changed 1 time since " \
        "2026-02-01."  # fmt: skip


@pytest.mark.parametrize("about", [True, False])
def test_what_was_not_read_is_said_and_no_part_of_the_period(about: bool) -> None:
    change = a_change(customer_number(1), at=midday(date(2026, 2, 20)), score_before=50,
                      score_after=49)  # fmt: skip
    of_one = {"about": an_id(1), "histories": {an_id(1): [change]}}
    given_book = of_one if about else {"feed": ScoreChanges.of([change])}
    customers = [scoring(1, 40)]
    book = a_book(customers, read_from=change.at, scores_then=then({1: 70}), **given_book)
    shown = checked(build(book))
    assert shown["period"] == {"from": "2026-02-20", "to": "2026-03-02"}
    unread = (
        "There are more changes than one report reads: those before 2026-02-20T12:00:00.000Z are "
        "not in this one."
    )
    assert shown["headlines"][1] == unread
    assert unread in shown["sections"][-1]["lines"]
    if about:
        [chart] = [each for each in shown["sections"] if each["name"] == "score_line"]
        assert chart["labels"][0] == "2026-02-20", "the score then is no part of what was read"


def test_the_line_begins_with_the_score_that_the_period_began_with() -> None:
    changes = [
        a_change(customer_number(1), at=midday(date(2026, 2, 20)), score_before=28, score_after=40),
        a_change(customer_number(1), at=midday(date(2026, 2, 1)), score_before=35, score_after=28),
    ]
    book = a_book(
        [scoring(1, 26)], about=an_id(1), histories={an_id(1): changes}, scores_then=then({1: 35})
    )
    shown = checked(build(book))
    [chart] = [each for each in shown["sections"] if each["name"] == "score_line"]
    assert chart["labels"][:2] == ["2026-01-31", "2026-02-01"]
    assert chart["series"][0]["values"][:2] == [35, 28]
    assert chart["says"] == (
        "The score went from 35 as 2026-02-01 began to 26 on 2026-03-02; of the days shown, "
        "the lowest was 26, the highest 40."
    )
    figure = shown["sections"][0]["figures"][0]
    assert (figure["previous"], figure["value"]) == (35, 26)


def test_a_score_that_stayed_is_said_once() -> None:
    book = a_book(
        [scoring(1, 26)], about=an_id(1), histories={an_id(1): []}, scores_then=then({1: 26})
    )
    [chart] = [each for each in checked(build(book))["sections"] if each["name"] == "score_line"]
    assert chart["says"] == "The score was 26 on every day shown since 2026-02-01."


@given(histories())
def test_a_customers_life_has_a_report(written: list[Written]) -> None:
    customer = customer_number(1)
    changes = [change for _, _, change in written][::-1]
    book = a_book([customer], about=customer.id, histories={customer.id: changes})
    document = build(book)
    checked(document)
    assert "score_line" in [section.name for section in document.sections]


def test_an_empty_book_has_a_report() -> None:
    shown = checked(build(a_book(then=None)))
    assert shown["headlines"] == [
        "No score has changed since 2026-01-31.",
        "No earlier day is known yet, so nothing is compared.",
    ]


def test_a_customer_without_a_history_has_a_report() -> None:
    customer = scoring(1, 50, name="Acme")
    shown = checked(build(a_book([customer], about=customer.id)))
    assert shown["headlines"][0] == "Acme scores 50; the score changed 0 times since 2026-02-01."


def test_a_customer_that_is_not_there_has_none() -> None:
    with pytest.raises(LookupError):
        build(a_book(about="nobody"))
