"""What is made or looked at as something is saved: URLs that may be sent to, secrets, tokens."""

from __future__ import annotations

import secrets

from vitals.runtime.settings import settings

SECRET_BYTES = 32
TOKEN_BYTES = 16


def check_url(url: str) -> None:
    """Raise ValueError, worded for whoever saves it, for a *url* that nothing may be sent to."""
    from vitals.delivery.addresses import check_url as check  # noqa: PLC0415 - few requests save one

    check(url, settings().local)


def new_secret() -> str:
    """Return a new secret that webhooks are signed with."""
    from vitals.delivery import webhook  # noqa: PLC0415 - as above

    return webhook.new_secret(secrets.token_bytes(SECRET_BYTES))


def new_token() -> str:
    """Return what nobody guesses, in letters that stand in a URL."""
    return secrets.token_urlsafe(TOKEN_BYTES)
