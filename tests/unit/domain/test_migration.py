"""A migration counts what each model says of each customer, in any order."""

from __future__ import annotations

from collections import Counter
from datetime import UTC
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders import NOW, a_customer, a_model, an_id, with_signals
from tests.unit import strategies

from vitals.domain.migration import MOST_MOVERS, Migration, distance, why
from vitals.domain.model_document import model_from_document
from vitals.domain.mutation import rescored

signals = st.dictionaries(st.sampled_from(["logins", "adoption", "tickets"]), st.integers(0, 100))


@settings(max_examples=60, deadline=None)
@given(strategies.documents(), st.lists(signals, max_size=12), st.randoms())
def test_the_matrix_is_what_counting_one_by_one_gives(
    document: Any, held: list[Any], dice: Any
) -> None:
    before, after = a_model(), model_from_document(2, document)
    customers = [a_customer(id=an_id(n), signals=each) for n, each in enumerate(held)]
    counted: Counter[tuple[str, str]] = Counter()
    moved = 0
    for customer in customers:
        old = customer.published_at(before, NOW, UTC)
        moving, _ = rescored(customer, customer, after, NOW, staged=True)
        new = (moving.score, moving.status)
        counted[old[1], new[1]] += 1
        moved += old != new
    for _ in range(2):
        migration = Migration(NOW)
        for customer in customers:
            migration.add(customer, before, after)
        matrix = migration.result()["matrix"]
        assert sum(map(sum, (row.values() for row in matrix.values()))) == len(customers)
        assert {k: n for k, n in counted.items() if n} == {
            (old, new): n for old, row in matrix.items() for new, n in row.items() if n
        }
        assert migration.moved == moved
        dice.shuffle(customers)


def test_those_who_move_farthest_are_named_first_and_those_who_change_band_before_all() -> None:
    after = a_model(2, signals=with_signals(logins={"weight": 50}, adoption={"weight": 0}))
    migration = Migration(NOW)
    held = [{"logins": 30 * n // 300, "adoption": 60} for n in range(300)]
    for number, each in enumerate(held):
        migration.add(a_customer(id=an_id(number), signals=each), a_model(), after)
    movers = migration.farthest()
    assert len(movers) == MOST_MOVERS < migration.moved
    ranks = [distance(row) for row in movers]
    assert ranks == sorted(ranks, reverse=True)


def test_why_a_customer_moves_is_told_by_the_signals_whose_part_changes() -> None:
    before = a_model()
    after = a_model(2, signals=with_signals(logins={"weight": 50}, adoption={"weight": 0}))
    customer = a_customer(signals={"logins": 15, "adoption": 100})
    assert why((customer, before), (customer, after), NOW) == {
        "logins": [25, 50], "adoption": [50, None]
    }  # fmt: skip
