"""API keys as items, and back."""

from __future__ import annotations

from datetime import datetime

from vitals.domain.access import ApiKey
from vitals.domain.instants import iso
from vitals.storage import codec, keys
from vitals.storage.table import Item


def key_item(kind: type[Item], key: ApiKey, digest: str) -> Item:
    """Return the item of *key*; its last use is not in `row`, so that noting it races nobody."""
    used = codec.encode([iso(key.last_used_at)]) if key.last_used_at else None
    return kind(
        *keys.api_key(digest),
        index_pk=keys.tenant_keys(key.tenant_id),
        index_sk=f"{iso(key.created_at)}#{key.id}",
        row=key_row(key),
        doc=used,
    )


def key_of(row: str | None, doc: str | None) -> ApiKey:
    """Return the key that *row* describes, last used as *doc* says."""
    stored = codec.decode(row or "")
    return ApiKey(
        id=stored["id"],
        tenant_id=stored["tenant_id"],
        name=stored["name"],
        scopes=tuple(stored["scopes"]),
        prefix=stored["prefix"],
        created_at=datetime.fromisoformat(stored["created_at"]),
        expires_at=instant_of(stored.get("expires_at")),
        revoked_at=instant_of(stored.get("revoked_at")),
        replaced_by=stored.get("replaced_by"),
        last_used_at=instant_of(codec.decode(doc)[0] if doc else None),
    )


def key_row(key: ApiKey) -> str:
    """Return the text of *key*, the same for the same key: a change of it is conditional on it."""
    row = {
        "id": key.id,
        "tenant_id": key.tenant_id,
        "name": key.name,
        "scopes": list(key.scopes),
        "prefix": key.prefix,
        "created_at": iso(key.created_at),
        "expires_at": iso(key.expires_at) if key.expires_at else None,
        "revoked_at": iso(key.revoked_at) if key.revoked_at else None,
        "replaced_by": key.replaced_by,
    }
    return codec.encode({name: value for name, value in row.items() if value is not None})


def instant_of(stored: str | None) -> datetime | None:
    """Return the instant that was *stored*, if one was."""
    return datetime.fromisoformat(stored) if stored else None
