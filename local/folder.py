"""The data folder: where its files lie, and who holds it."""

import contextlib
import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from local.console import LocalCloudError


@dataclass(frozen=True)
class DataFolder:
    """One folder of local data, used by at most one local cloud at a time."""

    path: Path

    @property
    def database(self) -> Path:
        """Where the embedded DynamoDB keeps its data."""
        return self.path / "data" / "dynamo.db"

    @property
    def has_data(self) -> bool:
        """Whether a local cloud ever ran on it."""
        return self.clock.exists() or self.database.exists()

    @property
    def queues(self) -> Path:
        """Where the queues' messages are kept, and how far the streams were read."""
        return self.path / "data" / "queues.db"

    @property
    def clock(self) -> Path:
        """Where the clock is kept, as functions find it: they run elsewhere."""
        return (self.path / "data" / "clock.json").absolute()

    @property
    def keys(self) -> Path:
        """Where the key lies from which the template's KMS keys are made."""
        return self.path / "data" / "kms.key"

    @property
    def mail(self) -> Path:
        """Where mails are put that would be sent."""
        return self.path / "mail"

    @property
    def files(self) -> Path:
        """Where the objects of the template's buckets are, a folder for each bucket."""
        return self.path / "files"

    @property
    def dead_letters(self) -> Path:
        """Where messages end that no attempt could handle."""
        return self.path / "dead-letters"

    @property
    def key(self) -> Path:
        """Where the first API key is kept."""
        return self.path / "api-key"

    @property
    def _state(self) -> Path:
        return self.path / "running.json"

    def log(self, name: str) -> Path:
        """Return the log file of *name*, emptied."""
        path = self.path / "logs" / f"{name}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
        return path

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder for the length of a with block; refuse if another process does."""
        with self._lock_file() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise LocalCloudError(self._in_use()) from error
            self._state.unlink(missing_ok=True)
            try:
                yield
            finally:
                self._state.unlink(missing_ok=True)

    def _lock_file(self) -> TextIO:
        try:
            self.database.parent.mkdir(parents=True, exist_ok=True)
            # Customers' data and logs are nobody else's business.
            self.path.chmod(0o700)
            return (self.path / "lock").open("a")
        except OSError as error:
            raise LocalCloudError(f"Cannot use {self.path}: {error.strerror}.") from error

    def announce(self, **state: str | int | None) -> None:
        """Tell other processes what runs on this folder; only its holder may."""
        write_private(self._state, json.dumps(state))

    def running(self) -> dict[str, Any] | None:
        """Return what the holder of this folder announced, or None if nobody holds it."""
        if not self._is_held():
            return None
        try:
            state: dict[str, Any] = json.loads(self._state.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise LocalCloudError(
                f"A local cloud on {self.path} is just starting or stopping; try again."
            ) from error
        return state

    def _is_held(self) -> bool:
        try:
            with (self.path / "lock").open() as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def _in_use(self) -> str:
        state: dict[str, Any] = {}
        with contextlib.suppress(OSError, ValueError):
            state = json.loads(self._state.read_text(encoding="utf-8"))
        where = f" at {state['url']}" if state.get("url") else ""
        who = f" (process {state['pid']})" if state.get("pid") else ""
        return (
            f"A local cloud already runs on {self.path}{where}{who}; stop it, or set "
            "VITALS_LOCAL_DIR to another folder."
        )


def write_private(path: Path, content: str | bytes) -> None:
    """Make *content* that of *path*, whole or not at all, readable by its owner alone."""
    with tempfile.NamedTemporaryFile("wb", dir=path.parent, prefix=".", delete=False) as draft:
        try:
            draft.write(content.encode() if isinstance(content, str) else content)
            draft.flush()
            os.fsync(draft.fileno())
            Path(draft.name).replace(path)
        except BaseException:
            Path(draft.name).unlink(missing_ok=True)
            raise
