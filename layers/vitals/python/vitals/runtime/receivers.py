"""What a connection needs when it is saved: a URL that may be sent to, a secret to sign with."""

from __future__ import annotations

import secrets

from vitals.runtime.settings import settings

SECRET_BYTES = 32


def check_url(url: str) -> None:
    """Raise ValueError, worded for whoever saves it, for a *url* that nothing may be sent to."""
    from vitals.delivery.addresses import check_url as check  # noqa: PLC0415 - few requests save one

    check(url, settings().local)


def new_secret() -> str:
    """Return a new secret that webhooks are signed with."""
    from vitals.delivery import webhook  # noqa: PLC0415 - as above

    return webhook.new_secret(secrets.token_bytes(SECRET_BYTES))
