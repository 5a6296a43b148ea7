"""A kill at any moment loses no consequence of a write, and makes none twice (acceptance 3)."""

from __future__ import annotations

import http.client
import random
import signal
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.e2e.conftest import Cloud, ended_at_last
from tests.e2e.receiver import listening
from tests.e2e.test_alerts import a_webhook, done
from tests.e2e.test_local_clock import tick

WRITERS, CUSTOMERS, WRITES, KILLS = 4, 25, 6, 4
"""Six hundred writes: each customer rises and falls three times."""
UP, DOWN = {"logins": 25}, {"logins": 5}
SEED = 20261121


class Writing:
    """Writers that go on until every write is acknowledged, whatever happens to the server."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.acknowledged = 0
        self._lock = threading.Lock()

    def customer(self, number: int) -> None:
        for turn in range(WRITES):
            data = {"name": f"Customer {number}", **(DOWN if turn % 2 else UP)}
            self.write(data, f"{number}-{turn}")

    def write(self, data: dict[str, object], key: str) -> None:
        """Send one write, again and again under its key, until its answer comes."""
        for _ in range(600):
            try:
                answer = self.cloud.action("upsert_account", data, **{"Idempotency-Key": key})
            except (OSError, http.client.HTTPException):
                time.sleep(0.1)
                continue
            if answer.status in (429, 500, 502, 503):
                time.sleep(0.1)
                continue
            assert answer.status == 200, answer.body
            with self._lock:
                self.acknowledged += 1
            return
        raise AssertionError("no answer came in a minute")


@pytest.fixture
def own_cloud(tmp_path: Path) -> Cloud:
    return Cloud(tmp_path / "data-folder", environ={"VITALS_LIMIT_WRITES": "100000"})


def test_a_kill_loses_nothing_and_doubles_nothing(own_cloud: Cloud) -> None:
    chance = random.Random(SEED)  # noqa: S311 - when to kill is no secret
    cloud = own_cloud
    total = WRITERS * CUSTOMERS * WRITES
    with listening() as receiver, ended_at_last(cloud), ThreadPoolExecutor(WRITERS) as pool:
        cloud.start()
        connection, secret = a_webhook(cloud, receiver, "all")
        rule = {"name": "Below 50", "connections": [connection]}
        done(cloud, "put_alert_rule", {**rule, "events": ["health_below_threshold"]})
        writing = Writing(cloud)
        running = [pool.submit(writing.customer, number) for number in range(WRITERS * CUSTOMERS)]
        for kill in range(KILLS):
            while writing.acknowledged < total * (kill + chance.random()) / KILLS:
                time.sleep(0.01)
            assert cloud.stop(signal.SIGKILL) == -signal.SIGKILL
            cloud.start()
        for each in running:
            each.result()

        falls = WRITERS * CUSTOMERS * WRITES // 2
        # What was on its way in a process that died is due again minutes later.
        assert tick(cloud, datetime.now(UTC) + timedelta(minutes=20)).returncode == 0
        bodies = defaultdict(set)
        for arrival in receiver.wait(falls):
            bodies[arrival.headers["webhook-id"]].add(arrival.body)
            arrival.verified_whenever(secret)
        assert len(bodies) == falls
        assert all(len(same) == 1 for same in bodies.values())
        assert len(shown(cloud)) == falls


def shown(cloud: Cloud) -> list[str]:
    """The ids of every alert of the rule, open or over."""
    found: list[str] = []
    for state in ("open", "closed"):
        cursor = ""
        while True:
            path = f"/functions/v1/api-inbound?action=list_alerts&state={state}&limit=500{cursor}"
            page = cloud.request("GET", path, headers={"x-api-key": cloud.key}).json()
            found += [each["id"] for each in page["data"] if each["rule_name"] == "Below 50"]
            if not page["has_more"]:
                break
            cursor = f"&cursor={page['next_cursor']}"
    assert len(set(found)) == len(found)
    return found
