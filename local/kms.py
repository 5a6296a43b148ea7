"""KMS as functions call it: Encrypt and Decrypt, with one key file beside the data."""

import base64
import contextlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from local.folder import write_private
from local.service_server import Service, ServiceError

_MAX_PLAINTEXT = 4096
_NONCE_BYTES = 12
_ID_BYTES = 36  # of a key's id, which a ciphertext begins with
_ALGORITHM = "SYMMETRIC_DEFAULT"


class Kms:
    """The template's keys: one secret at *path*, made when there is none, bound to each by name."""

    def __init__(self, path: Path, arns: Iterable[str]) -> None:
        if not path.exists():
            write_private(path, os.urandom(32).hex() + "\n")
        self._cipher = AESGCM(bytes.fromhex(path.read_text(encoding="ascii")))
        self._arns = {arn.rpartition("/")[2]: arn for arn in arns}

    def service(self) -> Service:
        """Return what of KMS is played."""
        prefix = "TrentService."
        return Service(
            prefix,
            {f"{prefix}Encrypt": self.encrypt, f"{prefix}Decrypt": self.decrypt},
            "UnsupportedOperationException",
        )

    def encrypt(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return what decrypt() turns back, under the same encryption context alone."""
        key_id = self._key(request)
        plaintext = _bytes(request, "Plaintext")
        if not 0 < len(plaintext) <= _MAX_PLAINTEXT:
            raise ServiceError("ValidationException", "Plaintext has to be 1 to 4096 bytes.")
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, plaintext, _bound(key_id, request))
        return {
            "CiphertextBlob": base64.b64encode(key_id.encode() + nonce + sealed).decode(),
            "KeyId": self._arns[key_id],
            "EncryptionAlgorithm": _ALGORITHM,
        }

    def decrypt(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return what was encrypted; raise ServiceError if its context or key is another."""
        blob = _bytes(request, "CiphertextBlob")
        key_id = blob[:_ID_BYTES].decode("ascii", errors="replace")
        if request.get("KeyId") is not None and self._key(request) != key_id:
            raise ServiceError("IncorrectKeyException", "It was encrypted under another key.")
        nonce, sealed = blob[_ID_BYTES:][:_NONCE_BYTES], blob[_ID_BYTES + _NONCE_BYTES :]
        with contextlib.suppress(InvalidTag, ValueError):
            plaintext = self._cipher.decrypt(nonce, sealed, _bound(key_id, request))
            if key_id in self._arns:
                return {
                    "Plaintext": base64.b64encode(plaintext).decode(),
                    "KeyId": self._arns[key_id],
                    "EncryptionAlgorithm": _ALGORITHM,
                }
        raise ServiceError("InvalidCiphertextException", "It cannot be decrypted in this context.")

    def _key(self, request: Mapping[str, Any]) -> str:
        given = str(request.get("KeyId"))
        for key_id, arn in self._arns.items():
            if given in (key_id, arn):
                return key_id
        raise ServiceError("NotFoundException", f"The template has no key {given}.")


def _bound(key_id: str, request: Mapping[str, Any]) -> bytes:
    """Return what a ciphertext holds to: its key, the context in any order, and the algorithm."""
    for unknown in sorted({"GrantTokens", "DryRun", "Recipient"} & set(request)):
        raise ServiceError(
            "UnsupportedOperationException", f"The local cloud does not play {unknown}."
        )
    if request.get("EncryptionAlgorithm", _ALGORITHM) != _ALGORITHM:
        raise ServiceError("InvalidKeyUsageException", "The key knows SYMMETRIC_DEFAULT alone.")
    context = sorted((request.get("EncryptionContext") or {}).items())
    return json.dumps([key_id, context]).encode()


def _bytes(request: Mapping[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(request[name], validate=True)
    except (KeyError, TypeError, ValueError) as error:
        raise ServiceError("ValidationException", f"{name} is not base64.") from error
