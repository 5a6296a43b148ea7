"""An invented portfolio, made by real writes over simulated weeks, and its raw data as exported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from tests.integration.actions.api import Api

import decay
from vitals.domain.instants import iso
from vitals.storage.clocks import clock_item

ZONE = ZoneInfo("America/New_York")
"""Its clocks change within the weeks: a day of them has 23 hours."""
DAYS = 45
NAMES = (
    "Alder Freight", "Birch & Sons", "Cobalt Mills", "Dune Travel", "Ember Foods", "Fjord Energi",
    "Gale Robotics", "Harbour Light", "Iris Optik", "Juniper Labs", "Kestrel Air", "Lumen Verlag",
    "Moss Pharma", "Nimbus Hosting", "Onyx Retail", "Pike Logistics", "Quill Press", "Rowan Bank",
    "Sable Media", "Tern Insurance", "Umbra Games", "Vale Clinics", "Willow School", "Xenon Light",
    "Yarrow Seeds", "Zephyr Wind", "Ångström Tools", "Ελιά Τρόφιμα", "Берёза Сервис",
    "北京云端科技有限公司", "株式会社みどり物流", "한빛 소프트웨어", "Amber Post", "Basalt Stone",
    "Cedar Homes", "Drift Marine", "Elm Street Bakers", "Fern Textiles", "Gorse Mining",
    "The Honourable Company of Cartographers, Surveyors and Instrument Makers of Hull",
    "Hazel Nursery", "Ivory Keys", "Jade Import", "Kelp Cosmetics",
)  # fmt: skip
FIRST = 38
"""So many customers are there from the beginning; the others come later."""
CALLED = range(36, 41)
"""On these days somebody is called, whatever chance brings: four to eight days before the end."""
SILENT = ("Cobalt Mills", "Moss Pharma")
"""Of these nothing is ever known that would give a score."""
MANAGERS = ("Ana Ruiz", "Ana Ruiz", "ana ruiz", "Ben Okafor", "Chloé Petit", "Chloé Petit", None)
TIERS = ("smb", "mid", "enterprise", "mid", None)
TAGS = ((), (), ("vip",), ("VIP", "emea"), ("emea",), ("emea", "new logo"))
STAGES = (None, None, None, "trial", "paused", "onboarding", "won", "atrisk")
VALUES: Mapping[str, tuple[Any, ...]] = {
    "logins": (0, 2, 7, 12.5, 18, 30, 44),
    "adoption": (0, 15, 33.3, 50, 71, 95, 100),
    "tickets": (0, 0, 1, 2, 4, 7),
    "nps": (0, 4, 6, 7, 8, 9, 10),
    "csat": (1, 2.5, 3.7, 5),
    "growth": ("none", "mild", "strong"),
}


@dataclass(frozen=True)
class Raw:
    """What was exported as of *now*: everything an oracle may look at.

    *days* are the customers as listed right after each night's pass, by the local day that it
    began, and *passes* when that was; *histories* are newest first. *settings* is the model,
    *models* are all of its versions, newest first, with when each came.
    """

    now: datetime
    settings: Mapping[str, Any]
    models: list[dict[str, Any]]
    tenant_name: str
    actors: Mapping[str, str]
    customers: list[dict[str, Any]]
    whole: Mapping[str, dict[str, Any]]
    days: Mapping[date, list[dict[str, Any]]]
    passes: Mapping[date, datetime]
    histories: Mapping[str, list[dict[str, Any]]]


class Weeks:
    """The weeks of a portfolio, written day by day; *seed* decides everything."""

    def __init__(self, api: Api, seed: int) -> None:
        self.api = api
        self.days: dict[date, list[dict[str, Any]]] = {}
        self.passes: dict[date, datetime] = {}
        self._random = Random(seed)  # noqa: S311 - an invention, and the same every time
        self._names = list(NAMES)
        self._here: list[str] = []
        self._trash: list[str] = []

    def live(self) -> None:
        """Write every day and let every night pass, up to an afternoon."""
        api = self.api
        api.job("update_config", {"time_zone": ZONE.key})
        api.table.put(clock_item(api.table.item, api.tenant.id, self._midnight()))
        for name in self._names[:FIRST]:
            self._create(name)
        del self._names[:FIRST]
        for number in range(DAYS):
            self._night()
            self._write(number)

    def _midnight(self) -> datetime:
        day = self.api.clock.now.astimezone(ZONE).date() + timedelta(days=1)
        return datetime.combine(day, time(), ZONE).astimezone(self.api.clock.now.tzinfo)

    def _night(self) -> None:
        api = self.api
        api.clock.now = self._midnight() + timedelta(minutes=3)
        decay.handler({"time": iso(api.clock.now)}, api.context)
        api.run_jobs()
        day = api.clock.now.astimezone(ZONE).date()
        self.passes[day] = api.clock.now
        self.days[day] = listed(api)

    def _write(self, number: int) -> None:
        for _ in range(self._random.randint(2, 4)):
            self.api.later(minutes=self._random.randint(60, 300))
            self._one()
        if number in CALLED:
            self._call(self._here[number - CALLED.start])
        planned = self._planned().get(number)
        if planned is not None:
            self.api.later(minutes=7)
            planned()

    def _planned(self) -> Mapping[int, Any]:
        """Return what happens on certain days, whatever chance brings."""
        return {
            3: lambda: self._set(self._scored(), score=91, override_sticky=True),
            9: lambda: self._set(
                self._scored(), score=12, override_expires_at=self._ahead(days=40)
            ),
            14: lambda: self.api.job(
                "update_config",
                {
                    "weights": {"csat": 12, "logins": 13},
                    "bands": {"watch": 54},
                },
            ),
            20: lambda: self._set(
                self._scored(), score=88, override_expires_at=self._ahead(days=20)
            ),
            25: lambda: self._set(self._scored(), lifecycle="churned"),
            30: lambda: self._set(self._scored(), lifecycle="churned"),
            33: self._delete,
            34: self._restore,
            38: self._delete,
            40: lambda: self._set(self._scored(), lifecycle="churned"),
            41: lambda: self._delete(hard=True),
            42: self._delete,
            43: self._restore,
            44: lambda: self._set(self._scored(), score=5, override_sticky=True),
        }

    def _one(self) -> None:
        kind = self._random.choice(
            ["signals"] * 6 + ["contact"] * 3 + ["revenue", "revenue", "owner", "renewal", "new"]
        )
        name = self._scored()
        if kind == "signals":
            self._set(name, **self._signals(3))
        elif kind == "contact":
            self._call(name)
        elif kind == "revenue":
            self._set(name, mrr=self._random.choice([120, 999.5, 2500, 40000.25]))
        elif kind == "owner":
            tags = self._random.choice(TAGS)
            self._set(name, manager=self._random.choice(MANAGERS), tags=list(tags))
        elif kind == "renewal":
            self._set(name, renewal_date=self._renewal())
        elif self._names:
            self._create(self._names.pop(0))

    def _call(self, name: str) -> None:
        reply = self.api.post("log_contact", {"name": name, "channel": "call"})
        assert reply.status == 200, reply.body

    def _create(self, name: str) -> None:
        pick = self._random
        fields: dict[str, Any] = {
            "tier": pick.choice(TIERS),
            "manager": pick.choice(MANAGERS),
            "tags": list(pick.choice(TAGS)),
            "lifecycle": pick.choice(STAGES),
            "mrr": pick.choice([None, 0, 90, 250.75, 1200, 1200, 5000, 31000]),
            "renewal_date": pick.choice([None, self._renewal(), self._renewal()]),
            "since": pick.choice([None, f"2025-{pick.randint(1, 12):02d}-15"]),
            **({} if name in SILENT else self._signals(pick.choice([2, 4, 6]))),
        }
        if name not in SILENT and pick.randint(1, 10) <= 7:
            ago = timedelta(days=pick.randint(0, 120))
            fields["last_contact_date"] = (self.api.clock.now.date() - ago).isoformat()
        self._set(name, **{field: value for field, value in fields.items() if value is not None})
        self._here.append(name)

    def _signals(self, count: int) -> dict[str, Any]:
        names = self._random.sample(list(VALUES), count)
        return {name: self._random.choice(VALUES[name]) for name in names}

    def _renewal(self) -> str:
        end = date(2026, 3, 2) + timedelta(days=DAYS)
        ahead = self._random.choice([-20, -3, 0, 5, 29, 30, 31, 44, 60, 61, 90, 91, 150, 400])
        return (end + timedelta(days=ahead)).isoformat()

    def _set(self, name: str, **fields: Any) -> None:
        reply = self.api.post("upsert_account", {"name": name, **fields})
        assert reply.status == 200, reply.body

    def _scored(self) -> str:
        return self._random.choice([name for name in self._here if name not in SILENT])

    def _ahead(self, days: int) -> str:
        return iso(self.api.clock.now + timedelta(days=days))

    def _delete(self, *, hard: bool = False) -> None:
        name = self._scored()
        self._here.remove(name)
        reply = self.api.post("delete_customer", {"name": name, "hard": hard})
        assert reply.status == 200, reply.body
        self.api.run_jobs()
        if not hard:
            self._trash.append(name)

    def _restore(self) -> None:
        name = self._trash.pop()
        [found] = [each for each in listed(self.api, deleted=True) if each["name"] == name]
        assert self.api.post("restore_customer", {"id": found["id"]}).status == 200
        self._here.append(name)


def listed(api: Api, *, deleted: bool = False) -> list[dict[str, Any]]:
    """Return every customer as a list shows it, those in the trash as well or not."""
    more = {"include_deleted": "true"} if deleted else {}
    reply = api.get("list_customers", limit=500, sort="name", order="asc", **more)
    assert not reply.body["has_more"]
    return list(reply.data)


def exported(api: Api, weeks: Weeks) -> Raw:
    """Return the raw data of the portfolio as of now."""
    customers = listed(api, deleted=True)
    here = [each["id"] for each in customers if each["deleted_at"] is None]
    histories: dict[str, list[dict[str, Any]]] = {}
    for each in customers:
        pages: list[dict[str, Any]] = []
        more: dict[str, Any] = {}
        while True:
            reply = api.post("get_history", {"id": each["id"], "limit": 100, **more})
            pages += reply.data
            if not reply.body["has_more"]:
                break
            more = {"cursor": reply.body["next_cursor"]}
        histories[each["id"]] = pages
    return Raw(
        now=api.clock.now,
        settings=api.get("get_config").data,
        models=[
            api.post("get_model", {"version": each["version"]}).data
            for each in api.post("list_models", {}).data
        ],
        tenant_name=api.tenant.name,
        actors={each["id"]: each["name"] for each in api.get("list_api_keys").data},
        customers=customers,
        whole={each: api.customer(id=each) for each in here},
        days=weeks.days,
        passes=weeks.passes,
        histories=histories,
    )
