"""The API and the book side by side: whatever is asked of one is asked of the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from local import template
from tests.builders import NOW
from tests.integration.actions.api import Clock, Reply, an_api, forget
from tests.integration.faults.book import Book
from tests.integration.faults.facts import Done, Refused
from tests.integration.faults.kept import check, kept
from tests.integration.faults.sending import Manner, spelled
from tests.integration.faults.shown import assert_shown, is_over, listed
from tests.integration.faults.wire import Fault, Sent, Wire
from tests.integration.tables import created

from vitals.domain.instants import iso
from vitals.storage.table import Table

DAY = timedelta(days=1)
Data = dict[str, Any]


@dataclass
class Last:
    """The last write that was done, and what was answered."""

    action: str
    data: Data
    key: str
    at: datetime
    body: str
    ids: set[str]


@dataclass
class Desk:
    """Two clients of one tenant, a stranger, and the book."""

    table: Table
    definition: template.Table
    hands: Clock
    bodies: list[str]

    def open(self, shards: int) -> None:
        """Begin with an empty table, and a tenant of so many shards."""
        self.hands.now = NOW
        self.place: AbstractContextManager[None] = created(self.table, self.definition)
        self.place.__enter__()
        forget()
        self.admin = an_api(self.table, self.hands, shards=shards)
        second = self.admin.another_key("customers:read", "customers:write", "admin:*", name="B")
        self.clients = [self.admin, second]
        shown = [client.get("whoami").data for client in self.clients]
        self.by = [(each["id"], each["name"]) for each in shown]
        self.stranger = self.admin.another_tenant()
        self.strange_id = self.stranger.upsert("Acme", external_id="x-1", mrr=77)["id"]
        self.strange = kept(self.stranger).items
        self.wire = Wire(self.table)
        self.book = Book()
        self.last: Last | None = None
        self.keys = 0
        for name, known in (("Acme", {}), ("Bolt", {"external_id": "x-1"}), ("Dust", {"nps": 9})):
            self.done("upsert_account", {"name": name, "mrr": Decimal(100), **known}, "", 0)
        self.done("update_health", {"name": "Dust", "field": "external_id", "value": "x-2"}, "", 0)
        self.done("delete_customer", {"name": "Dust"}, "", 0)

    def close(self) -> None:
        self.place.__exit__(None, None, None)
        forget()

    @property
    def now(self) -> datetime:
        return self.hands.now

    # Writes.

    def write(self, action: str, data: Data, manner: Manner) -> None:
        """Send one write, as *manner* says."""
        data = self.resolved(data)
        if manner.if_version:
            found = self.book.find(data, self.now)
            stored = found.version if found else 0
            data["if_version"] = stored + (manner.if_version == "wrong")
        if manner.dry_run:
            data["dry_run"] = True
        self.done(action, data, self.new_key(manner), manner.who, manner.loss)

    def done(
        self,
        action: str,
        data: Data,
        key: str,
        who: int,
        loss: tuple[Fault, str] | None = None,
    ) -> None:
        """Have the write done here and there, and compare."""
        trial = self.book.copy()
        expected = foretold(trial, action, data, self.now, self.by[who])
        reply = self.send(who, action, data, key, loss)
        if isinstance(expected, Refused):
            assert (reply.status, reply.code) == (expected.status, expected.code), reply.body
            return
        body, entry, dry = reply.body, expected.entry, bool(data.get("dry_run"))
        assert reply.status == 200, body
        assert body.get("dry_run", False) is dry
        # A try of the same request whose answer was lost may have left it.
        assert "idempotency-replayed" not in reply.headers or loss
        if expected.created:
            trial.rename(entry.id, body["data"]["id"])
        if data.get("hard"):
            told = (body["deleted"], body["already_deleted"], body["data"])
            assert told == (True, expected.unchanged, {"id": entry.id})
        else:
            told = (body["created"], body["unchanged"], body["override_cleared"])
            assert told == (expected.created, expected.unchanged, expected.cleared)
            assert (body["score"], body["status"]) == entry.published(self.now)
            assert_shown(body["data"], entry, self.now, whole=True)
        if not dry:
            self.book = trial
            self.last = Last(action, data, key, self.now, self.bodies[-1], {entry.id})
        self.check({entry.id})

    def batch(self, records: list[Data], manner: Manner) -> None:
        """Send several upserts as one."""
        data: dict[str, Any] = {"customers": [self.resolved(each) for each in records]}
        if manner.dry_run:
            data["dry_run"] = True
        self.done_batch(data, self.new_key(manner), manner.who, manner.loss)

    def done_batch(
        self, data: Data, key: str, who: int, loss: tuple[Fault, str] | None = None
    ) -> None:
        reply = self.send(who, "batch_upsert", data, key, loss)
        assert reply.status == 200, reply.body
        dry, ids = bool(data.get("dry_run")), set()
        for record, result in zip(data["customers"], reply.body["results"], strict=True):
            trial = self.book.copy()
            expected = foretold(trial, "upsert_account", record, self.now, self.by[who])
            if isinstance(expected, Refused):
                assert (result["status"], result["error"]["code"]) == ("error", expected.code)
                continue
            entry = expected.entry
            status = "created" if expected.created else "updated"
            assert result["status"] == ("unchanged" if expected.unchanged else status), result
            if expected.created:
                trial.rename(entry.id, result["id"])
            told = (result["id"], result["version"], result["score"], result["health"])
            assert told == (entry.id, entry.version, *entry.published(self.now))
            ids.add(entry.id)
            if not dry:
                self.book = trial
        if not dry:
            whole = reply.body["summary"]["error"] == 0
            told_once = Last("batch_upsert", data, key, self.now, self.bodies[-1], ids)
            self.last = told_once if whole else None
        self.check(ids)

    def repeat(self, who: int) -> None:
        """Send the last write once more, under its key if it had one."""
        last = self.last
        assert last is not None
        if not last.key or self.now >= last.at + DAY:
            key = last.key
            if last.action == "batch_upsert":
                self.done_batch(last.data, key, who)
            else:
                self.done(last.action, last.data, key, who)
            return
        before = kept(self.admin).told
        reply = self.send(who, last.action, last.data, last.key)
        erased = last.ids & self.book.purged.keys()
        if not erased or last.data.get("hard"):
            assert (reply.status, self.bodies[-1]) == (200, last.body)
            assert reply.headers["idempotency-replayed"] == "true"
        elif last.action != "batch_upsert":
            assert reply.code == "customer_not_found"
        assert kept(self.admin).told == before

    def misuse(self, who: int) -> None:
        """Use the last key for another request."""
        last = self.last
        assert last is not None
        if last.key and self.now < last.at + DAY:
            data = {**last.data, "note": "quite another"}
            assert self.send(who, last.action, data, last.key).code == "idempotency_key_reused"

    # Reads.

    def read(self, reference: Data, *, trash: bool) -> None:
        asked = self.resolved(reference)
        entry = self.book.find(asked, self.now)
        reply = self.admin.get("get_customer", **asked, include_deleted=trash)
        if entry is None or (entry.deleted_at is not None and not trash):
            assert (reply.status, reply.code) == (404, "customer_not_found")
        else:
            assert reply.data["id"] == entry.id
            assert_shown(reply.data, entry, self.now, whole=True)

    def list(self, query: Data, sort: str, limit: int) -> None:
        expected = list(listed(self.book, self.now, query, sort))
        shown = list(self.pages("list_customers", {**query, "sort": sort, "limit": limit}))
        assert [each["id"] for each in shown] == [entry.id for entry in expected]
        for view, entry in zip(shown, expected, strict=True):
            assert_shown(view, entry, self.now, whole=False)

    def feed(self, limit: int) -> None:
        """Every change once, newest first; of whom nobody can find, nothing that names it."""
        shown = list(self.pages("list_changes", {"limit": limit}))
        assert len({each["id"] for each in shown}) == len(shown)
        places = [(each["at"], each["id"]) for each in shown]
        assert places == sorted(places, reverse=True)
        expected = {
            (entry.id, version, iso(at), status)
            for entry in self.book.alive(self.now)
            for version, at, status in entry.changes
        }
        gone = {
            *self.book.purged,
            *(entry.id for entry in self.book.entries.values() if is_over(entry, self.now)),
        }
        told = {
            (each["customer_id"], each["version"], each["at"], each["new"]["status"])
            for each in shown
            if each["customer_id"] not in gone
        }
        assert told == expected
        purges = [each for each in shown if each["customer_id"] in self.book.purged]
        assert [each["name"] for each in purges] == [""] * len(self.book.purged)

    def history(self, reference: Data) -> None:
        asked = self.resolved(reference)
        entry = self.book.find(asked, self.now)
        if entry is None:
            assert self.admin.get("get_history", **asked).code == "customer_not_found"
            return
        shown = list(self.pages("get_history", {**asked, "limit": 3}))
        told = [(each["version"], each["at"], each["new"]["status"]) for each in shown]
        made = [(version, iso(at), status) for version, at, status in entry.changes]
        assert told == made[::-1]

    def stranger_sees_nothing(self, number: int) -> None:
        found = self.stranger.get("get_customer", id=self.resolved({"id": number})["id"])
        assert (found.status == 200) is (self.resolved({"id": number})["id"] == self.strange_id)
        assert [each["id"] for each in self.stranger.get("list_customers").data] == [
            self.strange_id
        ]
        assert len(self.stranger.get("list_changes").data) == 1

    # What both share.

    def send(
        self, who: int, action: str, data: Data, key: str, loss: tuple[Fault, str] | None = None
    ) -> Reply:
        """Send a write; *loss* befalls its first transaction."""
        hit: list[int] = []

        def plan(sent: Sent) -> Fault | None:
            if loss is None or sent.operation != "TransactWriteItems" or hit:
                return None
            hit.append(sent.number)
            return loss[0]

        with self.wire.failing(plan, loss[1] if loss else ""):
            return self.clients[who].post(action, spelled(data), idempotency_key=key)

    def resolved(self, data: Data) -> Data:
        """Put an id where a number stands for one, and an instant for days from now."""
        data = dict(data)
        ids = [*self.book.entries, *self.book.purged, self.strange_id]
        if "id" in data:
            data["id"] = ids[data["id"] % len(ids)]
        if "ends_in_days" in data:
            data["override_expires_at"] = self.now + data.pop("ends_in_days") * DAY
        return data

    def new_key(self, manner: Manner) -> str:
        self.keys += 1
        return f"key {self.keys}" if manner.keyed else ""

    def pages(self, action: str, query: Data) -> Iterator[Data]:
        asked = {
            name: ",".join(value) if isinstance(value, list) else value
            for name, value in query.items()
        }
        while True:
            body = self.admin.get(action, **asked).body
            assert len(body["data"]) <= query["limit"]
            yield from body["data"]
            if not body["has_more"]:
                return
            asked["cursor"] = body["next_cursor"]

    def check(self, ids: set[str]) -> None:
        check(kept(self.admin), only=ids)

    def audit(self) -> None:
        """All that is stored is right, and all that is shown is as the book says."""
        check(kept(self.admin))
        for sort in ("updated_at", "name"):
            self.list({"include_deleted": True, "order": "asc"}, sort, 500)
        for entry in self.book.alive(self.now):
            self.read({"id": list(self.book.entries).index(entry.id)}, trash=True)
        self.feed(500)
        assert kept(self.stranger).items == self.strange


def foretold(
    book: Book, action: str, data: Data, now: datetime, by: tuple[str, str]
) -> Done | Refused:
    """What the book says to a write, which is then in the book."""
    try:
        done: Done = getattr(book, action)(data, now, by)
    except Refused as refused:
        return refused
    return done
