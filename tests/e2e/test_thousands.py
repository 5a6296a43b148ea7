"""Three thousand customers in the local cloud: loaded, then listed as a plain oracle lists them."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.e2e.conftest import Cloud

COUNT = 3_000
BATCH = 1000
PATH = "/functions/v1/api-inbound"
TIERS = ("enterprise", "mid", "smb", None)
MANAGERS = ("Ana", "Bo", "Chi", None)
Record = dict[str, Any]


def _record(number: int, dice: random.Random) -> Record:
    """Return one made-up customer; some signals of some are missing."""
    signals: Record = {
        "logins": dice.randrange(45),
        "adoption": dice.randrange(101),
        "tickets": dice.randrange(8),
        "nps": dice.randrange(11),
        "days": dice.randrange(200),
    }
    kept = {name: value for name, value in signals.items() if dice.random() < 0.7}
    mrr = {"mrr": dice.randrange(1, 900_000) / 100} if dice.random() < 0.9 else {}
    tags = [tag for tag in ("vip", "beta", "EMEA") if dice.random() < 0.3]
    return {
        "name": f"Company {number * 7919 % COUNT:05d}",
        "tier": dice.choice(TIERS),
        "manager": dice.choice(MANAGERS),
        "tags": tags,
        **mrr,
        **kept,
    }


WEIGHTS = {"logins": 25, "adoption": 25, "tickets": 20, "nps": 15, "days": 10}


def _score(record: Record, weights: dict[str, int] = WEIGHTS) -> int | None:
    """Return the score by the documented formula, in fractions."""
    points: dict[str, Callable[[int], Fraction]] = {
        "logins": lambda v: Fraction(min(v, 30) * 100, 30),
        "adoption": Fraction,
        "tickets": lambda v: Fraction(max(0, 5 - v) * 100, 5),
        "nps": lambda v: Fraction(100 if v >= 9 else 50 if v >= 7 else 0),
        "days": lambda v: Fraction(max(0, 180 - v) * 100, 180),
    }
    present = [name for name in weights if name in record]
    if not present:
        return None
    total = sum(weights[name] * points[name](record[name]) for name in present)
    return int(total / sum(weights[name] for name in present) + Fraction(1, 2))


def _status(score: int | None) -> str:
    if score is None:
        return "unscored"
    bounds = ((80, "expansion"), (65, "healthy"), (50, "watch"), (25, "at_risk"), (0, "critical"))
    return next(band for bound, band in bounds if score >= bound)


def _load(cloud: Cloud, records: list[Record]) -> None:
    """Create *records*; what a slow machine has no time for in one request goes into another."""
    while records:
        answer = cloud.action("batch_upsert", {"customers": records})
        body: Any = answer.json()
        assert answer.status == 200, body
        statuses = [result["status"] for result in body["results"]]
        assert set(statuses) <= {"created", "not_attempted"}, body["summary"]
        left = [r for r, status in zip(records, statuses, strict=True) if status != "created"]
        assert len(left) < len(records), body["summary"]
        records = left


@pytest.fixture(scope="module")
def loaded(cloud: Cloud) -> list[Record]:
    """The customers as the oracle knows them, all of them loaded over HTTP."""
    dice = random.Random(20261120)  # noqa: S311 - made-up customers, the same each time
    records = [_record(number, dice) for number in range(COUNT)]
    for start in range(0, COUNT, BATCH):
        _load(cloud, records[start : start + BATCH])
    for record in records:
        record["score"] = _score(record)
        record["status"] = _status(record["score"])
        at_risk = record["status"] in ("critical", "at_risk")
        record["lifecycle"] = "atrisk" if at_risk else "active"
    return records


def _get(cloud: Cloud, **query: object) -> Any:
    target = f"{PATH}?{urlencode({'action': 'list_customers', **query})}"
    answer = cloud.request("GET", target, headers={"x-api-key": cloud.key})
    assert answer.status == 200, answer.body
    return answer.json()


def _walk(cloud: Cloud, **query: object) -> Iterator[Record]:
    """Yield every customer of a list, page behind page."""
    page = _get(cloud, limit=500, **query)
    yield from page["data"]
    while page["has_more"]:
        page = _get(cloud, limit=500, cursor=page["next_cursor"], **query)
        yield from page["data"]
    assert page["next_cursor"] is None


def test_a_walk_through_the_list_meets_every_customer_once(
    cloud: Cloud, loaded: list[Record]
) -> None:
    seen = list(_walk(cloud, sort="updated_at", order="asc"))
    assert [row["updated_at"] for row in seen] == sorted(row["updated_at"] for row in seen)
    assert sorted(row["name"] for row in seen) == sorted(record["name"] for record in loaded)
    by_name = {record["name"]: record for record in loaded}
    for row in seen:
        record = by_name[row["name"]]
        assert (row["score"], row["status"]) == (record["score"], record["status"])
        assert row["lifecycle"] == record["lifecycle"]


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("sort", ["name", "score", "mrr", "arr"])
def test_every_sort_agrees_with_the_oracle(
    cloud: Cloud, loaded: list[Record], sort: str, order: str
) -> None:
    def value(record: Record) -> Any:
        return record.get("mrr" if sort == "arr" else sort)

    known = [value(record) for record in loaded if value(record) is not None]
    expected = sorted(known, reverse=order == "desc")
    expected += [None] * (COUNT - len(expected))
    if sort == "arr":
        expected = [mrr if mrr is None else round(mrr * 12, 2) for mrr in expected]
    first = _get(cloud, sort=sort, order=order, limit=500)
    second = _get(cloud, sort=sort, order=order, limit=500, cursor=first["next_cursor"])
    assert first["total"] == COUNT
    assert [row[sort] for row in first["data"]] == expected[:500]
    assert [row[sort] for row in second["data"]] == expected[500:1000]
    assert not {row["id"] for row in first["data"]} & {row["id"] for row in second["data"]}


def test_the_last_page_by_offset_has_the_unscored_and_no_more(
    cloud: Cloud, loaded: list[Record]
) -> None:
    unscored = sum(record["score"] is None for record in loaded)
    assert unscored
    last = _get(cloud, sort="score", limit=500, offset=COUNT - unscored)
    assert [row["status"] for row in last["data"]] == ["unscored"] * unscored
    assert (last["has_more"], last["next_cursor"]) == (False, None)


FILTERS: list[tuple[dict[str, str], Callable[[Record], bool]]] = [
    ({"status": "critical"}, lambda r: r["status"] == "critical"),
    ({"status": "At Risk,unscored"}, lambda r: r["status"] in ("at_risk", "unscored")),
    ({"lifecycle": "atrisk"}, lambda r: r["lifecycle"] == "atrisk"),
    ({"tier": "enterprise,mid"}, lambda r: r["tier"] in ("enterprise", "mid")),
    ({"manager": "ana"}, lambda r: r["manager"] == "Ana"),
    ({"tag": "emea"}, lambda r: "EMEA" in r["tags"]),
    ({"tag": "vip,beta"}, lambda r: bool({"vip", "beta"} & set(r["tags"]))),
    (
        {"tier": "smb", "manager": "Bo,Chi", "status": "expansion", "tag": "vip"},
        lambda r: (
            r["tier"] == "smb"
            and r["manager"] in ("Bo", "Chi")
            and r["status"] == "expansion"
            and "vip" in r["tags"]
        ),
    ),
]


@pytest.mark.parametrize(("query", "passes"), FILTERS)
def test_every_filter_agrees_with_the_oracle(
    cloud: Cloud, loaded: list[Record], query: dict[str, str], passes: Callable[[Record], bool]
) -> None:
    expected = sorted(record["name"] for record in loaded if passes(record))
    assert sorted(row["name"] for row in _walk(cloud, **query)) == expected
    page = _get(cloud, sort="name", order="asc", **query)
    assert [row["name"] for row in page["data"]] == expected[:100]
    assert page["total"] == len(expected)


def test_days_count_from_the_day_of_contact(cloud: Cloud, loaded: list[Record]) -> None:
    record = next(record for record in loaded if "days" in record)
    answer = cloud.request(
        "GET",
        f"{PATH}?{urlencode({'action': 'get_customer', 'name': record['name']})}",
        headers={"x-api-key": cloud.key},
    )
    shown: Any = answer.json()
    contacted = date.fromisoformat(shown["data"]["last_contact_on"])
    today = datetime.now(UTC).date()
    # Midnight may pass between the loading and this.
    assert today - contacted - timedelta(days=record["days"]) <= timedelta(days=1)


def _finished(cloud: Cloud, job_id: str, seen: list[Any], written: int | None = None) -> Any:
    """Return the job once it is over, or has *written* so many; *seen* gathers its progress."""
    for _ in range(600):
        job: Any = cloud.action("get_job", {"id": job_id}).json()["data"]
        seen.append(job["progress"])
        if (
            job["state"] not in ("queued", "running")
            or job["progress"].get("written", 0) == written
        ):
            return job
        time.sleep(0.5)
    raise AssertionError(job)


def _changes(cloud: Cloud, **query: object) -> Iterator[Record]:
    """Yield every change of the feed, page behind page."""
    asked: Record = {"limit": 500, **query}
    while True:
        page: Any = cloud.action("list_changes", asked).json()
        yield from page["data"]
        if not page["has_more"]:
            return
        asked["cursor"] = page["next_cursor"]


def test_a_change_of_weights_reaches_everybody_as_its_preview_said(
    cloud: Cloud, loaded: list[Record]
) -> None:
    """Whatever comes after this test finds the customers under other weights."""
    weights = {"logins": 5, "adoption": 45, "tickets": 20, "nps": 15, "days": 10}
    change = {"weights": {"logins": 5, "adoption": 45}}
    dry: Any = cloud.action("update_config", {**change, "dry_run": True}).json()
    preview = _finished(cloud, dry["job_id"], [])
    answer: Any = cloud.action("update_config", change).json()
    seen: list[Any] = []
    # All are written; the job itself then waits until nobody can know the model before.
    _finished(cloud, answer["job_id"], seen, written=COUNT)
    assert seen[-1]["written"] == COUNT
    assert any(0 < each.get("done", 0) < COUNT for each in seen)

    before = {record["name"]: record for record in loaded}
    moves: Counter[tuple[str, str]] = Counter()
    moved = set()
    for row in _walk(cloud):
        old = before[row["name"]]
        assert (row["model_version"], row["model_current"]) == (2, True)
        assert row["score"] == _score(old, weights)
        moves[old["status"], row["status"]] += 1
        if row["score"] != old["score"]:
            moved.add(row["id"])
    matrix = preview["result"]["matrix"]
    predicted = {(old, new): n for old, row in matrix.items() for new, n in row.items() if n}
    assert predicted == dict(moves)
    assert preview["result"]["moved"] == len(moved) > COUNT / 2
    causes = {each["customer_id"]: each for each in _changes(cloud, cause="model")}
    assert causes.keys() == moved
    assert {each["action"] for each in causes.values()} == {"update_config"}
