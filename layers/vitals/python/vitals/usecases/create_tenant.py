"""Creating tenants and their first keys; the secret is shown once, in the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any

from vitals.domain.access import SCOPES, ApiKey, Tenant
from vitals.domain.errors import TenantExistsError
from vitals.domain.model import DEFAULT_MODEL
from vitals.storage.ports import Tenants
from vitals.usecases.api_keys import PREFIX
from vitals.usecases.fields import Flag, Name, whole
from vitals.usecases.inputs import Input, read


class BootstrapInput(Input):
    """The first tenant and its first key; *shards* is fixed for good (1, or 16 for the largest)."""

    tenant_name: Name = "My company"
    key_name: Name = "first key"
    shards: Annotated[int, whole(1, 64)] = 1
    force: Flag = False


def bootstrap(
    tenants: Tenants,
    given: Mapping[str, Any],
    now: datetime,
    new_id: Callable[[datetime], str],
    make_key: Callable[[], tuple[str, str]],
) -> dict[str, Any]:
    """Create a tenant with the default model and a key with every scope; return both.

    *make_key* gives a secret and its hash. Raises TenantExistsError unless `force` is set.
    """
    parsed, _, _ = read(BootstrapInput, given)
    if not parsed.force and tenants.any_tenant():
        raise TenantExistsError("a tenant exists: send force: true to create another")
    tenant = Tenant(new_id(now), parsed.tenant_name, now, shards=parsed.shards)
    secret, hashed = make_key()
    key = ApiKey(
        id=new_id(now),
        tenant_id=tenant.id,
        name=parsed.key_name,
        scopes=SCOPES,
        created_at=now,
        prefix=secret[:PREFIX],
    )
    tenants.create_tenant(tenant, DEFAULT_MODEL)
    tenants.create_key(key, hashed)
    return {
        "tenant_id": tenant.id,
        "tenant_name": tenant.name,
        "key_id": key.id,
        "api_key": secret,
        "scopes": list(key.scopes),
    }
