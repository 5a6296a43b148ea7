"""Whoever reads a table's stream and hands on what it says: pipes, and streams into functions."""

import sqlite3
import threading
import time
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local import dynamodb
from local.console import LocalCloudError, complain, say
from local.queues import Place, Queues
from local.streams import Stream

POLL_SECONDS = 0.25  # between two looks at a stream that had nothing: EventBridge's own base rate
_NOTICE_SECONDS = 0.02  # between two looks at whether the file of the data has changed
_PAUSE_SECONDS = 2.0


class Watch:
    """Whether the data at *path* may have changed, known at the cost of microseconds.

    Without a path, as where somebody else's DynamoDB serves, nothing is known.
    """

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        if path is not None:
            self._database = sqlite3.connect(path, check_same_thread=False)

    def version(self) -> int | None:
        """Return what is another number after any change, or None if nothing is known."""
        if self._database is None:
            return None
        with self._lock:
            try:
                return int(self._database.execute("PRAGMA data_version").fetchone()[0])
            except sqlite3.Error:  # locked just now, or closed
                return None

    def close(self) -> None:
        """Close the file."""
        if self._database is not None:
            with self._lock:
                self._database.close()


class Follower(threading.Thread):
    """Reads the stream of one table until it is stopped, whatever happens to the database.

    *data* is the file of the embedded engine. A change of it wakes the reader, and while there is
    none, all that was written is known to be read without asking the engine.
    """

    def __init__(
        self, name: str, table: str, aws: Mapping[str, str], queues: Queues, data: Path | None
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.handled = 0  # how many events were given to a function
        self._table = table
        self._aws = aws
        self._queues = queues
        self._watch = Watch(data)
        self._stopping = threading.Event()
        self._silent = False
        self._asked = 0  # how often somebody has asked for all that is written
        self._answered = 0  # up to which of them it has all been read
        self._read_up_to: int | None = None  # the version of the data of which all is handed on
        self._changed = threading.Condition()

    @abstractmethod
    def deliver(self, place: Place, records: list[dict[str, Any]]) -> None:
        """Hand on what *records* say, and keep *place* behind what is handed on.

        Returns early after stop(); what is behind the place then comes again at the next start.
        """

    @abstractmethod
    def silence(self) -> str:
        """Return what does not happen while the stream cannot be read."""

    def stop(self) -> None:
        """Read nothing any more; a page under way is finished."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()

    def catch_up(self) -> None:
        """Return once all that was written before this call is handed on, or after stop().

        Raises LocalCloudError while the stream cannot be read.
        """
        version = self._watch.version()
        with self._changed:
            if version is not None and version == self._read_up_to:
                return
            self._asked = mine = self._asked + 1
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: self._answered >= mine or self._silent or self._stopping.is_set()
            )
            if self._silent:
                raise LocalCloudError(f"{self.name} cannot read the stream of {self._table}.")

    def run(self) -> None:
        """Read until stop()."""
        while not self._stopping.is_set():
            try:
                self._read()
            except (BotoCoreError, ClientError, LocalCloudError, sqlite3.Error) as error:
                if not self._stopping.wait(_PAUSE_SECONDS):
                    self._complain(error)
        self._watch.close()

    def _read(self) -> None:
        client, arn = dynamodb.stream(self._table, self._aws)
        stream = Stream(client, arn, lambda shard: self._queues.place(Place(self.name, arn, shard)))
        while True:
            asked, version = self._asked, self._watch.version()
            for shard, records in stream.poll():
                if records:
                    self.deliver(Place(self.name, arn, shard), records)
                if self._stopping.is_set():
                    return
            self._rejoice()
            if stream.is_at_end:
                self._rest(asked, version)

    def _rest(self, asked: int, version: int | None) -> None:
        """Say that all is read that was written before it was *asked* for, and pause.

        Where others write all the time, what they wrote meanwhile is read in one page.
        """
        until = time.monotonic() + POLL_SECONDS
        with self._changed:
            self._answered, self._read_up_to = asked, version
            self._changed.notify_all()
            while (
                self._asked == asked
                and not self._stopping.is_set()
                and (left := until - time.monotonic()) > 0
            ):
                self._changed.wait(left if version is None else min(left, _NOTICE_SECONDS))
                if self._watch.version() != version:
                    return

    def _complain(self, error: Exception) -> None:
        if not self._silent:
            complain(
                f"{self.name} cannot read the stream of {self._table}, so {self.silence()}: {error}"
            )
        with self._changed:
            self._silent = True
            self._changed.notify_all()

    def _rejoice(self) -> None:
        if self._silent:
            say(f"{self.name} reads the stream of {self._table} again.")
        self._silent = False
