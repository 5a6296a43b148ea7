"""API keys: how they are made, checked without a read, and hashed (AMB-15)."""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SECRET = 32
_CHECKSUM = 6
_KEY = re.compile(rf"vt_(live|test)_[0-9A-Za-z]{{{_SECRET + _CHECKSUM}}}", re.ASCII)


def make_key(*, live: bool = True) -> str:
    """Return a new secret key: vt_live_ or vt_test_, 190 random bits, a checksum."""
    secret = "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET))
    start = f"vt_{'live' if live else 'test'}_{secret}"
    return start + _checksum(start)


def new_key(live: bool) -> tuple[str, str]:
    """Return a new secret key and its digest."""
    secret = make_key(live=live)
    return secret, digest(secret)


def looks_right(key: str) -> bool:
    """Tell whether *key* has a key's form and checksum: a mistyped one is refused unread."""
    return bool(_KEY.fullmatch(key)) and key[-_CHECKSUM:] == _checksum(key[:-_CHECKSUM])


def digest(key: str) -> str:
    """Return the SHA-256 under which *key* is stored, in hexadecimal.

    A fast hash is right here: the key is random, not a password that could be guessed.
    """
    return hashlib.sha256(key.encode()).hexdigest()


def _checksum(text: str) -> str:
    number = zlib.crc32(text.encode())
    digits = ""
    for _ in range(_CHECKSUM):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
