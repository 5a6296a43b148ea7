"""The FIFO queues and the places up to which streams were read, in a file that outlives a kill.

A place and the messages of what was read up to it are one transaction, and a message goes when it
is done: so whenever the process dies, what was queued and not done is there after it.
"""

import math
import sqlite3
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    group_id TEXT NOT NULL,
    deduplication_id TEXT NOT NULL,
    body TEXT NOT NULL,
    id TEXT NOT NULL,
    sent REAL NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS messages_by_group ON messages (queue, group_id, sequence);
CREATE TABLE IF NOT EXISTS places (
    pipe TEXT NOT NULL,
    stream TEXT NOT NULL,
    shard TEXT NOT NULL,
    sequence_number TEXT NOT NULL,
    PRIMARY KEY (pipe, stream, shard)
);
CREATE TABLE IF NOT EXISTS accepted (
    queue TEXT NOT NULL,
    deduplication_id TEXT NOT NULL,
    id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    sent REAL NOT NULL,
    PRIMARY KEY (queue, deduplication_id)
);
"""
_INSERT = (
    "INSERT INTO messages (queue, group_id, deduplication_id, body, id, sent)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)
DEDUPLICATION_SECONDS = 300  # SQS's
_COLUMNS = "sequence, queue, group_id, deduplication_id, body, id, sent, failures"


@dataclass(frozen=True)
class Message:
    """One message of a queue; *failures* is how many attempts at it have failed."""

    sequence: int
    queue: str
    group: str
    deduplication: str
    body: str
    id: str
    sent: float
    failures: int


@dataclass(frozen=True)
class Place:
    """Up to where one pipe, or one function, has read one shard of a stream."""

    pipe: str
    stream: str
    shard: str


class Queues:
    """Every queue, shared by threads: within a group one message at a time, groups side by side.

    *now* says when a message is sent, in seconds since 1970.
    """

    def __init__(self, path: Path, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._database = sqlite3.connect(path, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")  # enough for a kill, and no fsync
        self._database.executescript(_SCHEMA)
        lock = threading.RLock()
        self._changed = threading.Condition(lock)
        # Of each queue, for who receives from it: a change wakes nobody whom it does not concern.
        self._arrived = defaultdict[str, threading.Condition](lambda: threading.Condition(lock))
        # Since when each group may be received from: for ever not, while a message is in flight.
        self._held: defaultdict[str, dict[str, float]] = defaultdict(dict)
        self._stopped = False
        self._sent = 0

    def place(self, place: Place) -> str | None:
        """Return the sequence number up to which *place* was read, or None if it never was."""
        with self._changed:
            row = self._database.execute(
                "SELECT sequence_number FROM places WHERE pipe = ? AND stream = ? AND shard = ?",
                (place.pipe, place.stream, place.shard),
            ).fetchone()
        return str(row[0]) if row else None

    def send(
        self,
        queue: str,
        messages: Iterable[tuple[str, str, str]],
        place: Place,
        sequence_number: str,
    ) -> None:
        """Queue *messages* (group, deduplication id, body), and remember where they were read."""
        now = self._now()
        rows = [(queue, *message, str(uuid.uuid4()), now) for message in messages]
        with self._changed, self._database:
            self._database.executemany(_INSERT, rows)
            self._move(place, sequence_number)
            self._sent += len(rows)
            if rows:
                self._arrived[queue].notify_all()

    def keep(self, place: Place, sequence_number: str) -> None:
        """Remember that *place* was read up to *sequence_number*, and all of it is done."""
        with self._changed, self._database:
            self._move(place, sequence_number)

    def _move(self, place: Place, sequence_number: str) -> None:
        self._database.execute(
            "INSERT OR REPLACE INTO places VALUES (?, ?, ?, ?)",
            (place.pipe, place.stream, place.shard, sequence_number),
        )

    def accept(self, queue: str, messages: Sequence[tuple[str, str, str]]) -> list[tuple[str, int]]:
        """Queue *messages* (group, deduplication id, body); return the id and number of each.

        One whose deduplication id *queue* has accepted in the last five minutes is not queued
        again, and is answered as the first was.
        """
        with self._changed, self._database:
            self._database.execute(
                "DELETE FROM accepted WHERE sent <= ?", (self._now() - DEDUPLICATION_SECONDS,)
            )
            answers = [self._accept(queue, *message) for message in messages]
            self._arrived[queue].notify_all()
        return answers

    def _accept(self, queue: str, group: str, deduplication: str, body: str) -> tuple[str, int]:
        first = self._database.execute(
            "SELECT id, sequence FROM accepted WHERE queue = ? AND deduplication_id = ?",
            (queue, deduplication),
        ).fetchone()
        if first is not None:
            return str(first[0]), int(first[1])
        id_, now = str(uuid.uuid4()), self._now()
        row = self._database.execute(_INSERT, (queue, group, deduplication, body, id_, now))
        sequence = row.lastrowid or 0
        kept = (queue, deduplication, id_, sequence, now)
        self._database.execute("INSERT INTO accepted VALUES (?, ?, ?, ?, ?)", kept)
        self._sent += 1
        return id_, sequence

    def receive(self, queue: str) -> Message | None:
        """Return the next message once there is one, and hold its group; None after stop()."""
        with self._changed:
            while not self._stopped:
                message = self._first(queue)
                if message is not None:
                    self._held[queue][message.group] = math.inf
                    return message
                self._arrived[queue].wait(self._pause(queue))
        return None

    def delete(self, message: Message) -> None:
        """Forget *message*: it is done. The next of its group may follow."""
        with self._changed, self._database:
            self._database.execute("DELETE FROM messages WHERE sequence = ?", (message.sequence,))
            self._held[message.queue].pop(message.group, None)
            self._arrived[message.queue].notify()
            self._changed.notify_all()

    def retry(self, message: Message, seconds: float) -> None:
        """Count a failure of *message*; it comes again after a pause, before its group's others."""
        with self._changed, self._database:
            self._database.execute(
                "UPDATE messages SET failures = failures + 1 WHERE sequence = ?",
                (message.sequence,),
            )
            self._held[message.queue][message.group] = time.monotonic() + seconds
            self._arrived[message.queue].notify_all()  # each has to know when to look again

    def drain(self) -> int:
        """Wait until every message is done, or stop(); return how many were queued till then."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._is_empty())
            return self._sent

    def stop(self) -> None:
        """Hand out nothing any more."""
        with self._changed:
            self._stopped = True
            for condition in (self._changed, *self._arrived.values()):
                condition.notify_all()

    def close(self) -> None:
        """Close the file."""
        with self._changed:
            self._database.close()

    def _is_empty(self) -> bool:
        return self._database.execute("SELECT 1 FROM messages LIMIT 1").fetchone() is None

    def _first(self, queue: str) -> Message | None:
        now = time.monotonic()
        held = [group for group, until in self._held[queue].items() if until > now]
        rows = self._database.execute(
            f"SELECT {_COLUMNS} FROM messages WHERE sequence IN"  # noqa: S608 - a constant
            " (SELECT MIN(sequence) FROM messages WHERE queue = ? GROUP BY group_id)"
            " ORDER BY sequence",
            (queue,),
        )
        return next((found for row in rows if (found := Message(*row)).group not in held), None)

    def _pause(self, queue: str) -> float | None:
        """Return the seconds until a group is free again by itself, or None if none will be."""
        until = min(self._held[queue].values(), default=math.inf)
        return None if until == math.inf else max(until - time.monotonic(), 0)
