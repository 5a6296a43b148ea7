"""Rate limits: what is left is on every response, and what is over is refused (AMB-17, 18)."""

from datetime import timedelta

import pytest
from tests.builders import NOW, a_tenant
from tests.integration.actions.api import Api, Reply

from vitals.runtime.limits import draw
from vitals.runtime.settings import settings
from vitals.runtime.wiring import wiring
from vitals.storage.ports import StorageBusyError
from vitals.storage.tenants import TenantTable

RESET = int(NOW.timestamp()) + 60


def window(reply: Reply) -> tuple[int, int, int]:
    """(limit, remaining, reset) as the response's headers say."""
    names = ("limit", "remaining", "reset")
    limit, remaining, reset = (int(reply.headers[f"x-ratelimit-{name}"]) for name in names)
    return limit, remaining, reset


def test_what_is_left_is_on_every_response(api: Api) -> None:
    reader = api.another_key("customers:read")
    for reply, status, left in [
        (api.get("whoami"), 200, (1000, 999, RESET)),
        (api.post("upsert_account", {"name": "Acme"}), 200, (300, 299, RESET)),
        (api.post("upsert_account", {"logins": "x"}), 400, (300, 298, RESET)),
        (api.send("POST", body="{"), 400, (1000, 998, RESET)),
        (api.get("nothing"), 400, (1000, 997, RESET)),
        (reader.post("upsert_account", {"name": "Acme"}), 403, (300, 297, RESET)),
        (api.get("get_customer", name="Nobody"), 404, (1000, 996, RESET)),
        (api.get("upsert_account"), 405, (300, 296, RESET)),
        (api.send("POST", body="x" * 1024 * 1025), 413, (1000, 995, RESET)),
        (api.send("POST", body="x", content_type="text/plain"), 415, (1000, 994, RESET)),
        (api.send("GET", x_api_key="x"), 401, (1000, 1000, RESET)),
        (api.send("GET", path="/x"), 404, (1000, 1000, RESET)),
        (api.send("PUT"), 405, (1000, 1000, RESET)),
    ]:
        assert (reply.status, window(reply)) == (status, left)


def test_what_is_over_the_limit_is_refused_until_the_minute_ends(api: Api) -> None:
    few = api.another_tenant(limit_writes=2)
    for left in (1, 0):
        reply = few.post("upsert_account", {"name": "Acme"})
        assert (reply.status, window(reply)) == (200, (2, left, RESET))
    few.later(seconds=12.5)
    reply = few.post("upsert_account", {"name": "Bolt"})
    assert (reply.status, reply.code) == (429, "rate_limited")
    assert window(reply) == (2, 0, RESET)
    assert reply.headers["retry-after"] == "48"
    assert (reply.body["limit"], reply.body["retry_after"]) == ("writes", 48)
    assert [each["name"] for each in few.get("list_customers").data] == ["Acme"]
    few.later(seconds=47.5)
    assert few.post("upsert_account", {"name": "Bolt"}).status == 200


def test_a_wait_is_whole_seconds_and_at_least_one(api: Api) -> None:
    few = api.another_tenant(limit_reads=1)
    few.get("whoami")
    few.later(seconds=59.999)
    reply = few.get("whoami")
    assert (reply.status, reply.headers["retry-after"]) == (429, "1")


def test_reads_and_writes_are_counted_apart(api: Api) -> None:
    few = api.another_tenant(limit_reads=2, limit_writes=2)
    for _ in range(2):
        assert few.post("upsert_account", {"name": "Acme"}).status == 200
        assert few.post("get_customer", {"name": "Acme"}).status == 200
    assert few.post("upsert_account", {"name": "Acme"}).body["limit"] == "writes"
    assert few.get("list_customers").body["limit"] == "reads"


def test_the_limit_is_the_tenants_whichever_key_calls(api: Api) -> None:
    few = api.another_tenant(limit_reads=2)
    few.get("whoami")
    other = few.another_key("customers:read")
    assert window(other.get("whoami"))[1] == 0
    assert other.get("whoami").status == 429
    assert api.get("whoami").status == 200


def test_the_environment_sets_the_defaults(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITALS_LIMIT_WRITES", "1")
    monkeypatch.setenv("VITALS_LIMIT_READS", "7")
    api.restart()
    assert window(api.get("whoami"))[0] == 7
    assert window(api.post("upsert_account", {"name": "Acme"}))[0] == 1
    assert api.post("upsert_account", {"name": "Acme"}).status == 429
    own = api.another_tenant(limit_writes=5)
    assert window(own.post("upsert_account", {"name": "Acme"}))[0] == 5


def test_a_batch_is_one_write_and_draws_its_records(api: Api) -> None:
    few = api.another_tenant(limit_records=5)
    records = [{"name": f"Customer {number}"} for number in range(3)]
    reply = few.post("batch_upsert", {"customers": records})
    assert (reply.status, window(reply)) == (200, (300, 299, RESET))
    reply = few.post("batch_upsert", {"customers": records})
    assert (reply.status, reply.body["limit"]) == (429, "records")
    assert window(reply) == (5, 0, RESET), "of the limit that is used up"
    assert few.post("upsert_account", {"name": "Acme"}).status == 200


def test_a_refused_batch_stores_nothing(api: Api) -> None:
    few = api.another_tenant(limit_records=2)
    records = [{"name": f"Customer {number}"} for number in range(3)]
    assert few.post("batch_upsert", {"customers": records}).status == 429
    assert few.get("list_customers").data == []


def test_a_counter_that_is_busy_lets_the_request_pass(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A limit protects the table; it must not stop its users."""

    def busy(*_: object, **__: object) -> None:
        raise StorageBusyError

    monkeypatch.setattr(TenantTable, "count", busy)
    reply = api.post("upsert_account", {"name": "Acme"})
    assert (reply.status, window(reply)) == (200, (300, 300, RESET))


def test_imports_are_counted_by_the_hour_beside_what_is_counted_by_the_minute(api: Api) -> None:
    few = a_tenant(id=api.tenant.id, limit_imports=2)
    tenants, hour = wiring().tenants, NOW.replace(minute=0)

    def drawn(minute: int, name: str = "imports") -> tuple[int, int, str | None]:
        at = hour + timedelta(minutes=minute)
        window, spent = draw(tenants, few, settings(), at, {name: 1, "records": 5})
        reset = window.reset - int(hour.timestamp())
        return window.remaining, reset, spent.extra["limit"] if spent else None

    assert drawn(0) == (1, 3600, None)
    assert drawn(1, "reads") == (999, 120, None)
    assert drawn(59) == (0, 3600, None)
    assert drawn(59) == (0, 3600, "imports")
    assert drawn(60) == (1, 7200, None)
