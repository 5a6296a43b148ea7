"""SES as functions call it: a raw mail is sent into a folder."""

import base64
import threading
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from local.folder import write_private
from local.service_server import Service, ServiceError

_PREFIX = "POST /v2/email/"
_MAX_BYTES = 40 * 1024 * 1024


class Ses:
    """Every mail becomes a file of *folder*, named after when it was sent by the local clock."""

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        self._folder = folder
        self._now = now
        self._lock = threading.Lock()

    def service(self) -> Service:
        """Return what of SES is played."""
        operations = {f"{_PREFIX}outbound-emails": self.send_email}
        return Service(_PREFIX, operations, "BadRequestException")

    def send_email(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Keep a raw mail as it is; raise ServiceError for any other."""
        content = request.get("Content")
        if not isinstance(content, dict) or set(content) != {"Raw"}:
            raise _bad("The local cloud sends raw mails alone.")
        try:
            mail = base64.b64decode(content["Raw"]["Data"], validate=True)
        except (KeyError, TypeError, ValueError) as error:
            raise _bad("Content.Raw.Data is not base64.") from error
        if not 0 < len(mail) <= _MAX_BYTES:
            raise _bad("A mail has 1 byte to 40 MB.")
        self._keep(mail)
        return {"MessageId": str(uuid.uuid4())}

    def _keep(self, mail: bytes) -> None:
        with self._lock:
            self._folder.mkdir(exist_ok=True)
            stamp, number = f"{self._now():%Y%m%dT%H%M%SZ}", 1
            while (path := self._folder / f"{stamp}-{number}.eml").exists():
                number += 1
            write_private(path, mail)


def _bad(message: str) -> ServiceError:
    return ServiceError("BadRequestException", message)
