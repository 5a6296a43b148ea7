"""Answers that Idempotency-Keys have, written with what they guard."""

from __future__ import annotations

from pynamodb.expressions.condition import Condition

from vitals.domain.access import Tenant
from vitals.storage import codec, keys
from vitals.storage.ports import StoredAnswer
from vitals.storage.table import Item, Writes


def put_answer(
    writes: Writes, kind: type[Item], tenant: Tenant, answer: StoredAnswer | None
) -> None:
    """Add *answer*, if there is one, to *writes*: it is refused if the key has an answer."""
    if answer is not None:
        writes.put("answer", answer_item(kind, tenant, answer), unanswered(kind, answer))


def answer_item(kind: type[Item], tenant: Tenant, answer: StoredAnswer) -> Item:
    """Return the item of *answer*."""
    doc = codec.encode({"fingerprint": answer.fingerprint, "body": answer.body})
    return kind(*keys.answer(tenant, answer.key), doc=doc, expires_at=answer.expires_at)


def unanswered(kind: type[Item], answer: StoredAnswer) -> Condition:
    """Return the condition that the key has no answer, or an expired one."""
    # Expired items are deleted late, if ever; TTL counts whole seconds.
    expired: Condition = kind.expires_at <= answer.at
    free: Condition = kind.PK.does_not_exist() | expired
    return free
