"""A local cloud for the demonstration: the one that runs on its folder, or one of our own."""

import contextlib
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local.console import LocalCloudError
from local.dynamodb import ROOT, TETHER
from local.folder import DataFolder

_START_SECONDS = 60
_END_SECONDS = 30
_REQUEST_SECONDS = 60


class Api:
    """The action API of a local cloud, over one connection."""

    def __init__(self, url: str, key: str) -> None:
        self._connection = http.client.HTTPConnection(
            urlsplit(url).netloc, timeout=_REQUEST_SECONDS
        )
        self._headers = {"Content-Type": "application/json", "x-api-key": key}

    def post(self, action: str, data: Mapping[str, Any]) -> bytes:
        """Call *action* and return the answer's body. Raises LocalCloudError if it is refused."""
        body = json.dumps({"action": action, "data": data})
        try:
            self._connection.request("POST", "/functions/v1/api-inbound", body, self._headers)
            with self._connection.getresponse() as answer:
                content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise LocalCloudError(f"{action} was not answered: {error}.") from error
        if answer.status != HTTPStatus.OK:
            said = content.decode(errors="replace")[:500]
            raise LocalCloudError(f"{action} was answered {answer.status}: {said}")
        return content

    def call(self, action: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """Call *action* and return its answer. Raises LocalCloudError if it is refused."""
        answer: dict[str, Any] = json.loads(self.post(action, data))
        return answer

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@contextlib.contextmanager
def serving(folder: DataFolder, clock: datetime | None = None) -> Iterator[Api]:
    """Have the API of a local cloud on *folder*, started for the length of a with block if need be.

    A new one's clock says *clock* first. Raises LocalCloudError if it does not start.
    """
    with contextlib.ExitStack() as stack:
        state = folder.running() or stack.enter_context(_started(folder, clock))
        api = Api(state["url"], folder.key.read_text(encoding="utf-8").strip())
        yield stack.enter_context(contextlib.closing(api))


@contextlib.contextmanager
def _started(folder: DataFolder, clock: datetime | None) -> Iterator[Mapping[str, Any]]:
    command = [sys.executable, "-IS", str(TETHER), sys.executable, "-m", "local", "run"]
    command += ["--folder", str(folder.path.absolute()), "--port", "0"]
    command += [] if clock is None else ["--clock", clock.isoformat()]
    log = folder.path / "logs" / "local.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us, who end it in order
        )
    try:
        yield _announced(folder, process, log)
    finally:
        process.terminate()
        try:
            process.wait(timeout=_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _announced(
    folder: DataFolder, process: "subprocess.Popen[bytes]", log: Path
) -> Mapping[str, Any]:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(LocalCloudError):  # it is just starting
            state = folder.running()
            if state is not None and state.get("pid") == process.pid:
                return state
        time.sleep(0.05)
    said = log.read_text(encoding="utf-8", errors="replace").strip()
    raise LocalCloudError(f"The local cloud did not start: {said or 'it said nothing'}")
