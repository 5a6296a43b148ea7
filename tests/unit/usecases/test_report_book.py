"""What a report's book is filled under."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import NOW, a_change, an_id, customer_number
from tests.unit.domain.reports.portfolio_books import THEN, a_book, scoring

from vitals.domain.change import Change
from vitals.domain.instants import start_of
from vitals.usecases import report_book
from vitals.usecases.report_book import kept, with_feed, with_histories


def test_nothing_looks_for_garbage_while_a_report_is_made_and_again_after() -> None:
    with kept():
        with kept():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_report_that_fails_leaves_the_search_for_garbage_on() -> None:
    with pytest.raises(LookupError), kept():
        raise LookupError
    assert gc.isenabled()


class Feed:
    """Customers of whom the changes alone are known, newest first."""

    def __init__(self, changes: list[Change]) -> None:
        self.changes, self.read = changes, 0
        self.since: datetime | None = None

    def feed(self, _: Any, *, since: datetime) -> Iterator[Change]:
        self.since = since
        for change in self.changes:
            self.read += 1
            yield change

    def history(self, _: Any, customer_id: str, **__: Any) -> Iterator[Change]:
        yield from (each for each in self.changes if each.customer_id == customer_id)


def context_of(feed: Feed) -> Any:
    return SimpleNamespace(customers=feed, tenant=None)


def changes_of(whose: list[int]) -> list[Change]:
    return [
        a_change(customer_number(number), at=NOW - timedelta(minutes=place),
                 score_before=place % 3, score_after=1)
        for place, number in enumerate(whose)
    ]  # fmt: skip


@given(st.lists(st.integers(1, 3), max_size=12), st.integers(1, 12))
def test_of_a_feed_so_many_changes_are_read_and_those_are_counted(
    whose: list[int], most: int
) -> None:
    feed = Feed(changes_of(whose))
    book = a_book([scoring(1, 50), scoring(2, 40, lifecycle="churned")])
    with_feed(context_of(feed), book, most)
    assert feed.since == start_of(THEN, book.where), "the period's first day"
    read = feed.changes[:most]
    meant = [each for each in read if each.customer_id in (an_id(1), an_id(2))]
    assert book.feed is not None
    assert book.feed.listed == [each for each in meant if each.score_before != 1]
    assert feed.read <= most + 1
    cut = len(whose) > most
    assert book.read_from == (read[-1].at if cut else None)
    assert book.first_day == (read[-1].at.date() if cut else THEN)


def test_a_history_that_is_cut_begins_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_book, "MOST_CHANGES", 3)
    changes = changes_of([1, 1, 1, 1, 2])
    book = a_book([scoring(1, 50), scoring(2, 50)], about=an_id(1))
    with_histories(context_of(Feed(changes)), book, [an_id(1)])
    assert list(book.histories[an_id(1)]) == changes[:3]
    assert book.read_from == changes[2].at
    book = a_book([scoring(1, 50), scoring(2, 50)], about=an_id(2))
    with_histories(context_of(Feed(changes)), book, [an_id(1), an_id(2)])
    assert book.read_from is None, "of the one that it is about, all was read"
