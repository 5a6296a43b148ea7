"""Line 6: the daily pass over 100,000 customers, on a night that moves nothing and on an ordinary.

The floor reads the same pages by a client as anybody makes it, and decodes the JSON of their rows.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import botocore.session
from bench.metering import Call, Meter
from bench.overnight import ordinary, quiet, store
from bench.replay import overheard, reading
from bench.report import Line
from bench.timing import Comparison, cpu
from bench.workbench import Workbench, embedded, opened

from vitals.domain.customer import Customer
from vitals.runtime.settings import settings
from vitals.storage import words
from vitals.storage.keys import jobs_partition
from vitals.storage.table import Table

_TARGET = 2
_MOST_MEGABYTES = 256
_FIRST_ANSWER = Path(__file__).with_name("first_answer.py")


def line(count: int = 100_000, runs: int = 5, nights: int = 2) -> list[Line]:
    """Return what the pass costs a customer where nothing changes, and where one in 18 does."""
    with _filled(count, quiet) as desk:
        found = _quiet_lines(_Night.first_of(desk), count, runs)
    with _filled(count, ordinary) as desk:
        return [*found, _ordinary_line(_Night.first_of(desk), count, nights)]


@contextmanager
def _filled(count: int, made: Callable[[int], Customer]) -> Iterator[Workbench]:
    with embedded(), opened(Table(settings().table_name)) as desk:
        store(desk, map(made, range(count)))
        yield desk


@dataclass
class _Night:
    """The pass of the night that is next, queued."""

    desk: Workbench
    tenant: str
    job: str

    @classmethod
    def first_of(cls, desk: Workbench) -> _Night:
        tenant = str(desk.send("whoami")["data"]["tenant_id"])
        return cls(desk, tenant, desk.decayed(1))

    def run(self) -> None:
        self.desk.run_job(self.tenant, self.job)

    def item(self) -> dict[str, Any]:
        """Return the job's item."""
        key = words.key(jobs_partition(self.tenant), self.job)
        found = self.desk.client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return dict(found["Item"])

    def queue(self, item: dict[str, Any]) -> None:
        """Have the job be as it was: the same night again."""
        self.desk.client.put_item(TableName=self._table, Item=item)

    def written(self) -> int:
        """Return how many customers the pass has written. Raises AssertionError if it failed."""
        found = self.desk.send("get_job", {"id": self.job})["data"]
        if found["state"] != "done":
            raise AssertionError(found)
        return int(found["progress"]["written"])

    @property
    def _table(self) -> str:
        return str(self.desk.table.item.Meta.table_name)


def _quiet_lines(night: _Night, count: int, runs: int) -> list[Line]:
    desk, queued = night.desk, night.item()
    with overheard(desk.client) as asked, Meter(desk.client).running() as calls:
        night.run()
    if night.written():
        raise AssertionError("the night was to move nothing")
    bare = botocore.session.get_session().create_client("dynamodb")
    floor, own_floor = reading(bare, asked), reading(desk.client, asked)
    ours, floors, own_floors = [], [], []
    for _ in range(runs):
        night.queue(queued)
        ours.append(cpu(night.run))
        floors.append(cpu(floor))
        own_floors.append(cpu(own_floor))
    night.queue(queued)
    megabytes = _peak(night)
    what = f"6. Decay of {count:,} where nothing changes"
    return [
        _line(f"{what}, each", Comparison(ours, floors), count, calls, f"≤ {_TARGET}"),
        _line(f"{what}, over pages read by its own client", Comparison(ours, own_floors), count),
        Line(what=f"{what}, the most memory held", measured=f"{megabytes:,.0f} MB",
             target=f"≤ {_MOST_MEGABYTES} MB"),
    ]  # fmt: skip


def _ordinary_line(night: _Night, count: int, nights: int) -> Line:
    """Measure the first night's calls, and the CPU of the nights after it."""
    desk = night.desk
    with overheard(desk.client) as asked, Meter(desk.client).running() as calls:
        night.run()
    share = night.written() / count
    read = reading(botocore.session.get_session().create_client("dynamodb"), asked)
    ours, floors = [], []
    for _ in range(nights):
        ours.append(cpu(partial(_Night.first_of(desk).run)))
        floors.append(cpu(read))
    what = f"6. Decay of {count:,} where {share:.1%} change, each"
    return _line(what, Comparison(ours, floors), count, calls)


def _line(
    what: str, comparison: Comparison, count: int, calls: Sequence[Call] = (), target: str = ""
) -> Line:
    seconds, floor = comparison.per(count)
    return Line(
        what=what,
        measured=f"{seconds * 1e6:,.1f} µs ({1 / seconds:,.0f}/s of CPU)",
        floor=f"{floor * 1e6:,.1f} µs: pages read",
        ratio=comparison.ratio,
        target=target,
        calls=f"{len(calls) / count:.4f}" if calls else "",
        reads=f"{sum(call.reads for call in calls) / count:.3f}" if calls else "",
        writes=f"{sum(call.writes for call in calls) / count:.3f}" if calls else "",
    )


def _peak(night: _Night) -> float:
    """Return the most MB that a fresh process holds which does nothing but the pass."""
    key = words.key(jobs_partition(night.tenant), night.job)
    record = {"messageId": night.job, "body": json.dumps({"dynamodb": {"Keys": key}})}
    ahead = (night.desk.hands.now - datetime.now(UTC)).total_seconds()
    ours, theirs = os.pipe()
    with os.fdopen(ours, "rb") as pipe, tempfile.NamedTemporaryFile("w") as kept:
        json.dump({"ahead": ahead}, kept)
        kept.flush()
        subprocess.run(
            [sys.executable, str(_FIRST_ANSWER), str(theirs), "jobs.handler",
             json.dumps({"Records": [record]})],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "VITALS_CLOCK": kept.name},
            pass_fds=[theirs],
            stdout=subprocess.DEVNULL,
            check=True,
        )  # fmt: skip
        os.close(theirs)
        answer, kilobytes = pipe.read().split(b"\n")
    if json.loads(answer)["batchItemFailures"] or night.written():
        raise AssertionError("the pass in a process of its own was another")
    return int(kilobytes) / 1024
