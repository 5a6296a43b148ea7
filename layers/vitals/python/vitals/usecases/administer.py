"""The administration loop: read, decide, commit with its audit event; replays get one answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from vitals.domain.audit import AuditEvent
from vitals.domain.errors import VitalsError
from vitals.domain.job import Job
from vitals.storage.ports import (
    Act,
    EntryChange,
    KeyChange,
    ModelVersion,
    StorageBusyError,
    TenantChange,
    Wake,
    WriteConflictError,
)
from vitals.usecases.context import Answer, Context
from vitals.usecases.fields import Flag
from vitals.usecases.inputs import Input
from vitals.usecases.write import answer_to_keep, stored_answer


class Administering(Input):
    """What every act of administration takes."""

    dry_run: Flag = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an act would change, of which *subject*, and its answer.

    *details* go into the audit. *secret* is added to the answer's data this once: it is in no
    stored answer, and a replay has none.
    """

    subject: str
    answer: Answer
    details: Mapping[str, Any] = field(default_factory=dict)
    keys: Sequence[KeyChange] = ()
    tenants: Sequence[TenantChange] = ()
    models: Sequence[ModelVersion] = ()
    job: Job | None = None
    entries: Sequence[EntryChange] = ()
    wakes: Sequence[Wake] = ()
    secret: Mapping[str, Any] = field(default_factory=dict)

    @property
    def changes(self) -> bool:
        """Tell whether anything would be stored."""
        return bool(self.keys or self.tenants or self.models or self.job or self.entries)


def administer(
    context: Context, action: str, plan: Callable[[Context], Plan], *, dry_run: bool = False
) -> Answer:
    """Return the answer of the act that *plan* plans, stored once and for all with its event.

    *plan* is called with the context as of each try; it reads what is stored and raises what
    refuses the act. What changes nothing leaves no event. Raises BusyError when the request's time
    is over before a try succeeds.
    """
    if not dry_run and (replay := stored_answer(context)) is not None:
        return replay
    request = context
    for attempt in count():
        context = replace(request, now=request.clock())
        try:
            planned = plan(context)
        except VitalsError:
            # What refuses it may be the same request, made a moment ago under the same key.
            if not dry_run and (replay := stored_answer(context)) is not None:
                return replay
            raise
        answer = {"action": action, **planned.answer}
        if dry_run:
            return answer | {"dry_run": True}
        if not planned.changes:
            return answer
        done = _committed(context, action, planned, answer)
        if done is not None:
            return done
        context.pause(attempt)
    raise AssertionError("count() is endless")


def _without_secret(answer: Answer) -> Answer:
    """Return *answer* as it is replayed, which says what it no longer has."""
    warning = {
        "code": "secret_shown_once",
        "field": "data",
        "message": "held a secret when it was first given; a lost one is replaced by a new one",
    }
    return answer | {"warnings": [*answer["warnings"], warning]}


def _committed(context: Context, action: str, planned: Plan, answer: Answer) -> Answer | None:
    """Return *answer*, with its secret, once it is stored, or the winner's; None: race lost."""
    event = AuditEvent(
        id=context.new_id(context.now),
        at=context.now,
        action=action,
        by=context.key.id,
        subject=planned.subject,
        source_ip=context.source_ip,
        details=planned.details,
    )
    act = Act(
        event=event,
        keys=planned.keys,
        tenants=planned.tenants,
        models=planned.models,
        job=planned.job,
        entries=planned.entries,
        wakes=planned.wakes,
        answer=answer_to_keep(context, _without_secret(answer) if planned.secret else answer),
    )
    try:
        context.administration.commit(context.tenant, act)
    except WriteConflictError as lost:
        return stored_answer(context) if "answer" in lost.on else None
    except StorageBusyError:
        # The table may have taken the act and lost its answer on the way.
        if not context.administration.is_done(context.tenant, event):
            return None
    for change in planned.tenants:
        context.forget(change.after.id)
    return {**answer, "data": {**answer["data"], **planned.secret}} if planned.secret else answer
