"""The rulebook of a tenant: its rules, the built-in ones among them, connections and managers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from vitals.domain.builtin_rules import built_in
from vitals.domain.condition import Condition, ConditionError, signal_fields
from vitals.domain.condition_text import parse
from vitals.domain.connection import EMAIL, Connection
from vitals.domain.rule import Rule
from vitals.domain.rule_document import Document, connection_of, rule_of
from vitals.storage.ports import Entry
from vitals.storage.reaction_ports import CONNECTION, MANAGER, RULE, SWITCHED
from vitals.usecases.context import Context

ANY = "*"
"""A subscription to every event."""
ADDRESS = "mailto:"
"""What the id of a connection begins with that is nothing but an e-mail address."""


@dataclass(frozen=True)
class Rulebook:
    """Everything that decides who is told of what.

    *managers* are by case-folded name; *filters* are which customers a subscription is about, by
    its id, where not everybody's.
    """

    rules: tuple[Rule, ...]
    connections: Mapping[str, Connection]
    managers: Mapping[str, tuple[str, ...]]
    filters: Mapping[str, Condition]

    def receivers(self, rule: Rule, manager: str | None) -> tuple[str, ...]:
        """Return the ids of the connections that are told of an alert of *manager*'s customer."""
        own = self.managers.get((manager or "").casefold(), ()) if rule.to_manager else ()
        return self.reachable((*rule.connections, *own))

    def reachable(self, ids: Iterable[str]) -> tuple[str, ...]:
        """Return those of *ids* that there are and that are enabled, each once."""
        found = (self.connections.get(each) for each in dict.fromkeys(ids))
        return tuple(each.id for each in found if each is not None and each.enabled)

    @cached_property
    def subscriptions(self) -> tuple[Connection, ...]:
        """Return the enabled connections that subscribe to events by themselves.

        One whose filter cannot be read any more, say about a signal that is gone, rests.
        """
        return tuple(
            each
            for each in self.connections.values()
            if each.events and each.enabled and (not each.condition or each.id in self.filters)
        )

    def subscribed(self, kind: str) -> tuple[Connection, ...]:
        """Return the subscriptions to events of *kind*, or to all, whatever their filters."""
        wanted = {kind, ANY}
        return tuple(each for each in self.subscriptions if not wanted.isdisjoint(each.events))

    def rule(self, rule_id: str) -> Rule | None:
        """Return the rule under *rule_id*."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)


def rulebook(context: Context) -> Rulebook:
    """Return the tenant's rulebook as last written: 1 query."""
    return rulebook_of(context, context.outbound.rulebooks.entries(context.tenant.id))


def rulebook_of(context: Context, entries: Iterable[Entry]) -> Rulebook:
    """Return the rulebook of *entries*; a rule that the model of today cannot read rests."""
    tenant_id, extra = context.tenant.id, signal_fields(context.model)
    rules: list[Rule] = []
    connections: dict[str, Connection] = {}
    managers: dict[str, tuple[str, ...]] = {}
    switched: dict[str, Document] = {}
    for entry in entries:
        document = entry.document
        if entry.kind == RULE:
            try:
                rules.append(rule_of(tenant_id, entry.id, entry.version, document, extra))
            except ConditionError as error:
                # One rule about a signal that is gone must not silence the others.
                context.report(error)
        elif entry.kind == CONNECTION:
            connections[entry.id] = connection_of(tenant_id, entry.id, entry.version, document)
        elif entry.kind == MANAGER:
            managers[document["name"].casefold()] = tuple(document["connections"])
        elif entry.kind == SWITCHED:
            switched[entry.id] = document
    own = built_in(tenant_id, context.tenant.created_at, switched)
    filters = {}
    for each in connections.values():
        try:
            if each.condition:
                filters[each.id] = parse(each.condition, extra)
        except ConditionError as error:
            context.report(error)
    return Rulebook((*own, *rules), connections, managers, filters)


def connection_under(context: Context, connection_id: str) -> Connection | None:
    """Return the connection under *connection_id* as last written; an address is one as well."""
    if connection_id.startswith(ADDRESS):
        email = connection_id.removeprefix(ADDRESS)
        tenant = context.tenant
        return Connection(
            id=connection_id,
            tenant_id=tenant.id,
            name=email,
            kind=EMAIL,
            shown=email,
            emails=(email,),
            created_at=tenant.created_at,
            updated_at=tenant.created_at,
            created_by="vitals",
        )
    entry = context.outbound.rulebooks.entry(context.tenant.id, CONNECTION, connection_id)
    if entry is None:
        return None
    return connection_of(context.tenant.id, entry.id, entry.version, entry.document)
