"""The first tenant of a deployment and its first key; the secret is shown once, in the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any

from vitals.domain.access import ALL_SCOPES, ApiKey
from vitals.domain.audit import AuditEvent
from vitals.domain.errors import TenantExistsError
from vitals.storage.ports import Act, Administration, KeyChange, Tenants
from vitals.usecases.api_keys import PREFIX
from vitals.usecases.fields import Flag, Name, whole
from vitals.usecases.inputs import Input, read
from vitals.usecases.tenants import new_tenant


class BootstrapInput(Input):
    """The first tenant and its first key; *shards* is fixed for good (1, or 16 for the largest)."""

    tenant_name: Name = "My company"
    key_name: Name = "first key"
    shards: Annotated[int, whole(1, 64)] = 1
    force: Flag = False


def bootstrap(
    stored: tuple[Tenants, Administration],
    given: Mapping[str, Any],
    now: datetime,
    new_id: Callable[[datetime], str],
    new_key: Callable[[bool], tuple[str, str]],
) -> dict[str, Any]:
    """Create a tenant with its sandbox and a key with every scope, the platform's too.

    One transaction. *new_key* gives a secret and its hash. Raises TenantExistsError unless `force`
    is set.
    """
    parsed, _, _ = read(BootstrapInput, given)
    tenants, administration = stored
    if not parsed.force and tenants.any_tenant():
        raise TenantExistsError("a tenant exists: send force: true to create another")
    created, models = new_tenant(parsed.tenant_name, parsed.shards, now, new_id(now), new_id(now))
    live = created[0].after
    secret, hashed = new_key(True)
    key = ApiKey(new_id(now), live.id, parsed.key_name, ALL_SCOPES, now, prefix=secret[:PREFIX])
    event = AuditEvent(
        id=new_id(now), at=now, action="bootstrap", by="admin", subject=live.id,
        details={"name": live.name, "sandbox_id": live.sandbox_id, "key_id": key.id},
    )  # fmt: skip
    act = Act(event=event, keys=[KeyChange(None, key, hashed)], tenants=created, models=models)
    administration.commit(live, act)
    return {
        "tenant_id": live.id,
        "tenant_name": live.name,
        "sandbox_id": live.sandbox_id,
        "key_id": key.id,
        "api_key": secret,
        "scopes": list(key.scopes),
    }
