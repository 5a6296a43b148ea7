"""A tenant's connections as acts find and change them: named once, in use, and shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from vitals.domain.alert import short_hash
from vitals.domain.connection import WEBHOOK, Connection, Health
from vitals.domain.customer import normalised_name
from vitals.domain.errors import (
    ConnectionExistsError,
    ConnectionInUseError,
    ConnectionNotFoundError,
    TooManyError,
)
from vitals.domain.instants import iso
from vitals.domain.rule_document import connection_document, connection_of
from vitals.storage.ports import Entry, EntryChange
from vitals.storage.reaction_ports import CONNECTION, MANAGER, NAMED, REPORT_SCHEDULE, RULE
from vitals.usecases.context import Context

MAX_CONNECTIONS = 200
MOST_USERS = 90
"""One transaction takes so many out of use at once: DynamoDB's has at most 100 parts."""
SHOWN_EMAILS = 3
HIDDEN = "•••"
_WORD = re.compile(r"[A-Za-z_-]{1,20}[0-9]{0,2}")
"""A first part of a path that looks like a word, not like a secret."""


@dataclass(frozen=True)
class Book:
    """Every entry of a tenant's rulebook, as its connections see them.

    *of_reports* gives those beside it; most that is asked of a connection has no need of them.
    """

    tenant_id: str
    entries: Sequence[Entry]
    of_reports: Callable[[], Sequence[Entry]] = tuple

    @cached_property
    def connections(self) -> dict[str, Connection]:
        """Return the connections by id, in the order of their names."""
        found = [
            connection_of(self.tenant_id, each.id, each.version, each.document)
            for each in self._of(CONNECTION)
        ]
        found.sort(key=lambda connection: (connection.name.casefold(), connection.id))
        return {connection.id: connection for connection in found}

    def find(self, connection_id: str, *, webhook: bool = False) -> Connection:
        """Return the connection, a *webhook* if one is meant. Raises ConnectionNotFoundError."""
        found = self.connections.get(connection_id)
        if webhook and (found is None or found.kind != WEBHOOK):
            raise ConnectionNotFoundError(
                f"no webhook subscription has id {connection_id!r}: "
                "list_webhook_subscriptions lists them"
            )
        if found is None:
            raise ConnectionNotFoundError(
                f"no connection has id {connection_id!r}: list_connections lists them"
            )
        return found

    def rules(self, connection_id: str) -> list[Entry]:
        """Return the rules that name the connection."""
        return [
            each
            for each in self._of(RULE)
            if connection_id in each.document.get("connections", ())
            or connection_id in _escalates_to(each)
        ]

    def schedules(self, connection_id: str) -> list[Entry]:
        """Return the report schedules that name the connection; none can name one that is new."""
        if connection_id not in self.connections:
            return []
        return [
            each
            for each in self._schedules
            if connection_id in each.document.get("connections", ())
        ]

    @cached_property
    def _schedules(self) -> list[Entry]:
        return [each for each in self.of_reports() if each.kind == REPORT_SCHEDULE]

    def managers(self, connection_id: str) -> list[Entry]:
        """Return the managers that have the connection."""
        return [each for each in self._of(MANAGER) if connection_id in each.document["connections"]]

    def free_name(self, wanted: str) -> str:
        """Return *wanted*, or if a connection is called so, with the first number that is free."""
        taken = {normalised_name(each.name) for each in self.connections.values()}
        names = (wanted if number == 1 else f"{wanted} {number}" for number in count(1))
        return next(name for name in names if normalised_name(name) not in taken)

    def saved(self, before: Connection | None, after: Connection) -> list[EntryChange]:
        """Return what makes *after* of *before*, and gives it its name.

        Raises ConnectionExistsError, TooManyError.
        """
        if before is None and len(self.connections) >= MAX_CONNECTIONS:
            raise TooManyError(
                f"a tenant has at most {MAX_CONNECTIONS} connections: delete one first"
            )
        name = normalised_name(after.name)
        for other in self.connections.values():
            if other.id != after.id and normalised_name(other.name) == name:
                raise ConnectionExistsError(
                    f"the connection {other.id} is called {other.name!r}: "
                    "give another name, or that id to change it",
                    extra={"id": other.id},
                )
        change = EntryChange(entry(before) if before else None, entry(after))
        return [change, *self._named(before, after)]

    def removed(self, before: Connection, *, force: bool, at: str) -> list[EntryChange]:
        """Return what removes *before*, by *force* also from what names it.

        Raises ConnectionInUseError, TooManyError.
        """
        rules, managers = self.rules(before.id), self.managers(before.id)
        schedules = self.schedules(before.id)
        if (rules or managers or schedules) and not force:
            users = [f"the rule {each.document['name']!r}" for each in rules]
            users += [f"the manager {each.document['name']!r}" for each in managers]
            users += [f"the report schedule {each.document['name']!r}" for each in schedules]
            raise ConnectionInUseError(
                f"{', '.join(users[:10])}{' and others' if len(users) > 10 else ''} "  # noqa: PLR2004 - what one can read
                f"would reach nobody there any more: change them first, or send force: true",
                extra={
                    "rules": [each.document["name"] for each in rules],
                    "managers": [each.document["name"] for each in managers],
                    "report_schedules": [each.document["name"] for each in schedules],
                },
            )
        if len(rules) + len(managers) + len(schedules) > MOST_USERS:
            raise TooManyError(
                f"more than {MOST_USERS} rules, managers and report schedules name the connection: "
                "take it out of some of them first"
            )
        return [
            EntryChange(entry(before), None),
            *self._named(before, None),
            *(EntryChange(each, _rule_without(each, before.id, at)) for each in rules),
            *(EntryChange(each, _manager_without(each, before.id)) for each in managers),
            *(EntryChange(each, _schedule_without(each, before.id, at)) for each in schedules),
        ]

    def _of(self, kind: str) -> Iterator[Entry]:
        return (each for each in self.entries if each.kind == kind)

    def _named(self, before: Connection | None, after: Connection | None) -> Iterator[EntryChange]:
        """Yield what moves the name: an entry for each, which two writers cannot both make."""
        old = before and short_hash(normalised_name(before.name))
        new = after and short_hash(normalised_name(after.name))
        if old == new:
            return
        held = {each.id: each for each in self._of(NAMED)}
        if after and new:
            # It may be there of a connection that went without its name: an endpoint that is gone.
            stale = held.get(new)
            version = stale.version + 1 if stale else 1
            yield EntryChange(stale, Entry(NAMED, new, version, {"id": after.id}))
        if before and old in held and held[old].document["id"] == before.id:
            yield EntryChange(held[old], None)


def book_of(context: Context) -> Book:
    """Return the tenant's rulebook as last written: 1 query, 1 more for what names a connection."""
    rulebooks, tenant_id = context.outbound.rulebooks, context.tenant.id
    return Book(tenant_id, rulebooks.entries(tenant_id), partial(rulebooks.of_reports, tenant_id))


def entry(connection: Connection) -> Entry:
    """Return *connection* as an entry of its version."""
    return Entry(CONNECTION, connection.id, connection.version, connection_document(connection))


def shown_url(url: str) -> str:
    """Return *url* without what may be secret in it: its host, and a first word of its path."""
    parts = urlsplit(url)
    first, _, more = parts.path.lstrip("/").partition("/")
    kept = f"{first}/" if more and _WORD.fullmatch(first) else ""
    rest = HIDDEN if first or parts.query else ""
    return f"{parts.scheme}://{parts.netloc}/{kept}{rest}"


def shown_emails(emails: Sequence[str]) -> str:
    """Return some of *emails*, and how many more there are."""
    more = len(emails) - SHOWN_EMAILS
    return ", ".join(emails[:SHOWN_EMAILS]) + (f" and {more} more" if more > 0 else "")


def connection_view(connection: Connection, health: Health, book: Book) -> dict[str, Any]:
    """Return *connection* as answers show it, without any secret."""
    since, until = health.failing_since, health.resting_until
    return {
        "id": connection.id,
        "name": connection.name,
        "kind": connection.kind,
        "shown": connection.shown,
        "emails": list(connection.emails),
        "events": list(connection.events),
        "filter": connection.condition or None,
        "owner": connection.owner,
        "description": connection.description,
        "enabled": connection.enabled,
        "transient": connection.transient,
        "health": {
            "failing_since": iso(since) if since else None,
            "resting_until": iso(until) if until else None,
            "failures": health.failures,
            "disabled_reason": connection.disabled_reason,
        },
        "used_by": [each.document["name"] for each in book.rules(connection.id)],
        "managers": [each.document["name"] for each in book.managers(connection.id)],
        "report_schedules": [each.document["name"] for each in book.schedules(connection.id)],
        "created_at": iso(connection.created_at),
        "created_by": connection.created_by,
        "updated_at": iso(connection.updated_at),
        "version": connection.version,
    }


def _escalates_to(rule: Entry) -> Sequence[str]:
    found: Sequence[str] = (rule.document.get("escalation") or {}).get("connections", ())
    return found


def _rule_without(rule: Entry, connection_id: str, at: str) -> Entry:
    document = dict(rule.document)
    document["connections"] = [
        each for each in document.get("connections", ()) if each != connection_id
    ]
    left = [each for each in _escalates_to(rule) if each != connection_id]
    if left:
        document["escalation"] = {**document["escalation"], "connections": left}
    else:
        document.pop("escalation", None)
    document["updated_at"] = at
    return Entry(RULE, rule.id, rule.version + 1, document)


def _schedule_without(schedule: Entry, connection_id: str, at: str) -> Entry:
    left = [each for each in schedule.document["connections"] if each != connection_id]
    document = {**schedule.document, "connections": left, "updated_at": at}
    return Entry(REPORT_SCHEDULE, schedule.id, schedule.version + 1, document)


def _manager_without(manager: Entry, connection_id: str) -> Entry | None:
    left = [each for each in manager.document["connections"] if each != connection_id]
    if not left:
        return None
    document = {**manager.document, "connections": left}
    return Entry(MANAGER, manager.id, manager.version + 1, document)
