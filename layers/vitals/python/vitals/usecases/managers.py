"""Managers: the connections over which each is told of the alerts of their customers (PLUS-18)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vitals.domain.alert import short_hash
from vitals.domain.errors import (
    FieldError,
    ManagerNotFoundError,
    TooManyError,
    ValidationError,
)
from vitals.domain.instants import iso
from vitals.storage.ports import Entry, EntryChange
from vitals.storage.reaction_ports import CONNECTION, MANAGER
from vitals.usecases.administer import Plan, administer
from vitals.usecases.connection_input import ManagerInput, PutManagerInput
from vitals.usecases.context import Answer, Context
from vitals.usecases.inputs import Input, read

MAX_MANAGERS = 500


def list_managers(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return every manager that has connections, in the order of names.

    *missing* are those of its connections that there are no more.
    """
    _, warnings, _ = read(Input, given)
    entries = _entries(context)
    data = [_view(each, entries) for each in entries if each.kind == MANAGER]
    data.sort(key=lambda manager: str(manager["name"]).casefold())
    return {"action": "list_managers", "data": data, "count": len(data), "warnings": warnings}


def put_manager(context: Context, given: Mapping[str, Any]) -> Answer:
    """Give a manager these connections, in the place of those that they had.

    Customers bear the manager's name, however it is cased. Raises ValidationError for a connection
    that there is not, TooManyError.
    """
    parsed, warnings, _ = read(PutManagerInput, given)

    def plan(context: Context) -> Plan:
        entries = _entries(context)
        there = {each.id for each in entries if each.kind == CONNECTION}
        unknown = [each for each in parsed.connections if each not in there]
        if unknown:
            raise ValidationError(
                [
                    FieldError(
                        "connections",
                        "unknown_connection",
                        f"no connection has id {each!r}: list_connections lists them",
                    )
                    for each in unknown
                ]
            )
        before = _found(entries, parsed.name)
        if before is None and sum(each.kind == MANAGER for each in entries) >= MAX_MANAGERS:
            raise TooManyError(f"a tenant has at most {MAX_MANAGERS} managers: delete one first")
        document = {"name": parsed.name, "connections": list(parsed.connections)}
        old = {name: before.document[name] for name in document} if before else {}
        after = before
        if before is None or old != document:
            document["updated_at"] = iso(context.now)
            version = before.version + 1 if before else 1
            after = Entry(MANAGER, _id(parsed.name), version, document)
        unchanged = after is before
        return Plan(
            subject=_id(parsed.name),
            answer={
                "created": before is None,
                "unchanged": unchanged,
                "data": _view(after, entries) if after else {},
                "warnings": warnings,
            },
            details={"name": parsed.name, "connections": list(parsed.connections)},
            entries=[] if unchanged else [EntryChange(before, after)],
        )

    return administer(context, "put_manager", plan, dry_run=parsed.dry_run)


def delete_manager(context: Context, given: Mapping[str, Any]) -> Answer:
    """Take a manager's connections away: rules that route to them reach nobody there any more.

    The connections stay. Raises ManagerNotFoundError.
    """
    parsed, warnings, _ = read(ManagerInput, given)

    def plan(context: Context) -> Plan:
        before = _found(_entries(context), parsed.name)
        if before is None:
            raise ManagerNotFoundError(
                f"no manager called {parsed.name!r} has connections: list_managers lists them"
            )
        name = before.document["name"]
        return Plan(
            subject=before.id,
            answer={"data": {"name": name, "deleted": True}, "warnings": warnings},
            details={"name": name},
            entries=[EntryChange(before, None)],
        )

    return administer(context, "delete_manager", plan, dry_run=parsed.dry_run)


def _entries(context: Context) -> list[Entry]:
    return context.outbound.rulebooks.entries(context.tenant.id)


def _id(name: str) -> str:
    """Return the id under which a manager is kept: the name's own, so that it is there once."""
    return short_hash(name.casefold())


def _found(entries: Sequence[Entry], name: str) -> Entry | None:
    wanted = (MANAGER, _id(name))
    return next((each for each in entries if (each.kind, each.id) == wanted), None)


def _view(manager: Entry, entries: Sequence[Entry]) -> dict[str, Any]:
    there = {each.id for each in entries if each.kind == CONNECTION}
    connections = manager.document["connections"]
    return {
        "name": manager.document["name"],
        "connections": list(connections),
        "missing": [each for each in connections if each not in there],
        "updated_at": manager.document.get("updated_at"),
        "version": manager.version,
    }
