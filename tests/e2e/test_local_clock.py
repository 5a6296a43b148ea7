"""The local clock: `make tick` lets a day pass, and what a day does is done when it returns."""

import json
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from local import follower
from local.control import hand
from local.dynamodb import ROOT
from local.folder import DataFolder

if TYPE_CHECKING:
    from tests.e2e.conftest import Cloud

HISTORY = "/functions/v1/api-inbound?action=get_history&name=Acme"


def tick(cloud: "Cloud", time: datetime | str, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run `make tick` as the Makefile does."""
    text = time if isinstance(time, str) else time.isoformat()
    return subprocess.run(
        cloud.command("tick", *options, text),
        check=False,
        cwd=ROOT,
        env=cloud.environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture(scope="module")
def midnight() -> datetime:
    """The next one."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=1)


def test_a_day_passes_in_seconds_and_the_score_that_it_moved_is_published(
    cloud: "Cloud", midnight: datetime
) -> None:
    written = cloud.action("upsert_account", {"name": "Acme", "days": 0})
    assert written.json()["score"] == 100
    until = midnight + timedelta(minutes=10)

    ticked = tick(cloud, until)

    assert (ticked.returncode, ticked.stderr) == (0, "")
    turned, last = ticked.stdout.splitlines()
    assert turned.startswith(f"{midnight:%Y-%m-%dT%H:%M:%SZ}  DecayFunction answered")
    assert turned.endswith("messages handled: 2"), "the tenant's, and its sandbox's"
    assert last.startswith(f"{until:%Y-%m-%dT%H:%M:%SZ}  ")
    assert "DecayFunction ran " in last
    read = cloud.request("GET", HISTORY, headers={"x-api-key": cloud.key})
    newest, first = read.json()["data"]
    assert (newest["cause"], newest["old"]["score"], newest["new"]["score"]) == ("decay", 100, 99)
    assert midnight <= datetime.fromisoformat(newest["at"]) < midnight + timedelta(minutes=1)
    assert first["cause"] == "api"


def test_the_clock_goes_on_from_there_over_a_restart_and_never_back(
    cloud: "Cloud", midnight: datetime
) -> None:
    """Of the same cloud, after the test before it or by itself."""
    until = midnight + timedelta(minutes=14)
    assert tick(cloud, until).returncode == 0
    cloud.restart()
    assert f"Clock     {until:%Y-%m-%dT%H:1}" in cloud.output

    written = cloud.action("upsert_account", {"name": "Bolt", "logins": 3}).json()["data"]
    event = (ROOT / "events/actions/upsert_account.json").read_text(encoding="utf-8")
    invoked = json.loads(json.loads(cloud.invoke("actions", event).stdout)["body"])["data"]
    back = tick(cloud, until - timedelta(minutes=1))

    for data in (written, invoked):
        assert until <= datetime.fromisoformat(data["updated_at"]) < until + timedelta(minutes=2)
    assert (back.returncode, back.stdout) == (1, "")
    assert back.stderr.endswith("and never goes back.\n")


def test_a_year_begins_in_the_past_and_its_pauses_cost_one_run_of_each_schedule(
    new_product: "Callable[..., Cloud]",
) -> None:
    # On the minute, so that it is the same minute when the start says it.
    begun = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(days=365)
    cloud = new_product("--clock", begun.isoformat())
    cloud.start()
    assert f"Clock     {begun:%Y-%m-%dT%H:%M}" in cloud.output
    written = cloud.action("upsert_account", {"name": "Acme", "days": 0}).json()["data"]
    assert begun < datetime.fromisoformat(written["updated_at"]) < begun + timedelta(minutes=1)

    away = begun + timedelta(days=40)
    ticked = tick(cloud, away, "--pause")

    assert (ticked.returncode, ticked.stderr) == (0, "")
    assert "DecayFunction ran 1 times" in ticked.stdout.splitlines()[-1]
    read = cloud.request("GET", HISTORY, headers={"x-api-key": cloud.key}).json()["data"]
    assert [change["cause"] for change in read] == ["decay", "api"]
    assert away <= datetime.fromisoformat(read[0]["at"]) < away + timedelta(minutes=1)

    with hand(DataFolder(cloud.folder)) as clock:  # twenty moves when nothing is due
        minutes = [away.replace(minute=1) + timedelta(hours=1, seconds=n) for n in range(21)]
        clock.move(minutes[0], pause=True)
        began = time.monotonic()
        for each in minutes[1:]:
            clock.move(each, pause=True)
        assert (time.monotonic() - began) / 20 < follower.POLL_SECONDS, "none waits for a look"
    assert cloud.stop() == 0
    cloud.launch()
    assert cloud.process.wait(timeout=30) == 1
    assert "has data, whose time has come" in cloud.output


def test_a_tick_needs_an_instant_and_a_cloud_that_runs(
    new_cloud: "Callable[[], Cloud]", midnight: datetime
) -> None:
    stopped = new_cloud()
    for text in ("", "tomorrow", "2026-12-24", "2026-12-24T09:00:00"):
        refused = tick(stopped, text)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr == (f"TIME={text} is no instant; one is TIME=2026-12-24T09:00:00Z.\n")
    alone = tick(stopped, midnight)
    assert (alone.returncode, alone.stdout) == (1, "")
    assert alone.stderr == f"No local cloud runs on {stopped.folder}: `make run` starts one.\n"
