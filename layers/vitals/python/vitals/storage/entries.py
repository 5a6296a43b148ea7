"""Entries of a rulebook as acts of administration write them."""

from __future__ import annotations

from vitals.storage import codec, keys
from vitals.storage.ports import Entry, EntryChange
from vitals.storage.table import Item, Writes


def write_entry(writes: Writes, kind: type[Item], tenant_id: str, change: EntryChange) -> None:
    """Add *change* to *writes*: it is refused if the entry is not as it was before."""
    before, after = change.before, change.after
    same = kind.version == before.version if before else kind.PK.does_not_exist()
    entry = after or before
    if entry is None:
        return
    place = keys.entry(tenant_id, entry.kind, entry.id)
    if after is None:
        from vitals.storage.reaction_ports import CONNECTION  # noqa: PLC0415 - few acts delete

        writes.delete("version", kind(*place), same)
        if entry.kind == CONNECTION:
            writes.delete("health", kind(keys.health_partition(tenant_id), entry.id), None)
        return
    writes.put("version", entry_item(kind, tenant_id, after), same)


def entry_item(kind: type[Item], tenant_id: str, entry: Entry) -> Item:
    """Return the item of *entry*."""
    place = keys.entry(tenant_id, entry.kind, entry.id)
    # What is read with others must bear its version in its text: a query gives no numbers.
    row = codec.encode({"version": entry.version})
    return kind(*place, version=entry.version, row=row, doc=codec.encode(entry.document))
