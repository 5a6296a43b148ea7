"""batch_upsert: up to a thousand customers, each on its own (PLUS-08)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Annotated, Any

from pydantic import PlainValidator

from vitals.domain.customer import normalised_name
from vitals.domain.errors import BusyError, FieldError, ValidationError, VitalsError
from vitals.storage.ports import StorageBusyError, StoredAnswer
from vitals.usecases.address_fields import Domain
from vitals.usecases.context import Answer, Context
from vitals.usecases.fields import Flag, one_of, refuse
from vitals.usecases.find import Known
from vitals.usecases.inputs import Input, Reference, Warning_, read
from vitals.usecases.upsert_account import upsert_account
from vitals.usecases.write import KEEP_ANSWERS, mismatch

ACTION = "batch_upsert"
MAX_RECORDS = 1000
WRITERS = 8
"""Records are written by so many threads: they wait for the table, not for the processor."""

Token = tuple[str, str]
_SHARED = ("strict", "dry_run", "create_only", "on_deleted")


def _records(raw: object) -> list[Any]:
    if not isinstance(raw, list):
        refuse("must_be_list", "must be a list of customers")
    return raw


Records = Annotated[
    list[Any], PlainValidator(_records, json_schema_input_type=list[dict[str, Any]])
]


class BatchInput(Input):
    """What holds for every record of a batch."""

    customers: Records
    dry_run: Flag = False
    create_only: Flag = False
    on_deleted: Annotated[str, one_of("refuse", "restore")] = "refuse"


class Named(Reference):
    """All that one customer alone may have, as a record says it."""

    email_domain: Domain | None = None


def batch_upsert(context: Context, given: Mapping[str, Any]) -> Answer:
    """Upsert every record of *given* by itself and answer with each result, in order.

    One bad record never costs the others; records of one customer are applied in the order they
    came in. An Idempotency-Key guards each record by itself. What the request has no time for
    is `not_attempted`, and can be sent again.
    """
    parsed, warnings, _ = read(BatchInput, given)
    records = parsed.customers
    refuse_number(len(records))
    shared = {name: given[name] for name in _SHARED if name in given}
    if parsed.dry_run:
        # Whatever a record says: a batch that is tried stores nothing.
        records = [
            {**each, "dry_run": True} if isinstance(each, dict) else each for each in records
        ]
    else:
        claim(context)
    results = in_order(
        context,
        records,
        lambda index, known: _result(context, records[index], shared, index, known),
    )
    return {
        "action": ACTION,
        "results": results,
        "summary": {
            status: sum(result["status"] == status for result in results)
            for status in ("created", "updated", "unchanged", "error", "not_attempted")
        },
        **({"dry_run": True} if parsed.dry_run else {}),
        "warnings": warnings + _unknown_fields(results),
    }


def in_order(
    context: Context, records: Sequence[Any], one: Callable[[int, Known], Answer]
) -> list[Answer]:
    """Return what *one* makes of each of *records*, by its index and what was read ahead.

    Those of one customer are made one after the other, in their order; others side by side.
    """
    known, chains = _planned(context, records)
    results: list[Answer] = [{}] * len(records)

    def run(chain: Sequence[int]) -> None:
        for index in chain:
            # Only the first record of a customer may trust what was read ahead.
            results[index] = one(index, known if index == chain[0] else Known())

    with ThreadPoolExecutor(max_workers=WRITERS) as writers:
        for done in [writers.submit(run, chain) for chain in chains]:
            done.result()
    return results


def _unknown_fields(results: Sequence[Answer]) -> list[Warning_]:
    """Take the warnings about unknown fields out of *results*, and return one for each field.

    A column that nobody reads is in every record: said a thousand times, it would fill the answer.
    """
    gathered: dict[str, Warning_] = {}
    for result in results:
        kept = []
        for warning in result.get("warnings", ()):
            if warning["code"] != "unknown_field":
                kept.append(warning)
                continue
            first = {**warning, "records": 0, "first_index": result["index"]}
            gathered.setdefault(warning["field"], first)["records"] += 1
        if "warnings" in result:
            result["warnings"] = kept
    return list(gathered.values())


def claim(context: Context) -> StoredAnswer | None:
    """Bind the request's Idempotency-Key to this body before any record is written.

    Returns what the key holds then: an answer, or none yet, which is an empty one. None without a
    key. Raises IdempotencyMismatchError if it is bound to another body.
    """
    asked = context.idempotency
    if asked is None:
        return None
    now = context.now
    own = StoredAnswer(asked.key, asked.fingerprint, {}, now, now + KEEP_ANSWERS)
    context.customers.claim(context.tenant, own)
    stored = context.customers.answer(context.tenant, asked.key, now)
    if stored is not None and stored.fingerprint != asked.fingerprint:
        raise mismatch()
    return stored or own


def refuse_number(count: int) -> None:
    """Raise ValidationError for a *count* of records that is none, or too many."""
    if not 1 <= count <= MAX_RECORDS:
        message = f"must hold 1 to {MAX_RECORDS} customers, holds {count}"
        raise ValidationError([FieldError("customers", "out_of_range", message)])


def _result(
    context: Context, record: Any, shared: Mapping[str, Any], index: int, known: Known
) -> Answer:
    """Return what became of one record; whatever is wrong with it is its own result."""
    if not context.has_time():
        return {"index": index, "status": "not_attempted"}
    own = context
    if context.idempotency is not None:
        asked = context.idempotency
        # No header can spell such a key: it meets no caller's own.
        own = replace(context, idempotency=replace(asked, key=f"{asked.key}\n{index}"))
    try:
        if not isinstance(record, Mapping):
            message = "must be an object"
            raise ValidationError([FieldError(f"customers.{index}", "must_be_object", message)])
        answer = upsert_account(own, {**shared, **record}, known)
    except StorageBusyError:
        return _refused(index, BusyError("the table is throttling: send this record again"))
    except VitalsError as error:
        return _refused(index, error)
    except Exception as error:  # noqa: BLE001 - one record's accident must not hide the others' results
        context.report(error)
        return _refused(index, VitalsError("something went wrong on our side with this record"))
    data = answer["data"]
    status = "created" if answer["created"] else "updated"
    return {
        "index": index,
        "status": "unchanged" if answer["unchanged"] else status,
        "id": data["id"],
        "external_id": data["external_id"],
        "name": data["name"],
        "score": answer["score"],
        "health": answer["status"],
        "version": data["version"],
        **({"dry_run": True} if "dry_run" in answer else {}),
        "warnings": answer["warnings"],
    }


def _refused(index: int, error: VitalsError) -> Answer:
    return {"index": index, "status": "error", "error": told(error)}


def told(error: VitalsError) -> dict[str, Any]:
    """Return *error* as the result of a record shows it."""
    return {
        "code": error.code,
        "detail": error.detail,
        "errors": [
            {"field": each.field, "code": each.code, "message": each.message}
            for each in error.errors
        ],
        **error.extra,
    }


def _planned(context: Context, records: Sequence[Any]) -> tuple[Known, list[list[int]]]:
    """Return what is stored of the records' customers, and the records of each customer in order.

    Records that may mean one customer (by any of its names) are one chain; chains run side by
    side.
    """
    tokens = [_tokens(record) for record in records]
    asked = frozenset(token for each in tokens for token in each if token[0] != "id")
    holders = context.customers.holders(context.tenant, sorted(asked))
    ids = {value for each in tokens for kind, value in each if kind == "id"}
    customers = context.customers.get_many(context.tenant, sorted(ids | set(holders.values())))
    chains: dict[Token, list[int]] = {}
    for index, own in enumerate(tokens):
        same = {("id", holders[token]) if token in holders else token for token in own}
        joined = [index]
        for token in same:
            earlier = chains.get(token)
            if earlier is not None and earlier is not joined:
                joined = sorted({*earlier, *joined})
                same = same | {known for known, chain in chains.items() if chain is earlier}
        for token in same or {("index", str(index))}:
            chains[token] = joined
    unique = {id(chain): chain for chain in chains.values()}
    return Known(asked, holders, customers), list(unique.values())


def _tokens(record: Any) -> list[Token]:
    """Return every (kind, value) by which *record* may find its customer, or meet another's."""
    if not isinstance(record, Mapping):
        return []
    try:
        said, _, _ = read(Named, {k: v for k, v in record.items() if k in Named.model_fields})
    except ValidationError:
        # Its own upsert refuses the record.
        return []
    name = said.name and normalised_name(said.name)
    tokens = (
        ("id", said.id),
        ("external_id", said.external_id),
        ("email_domain", said.email_domain),
        ("name", name),
    )
    return [(kind, value) for kind, value in tokens if value is not None]
