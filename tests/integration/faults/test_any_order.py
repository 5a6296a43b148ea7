"""Two clients of one tenant do anything in any order; a plain book says what must come of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from local import template
from tests.integration.actions.api import Clock
from tests.integration.faults import sending
from tests.integration.faults.desk import Desk
from tests.integration.faults.sending import Manner
from tests.integration.faults.wire import Wire
from tests.integration.tables import connected

EXAMPLES = int(os.environ.get("VITALS_EXAMPLES", "20"))
"""Sequences of STEPS steps."""
STEPS = 30


class AnyOrder(RuleBasedStateMachine):
    """Every action against the book."""

    desk: Desk

    @initialize(shards=st.sampled_from([1, 4]))
    def begin(self, shards: int) -> None:
        self.desk.open(shards)

    def teardown(self) -> None:
        try:
            # A step that failed has left the two apart: another failure would hide it.
            if sys.exception() is None:
                self.desk.audit()
        finally:
            self.desk.close()

    @rule(
        data=sending.upserted,
        fields=sending.fields,
        options=sending.upsert_options,
        manner=sending.manners,
    )
    def upsert(self, data: Any, fields: Any, options: Any, manner: Manner) -> None:
        self.desk.write("upsert_account", {**data, **fields, **options}, manner)

    @rule(reference=sending.references, fields=sending.fields, manner=sending.manners)
    def change(self, reference: Any, fields: Any, manner: Manner) -> None:
        self.desk.write("upsert_account", dict([reference]) | fields, manner)

    @rule(reference=sending.references, field=sending.one_field, manner=sending.manners)
    def update(self, reference: Any, field: Any, manner: Manner) -> None:
        self.desk.write("update_health", dict([reference]) | field, manner)

    @rule(number=sending.numbers, name=sending.names, manner=sending.manners)
    def rename(self, number: int, name: str, manner: Manner) -> None:
        data = {"id": number, "field": "name", "value": name}
        self.desk.write("update_health", data, manner)

    @rule(
        reference=sending.references,
        hard=st.sampled_from([False, False, False, True]),
        manner=sending.manners,
    )
    def delete(self, reference: Any, hard: bool, manner: Manner) -> None:
        data = dict([reference]) | ({"hard": True} if hard else {})
        self.desk.write("delete_customer", data, manner)

    @rule(reference=sending.references, manner=sending.manners)
    def restore(self, reference: Any, manner: Manner) -> None:
        self.desk.write("restore_customer", dict([reference]), manner)

    @rule(reference=sending.references, manner=sending.manners)
    def score(self, reference: Any, manner: Manner) -> None:
        self.desk.write("score_customer", dict([reference]), manner)

    @rule(reference=sending.references, manner=sending.manners)
    def contact(self, reference: Any, manner: Manner) -> None:
        self.desk.write("log_contact", dict([reference]), manner)

    @rule(records=sending.records, manner=sending.manners)
    def batch(self, records: Any, manner: Manner) -> None:
        self.desk.batch(records, manner)

    @precondition(lambda self: self.desk.last)
    @rule(who=st.integers(0, 1))
    def send_the_last_once_more(self, who: int) -> None:
        self.desk.repeat(who)

    @precondition(lambda self: self.desk.last)
    @rule(who=st.integers(0, 1))
    def use_the_last_key_for_another(self, who: int) -> None:
        self.desk.misuse(who)

    @rule(passed=sending.passing)
    def time_passes(self, passed: Mapping[str, float]) -> None:
        self.desk.admin.later(**passed)

    @rule(reference=sending.references, trash=st.booleans())
    def read(self, reference: Any, trash: bool) -> None:
        self.desk.read(dict([reference]), trash=trash)

    @rule(
        query=sending.filters,
        sort=sending.sorts,
        order=st.sampled_from(["asc", "desc"]),
        limit=st.integers(1, 4),
    )
    def list(self, query: Any, sort: str, order: str, limit: int) -> None:
        self.desk.list({**query, "order": order}, sort, limit)

    @rule(limit=st.integers(1, 40))
    def feed(self, limit: int) -> None:
        self.desk.feed(limit)

    @rule(reference=sending.references)
    def history(self, reference: Any) -> None:
        self.desk.history(dict([reference]))

    @rule(number=sending.numbers)
    def stranger(self, number: int) -> None:
        self.desk.stranger_sees_nothing(number)


def test_two_clients_in_any_order_leave_what_the_book_says(  # noqa: PLR0917 - pytest fills them in
    aws: Mapping[str, str],
    template_table: template.Table,
    hands: Clock,
    impatient: Wire,
    bodies: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del impatient  # it is there for what it does to botocore
    table = connected("any-order", aws)
    monkeypatch.setattr("vitals.runtime.wiring.Table", lambda _: table)
    AnyOrder.desk = Desk(table, template_table, hands, bodies)
    run_state_machine_as_test(
        AnyOrder,
        settings=settings(
            # The same walks each time, unless more are asked for: a gate must not be a lottery.
            derandomize="VITALS_EXAMPLES" not in os.environ,
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
