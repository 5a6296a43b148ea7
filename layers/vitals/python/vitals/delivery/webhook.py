"""How a webhook is signed: the Standard Webhooks specification."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

PREFIX = "whsec_"
SECRET_BYTES = range(24, 65)
"""How long a secret may be before it is encoded."""


def new_secret(random_bytes: bytes) -> str:
    """Return *random_bytes*, 24 to 64 of them, as a secret is written. Raises ValueError."""
    if len(random_bytes) not in SECRET_BYTES:
        raise ValueError("a secret has 24 to 64 bytes")
    return PREFIX + base64.b64encode(random_bytes).decode("ascii")


def signature_headers(
    event_id: str, at: datetime, body: bytes, secrets: Sequence[str]
) -> dict[str, str]:
    """Return the three headers that prove *body* to come from here, at *at*.

    One signature for each secret, so that a receiver may hold either while one rotates.
    Raises ValueError for a secret that is not `whsec_` and base64.
    """
    stamp = str(int(at.timestamp()))
    content = f"{event_id}.{stamp}.".encode() + body
    return {
        "webhook-id": event_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(_signature(content, secret) for secret in secrets),
    }


def _signature(content: bytes, secret: str) -> str:
    if not secret.startswith(PREFIX):
        raise ValueError(f"a secret starts with {PREFIX}")
    key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    digest = hmac.new(key, content, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode("ascii")
