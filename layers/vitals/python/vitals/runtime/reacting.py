"""A batch of the table's stream: each record to the use-case that reacts to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import count
from typing import Any

from vitals.runtime.wiring import Wiring
from vitals.storage.ports import StorageBusyError
from vitals.storage.stream import Record, record_of
from vitals.usecases.context import Context
from vitals.usecases.react import react
from vitals.usecases.rulebook import Rulebook, rulebook
from vitals.usecases.subscribers import react_to_model

KEY = "stream"
"""Who acts, as changes and audit name it."""


class Batch:
    """One invocation: what it learnt of a tenant holds for all its records.

    A rulebook is read anew for each batch: a rule that was saved before a write must not miss it.
    """

    def __init__(self, wired: Wiring, now: datetime, seconds_left: Callable[[], float]) -> None:
        self._wired = wired
        self._now = now
        self._seconds_left = seconds_left
        self._known: dict[str, tuple[Context, Rulebook] | None] = {}

    def react(self, raw: Mapping[str, Any]) -> None:
        """React to one record; to the same one again, nothing happens.

        A table that is busy is waited for while there is time: a record is given up last of all.
        """
        record = record_of(raw)
        for attempt in count():
            try:
                self._react(record)
            except StorageBusyError:
                found = self._of(record.tenant_id)
                if found is None:
                    return
                found[0].pause(attempt)
            else:
                return

    def _react(self, record: Record) -> None:
        sent = record.delivery
        if sent is not None:
            self._wired.outbound.sender.send(record.tenant_id, [sent])
        elif record.report_job is not None:
            reports = self._wired.outbound.reports
            reports.send(record.tenant_id, record.report_job, record.unique)
        elif record.customer_id is not None:
            self._react_to_customer(record)
        elif record.model_version is not None:
            found = self._of(record.tenant_id)
            if found is not None:
                react_to_model(*found, record.model_version)

    def _react_to_customer(self, record: Record) -> None:
        found = self._of(record.tenant_id)
        if found is None or record.customer_id is None:
            return
        context, book = found
        after = record.customer(context.tenant, record.new)
        if after is None:
            # Purged: what an earlier record raised meanwhile must not outlive it (AMB-13).
            context.outbound.alerts.erase(context.tenant.id, record.customer_id)
            return
        react(context, book, record.customer(context.tenant, record.old), after)

    def _of(self, tenant_id: str) -> tuple[Context, Rulebook] | None:
        """Return the tenant's context and rulebook; None for a tenant that is gone."""
        if tenant_id not in self._known:
            context = self._wired.background(tenant_id, KEY, self._now, self._seconds_left)
            self._known[tenant_id] = (context, rulebook(context)) if context else None
        return self._known[tenant_id]
