"""The write loop: read, decide, commit; a writer that lost a race reads again and merges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
from typing import Any

from vitals.domain.change import Change
from vitals.domain.customer import Customer
from vitals.domain.errors import (
    CustomerNotFoundError,
    IdempotencyMismatchError,
    VersionConflictError,
    VitalsError,
)
from vitals.domain.mutation import Reason, settled
from vitals.storage.ports import Commit, StorageBusyError, StoredAnswer, WriteConflictError
from vitals.usecases.context import Answer, Context
from vitals.usecases.inputs import Warning_, WriteOptions

KEEP_ANSWERS = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a write would do: the customer before and after, and what the answer adds.

    An *after* that is *before* itself asks for nothing: not even its score is published anew.
    *show* gives the answer's data where that is not the customer; `unchanged` is put beside it.
    *head* is the version of the customer's events that *after* was computed of.
    """

    before: Customer | None
    after: Customer
    reason: Reason
    extra: Mapping[str, Any] = field(default_factory=dict)
    show: Callable[[Context, Customer], Answer] | None = None
    head: int | None = None


def write(
    context: Context,
    options: WriteOptions,
    warnings: list[Warning_],
    decide: Callable[[Context, int], Draft],
) -> Answer:
    """Return the answer of the write that *decide* drafts, stored once and for all.

    *decide* is called with the context as of the try, and its number; it reads what is stored and
    raises what refuses the write. A dry run stores nothing (PLUS-05). A repeated Idempotency-Key
    gets the first answer (AMB-40). Two writers on one customer are merged field by field in one
    order of versions (AMB-60). Raises BusyError when the request's time is over before a try
    succeeds.
    """
    if not options.dry_run and (replay := stored_answer(context)) is not None:
        return replay
    request = context
    for attempt in count():
        context = replace(request, now=request.clock())
        try:
            draft = decide(context, attempt)
            guard_version(options, draft.before)
        except VitalsError:
            # What refuses the write may be the same request, made a moment ago under the same key.
            if not options.dry_run and (replay := stored_answer(context)) is not None:
                return replay
            raise
        after, change = draft.after, None
        if after is not draft.before:
            after, change = published(context, draft.before, after, draft.reason)
        body = _body(context, draft, after, change, warnings, dry_run=options.dry_run)
        if options.dry_run:
            context.customers.check(context.tenant, after)
            return body
        answer = _stored(context, draft, after, change, body)
        if answer is not None:
            return answer
        context.pause(attempt)
    raise AssertionError("count() is endless")


def published(
    context: Context, before: Customer | None, after: Customer, reason: Reason
) -> tuple[Customer, Change | None]:
    """Return *after* as the next version under the newest model, with its change and its id."""
    model = context.model_for(before)
    old = context.model_of(before.model_version) if before else None
    after, change = settled(before, after, model, reason, context.moment, before_model=old)
    if change is None:
        return after, None
    change = replace(change, id=context.new_id(change.at))
    return replace(after, change_id=change.id), change


def _stored(
    context: Context,
    draft: Draft,
    after: Customer,
    change: Change | None,
    body: Answer,
) -> Answer | None:
    """Return *body* once it is stored, or the winner's answer; None if the race was lost."""
    try:
        _commit(context, draft, after, change, body)
    except WriteConflictError as lost:
        replay = stored_answer(context) if "answer" in lost.on else None
        if replay is not None:
            return replay
    except StorageBusyError:
        pass
    else:
        return body
    # The table may have taken the write and lost its answer on the way.
    return body if change is not None and _is_mine(context, change) else None


def guard_version(options: WriteOptions, before: Customer | None) -> None:
    """Raise VersionConflictError unless *before* is at the version that `if_version` names."""
    stored = before.version if before else 0
    if options.if_version is not None and options.if_version != stored:
        raise VersionConflictError(
            f"if_version is {options.if_version}, the customer is at version {stored}: "
            "read it again and decide anew",
            extra={"if_version": options.if_version, "version": stored},
        )


def _body(
    context: Context,
    draft: Draft,
    after: Customer,
    change: Change | None,
    warnings: list[Warning_],
    *,
    dry_run: bool,
) -> Answer:
    before = draft.before
    shown = draft.show(context, after) if draft.show else context.view(after)
    if draft.show:
        shown = {**shown, "unchanged": change is None}
    cleared = before is not None and before.active_override(context.now) and after.override is None
    return {
        "action": draft.reason.action,
        "created": before is None,
        "unchanged": change is None,
        "score": shown.get("score"),
        "status": shown.get("status"),
        "override_cleared": bool(cleared),
        **({"dry_run": True} if dry_run else {}),
        **draft.extra,
        "data": shown,
        "warnings": warnings,
    }


def _commit(
    context: Context,
    draft: Draft,
    after: Customer,
    change: Change | None,
    body: Answer,
) -> None:
    before = draft.before
    answer = answer_to_keep(context, body)
    arrived = before is not None and after.received != before.received
    if change is not None or arrived or answer is not None:
        commit = Commit(before, after, change, answer, head=draft.head)
        context.customers.commit(context.tenant, commit)


def answer_to_keep(context: Context, body: Answer) -> StoredAnswer | None:
    """Return *body* as the answer of the request's Idempotency-Key, if it bears one."""
    asked = context.idempotency
    if asked is None:
        return None
    now = context.now
    return StoredAnswer(asked.key, asked.fingerprint, body, now, now + KEEP_ANSWERS)


def stored_answer(context: Context) -> Answer | None:
    """Return the stored answer of the request's Idempotency-Key, if it has one.

    Raises IdempotencyMismatchError if it is another request's.
    """
    asked = context.idempotency
    if asked is None:
        return None
    stored = context.customers.answer(context.tenant, asked.key, context.now)
    if stored is None:
        return None
    if stored.fingerprint != asked.fingerprint:
        raise mismatch()
    data = stored.body.get("data")
    customer_id = data.get("id", data.get("customer_id")) if isinstance(data, dict) else None
    # An answer about something of a customer's, which has an id of its own, says whose it is.
    customer_id = stored.body.get("customer_id", customer_id)
    erased = customer_id and context.customers.is_purged(context.tenant, customer_id)
    if erased and not stored.body.get("hard"):
        # What a hard delete erased, no stored answer may bring back (AMB-13).
        raise CustomerNotFoundError(
            "the customer of this Idempotency-Key's first answer was erased for good: "
            "use a new key for a new customer"
        )
    context.replays.append(asked.key)
    return dict(stored.body)


def mismatch() -> IdempotencyMismatchError:
    """Return the error of an Idempotency-Key that was used for another request."""
    return IdempotencyMismatchError(
        "this Idempotency-Key was used for another request in the last 24 hours: "
        "use a new key for a new request"
    )


def _is_mine(context: Context, change: Change) -> bool:
    """Tell whether *change* was stored after all: its answer got lost, not the write."""
    made = context.customers.history(
        context.tenant, change.customer_id, before_version=change.version + 1, page=1
    )
    stored = next(made, None)
    return stored is not None and stored.id == change.id
