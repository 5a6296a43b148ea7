"""Effects that are in no transaction: each happens once for an Idempotency-Key."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from vitals.domain.errors import InProgressError
from vitals.storage.ports import StorageBusyError, StoredAnswer
from vitals.usecases.context import Answer, Context
from vitals.usecases.write import KEEP_ANSWERS, mismatch, stored_answer

_CLAIM = "claim"


def once(context: Context, effect: Callable[[], Answer]) -> Answer:
    """Return the answer of *effect*, which a request repeated under its key gets without it.

    The key is claimed first. An effect that raises gives it back; one that broke off keeps it, for
    nobody knows whether it happened. Raises InProgressError, IdempotencyMismatchError.
    """
    asked = context.idempotency
    if asked is None:
        return effect()
    if (replay := stored_answer(context)) is not None:
        return _over(replay)
    now = context.now
    mine = {_CLAIM: context.new_id(now)}
    claimed = StoredAnswer(asked.key, asked.fingerprint, mine, now, now + KEEP_ANSWERS)
    context.customers.claim(context.tenant, claimed)
    stored = context.customers.answer(context.tenant, asked.key, now)
    if stored is not None and stored.fingerprint != asked.fingerprint:
        raise mismatch()
    if stored is not None and stored.body != mine:
        context.replays.append(asked.key)
        return _over(dict(stored.body))
    # An answer gives way to one that is given when it expires: so the claim does to what follows.
    end = replace(claimed, at=claimed.expires_at)
    try:
        answer = effect()
    except Exception:
        with suppress(StorageBusyError):
            context.customers.claim(context.tenant, replace(end, expires_at=now))
        raise
    with suppress(StorageBusyError):
        # It happened: it must not seem to have failed because its answer cannot be kept.
        context.customers.claim(context.tenant, replace(end, body=answer))
    return answer


def _over(body: Answer) -> Answer:
    if _CLAIM not in body:
        return body
    raise InProgressError(
        "the first request of this Idempotency-Key is under way, or broke off: "
        "wait for it, or use a new key to do it again"
    )
