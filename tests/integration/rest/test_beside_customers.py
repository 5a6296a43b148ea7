"""Keys, models, webhooks, changes and figures over /v1."""

from datetime import timedelta

from tests.integration.actions.outside import Outside
from tests.integration.rest.client import Rest


def test_a_key_tells_whose_it_is(rest: Rest) -> None:
    me = rest.holding("customers:read", "events:write").get("/v1/users/me").body
    assert (me["type"], me["email"], me["tenant_id"]) == ("api_key", None, rest.api.tenant.id)
    assert set(me["scopes"]) == {"customers:read", "events:write"}


def test_a_key_is_created_rotated_and_revoked(rest: Rest) -> None:
    made = rest.post(
        "/v1/api-keys", {"name": "quickstart", "scopes": ["customers:read"], "expires_in_days": 7}
    )
    assert (made.status, made.body["name"]) == (201, "quickstart")
    mine = Rest(rest.api.another_key("customers:read"))
    assert mine.get("/v1/customers").status == 200
    rotated = rest.post(f"/v1/api-keys/{made.body['id']}/rotate", {"overlap_hours": 0})
    assert rotated.status == 201
    assert rotated.body["api_key"] != made.body["api_key"]
    listed = {each["id"]: each for each in rest.get("/v1/api-keys").body["data"]}
    assert listed[made.body["id"]]["replaced_by"] == rotated.body["id"]
    assert "api_key" not in listed[rotated.body["id"]]
    assert rest.delete(f"/v1/api-keys/{rotated.body['id']}").status == 204
    assert rest.delete("/v1/api-keys/nobody").status == 404


def test_a_secret_is_shown_once_even_to_its_own_repetition(rest: Rest) -> None:
    body = {"name": "k", "scopes": ["customers:read"]}
    first = rest.post("/v1/api-keys", body, idempotency_key="k-1")
    again = rest.post("/v1/api-keys", body, idempotency_key="k-1")
    assert first.body["api_key"]
    assert again.body == {**first.body, "api_key": None}


def test_a_change_of_the_model_is_a_version_and_its_dimensions_follow(rest: Rest) -> None:
    before = rest.get("/v1/health/model")
    changed = rest.patch("/v1/health/model", {"preset": "usage_led"}, if_match=before.etag)
    assert (changed.status, changed.body["version"]) == (200, 2)
    shares = {name: each["share"] for name, each in changed.body["dimensions"].items()}
    assert shares == {
        "usage": 0.4, "engagement": 0.3, "support": 0.2, "sentiment": 0.1, "growth": 0,
    }  # fmt: skip
    stale = rest.patch("/v1/health/model", {"weights": {"nps": 5}}, if_match=before.etag)
    assert stale.status == 412
    assert [each["version"] for each in rest.get("/v1/health/model/versions").body["data"]] == [
        2,
        1,
    ]
    old = rest.get("/v1/health/model/versions/1").body
    assert (old["weights"]["logins"], old["current"]) == (25, False)
    bad = rest.patch("/v1/health/model", {"weights": {"nps": 99}})
    assert (bad.status, bad.code) == (422, "weights_total")
    strange = rest.patch("/v1/health/model", {"signals": {"logins": {"curve": {"type": "magic"}}}})
    assert (strange.status, strange.code) == (422, "unprocessable")


def test_a_webhook_has_two_names_and_is_one_thing(rest: Rest) -> None:
    made = rest.post("/v1/webhooks", {"url": "https://hooks.example/a/secret", "events": ["*"]})
    assert made.status == 201
    assert made.headers["location"] == f"/v1/webhooks/{made.body['id']}"
    assert made.body["secret"].startswith("whsec_")
    other = f"/v1/webhook-subscriptions/{made.body['id']}"
    found = rest.get(other)
    assert "secret" not in found.body
    assert "secret" not in found.body["url"]
    off = rest.patch(other, {"active": False, "events": ["customer.created"]}, if_match=found.etag)
    assert (off.body["active"], off.body["events"]) == (False, ["customer.created"])
    assert rest.patch(other, {"active": True}, if_match=found.etag).status == 412
    rotated = rest.post(f"{other}/rotate-secret", {"overlap_hours": 1}).body
    assert rotated["secret"] != made.body["secret"]
    assert rest.post(f"{other}/test").body["verdict"] == "ok"
    assert [each["id"] for each in rest.get("/v1/webhooks").body["data"]] == [made.body["id"]]
    assert rest.delete(other).status == 204
    assert rest.get(f"/v1/webhooks/{made.body['id']}").status == 404
    assert rest.delete(other).status == 404


def test_an_address_that_was_read_and_sent_back_stays_what_it_is(
    rest: Rest, outside: Outside
) -> None:
    made = rest.post("/v1/webhooks", {"url": "https://hooks.example/a/secret", "events": ["*"]})
    path = f"/v1/webhooks/{made.body['id']}"
    read = rest.get(path).body["url"]
    assert read == "https://hooks.example/a/•••"
    for same in (read, "https://hooks.example/a/%E2%80%A2%E2%80%A2%E2%80%A2"):
        changed = rest.patch(path, {"url": same, "name": f"New {len(same)}"})
        assert (changed.status, changed.body["url"]) == (200, read)
    rest.post(f"{path}/test")
    assert [each.secrets.url for each in outside.sent] == ["https://hooks.example/a/secret"]
    before = rest.get(path).body
    for other in ("https://hooks.example/•••", "https://else.example/a/•", "https://•.example/"):
        refused = rest.patch(path, {"url": other})
        assert refused.status == 422
        assert list(refused.refused) == ["url"]
        assert rest.post("/v1/webhooks", {"url": other, "events": ["*"]}).status == 422
    assert rest.get(path).body == before
    moved = rest.patch(path, {"url": "https://hooks.example/b/secret"})
    assert moved.body["url"] == "https://hooks.example/b/•••"


def test_a_webhook_is_deleted_as_it_was_read_or_not_at_all(rest: Rest) -> None:
    made = rest.post("/v1/webhooks", {"url": "https://hooks.example/a", "events": ["*"]})
    path = f"/v1/webhooks/{made.body['id']}"
    newer = rest.patch(path, {"active": False})
    stale = rest.delete(path, if_match=made.etag)
    assert (stale.status, stale.code) == (412, "precondition_failed")
    assert rest.get(path).status == 200
    assert rest.delete(path, if_match=newer.etag).status == 204
    assert rest.get(path).status == 404


def test_the_timeline_tells_who_moved_the_score_and_by_what(rest: Rest) -> None:
    made = rest.created(signals={"logins": 22})
    rest.api.clock.now += timedelta(hours=1)
    rest.patch(f"/v1/customers/{made['id']}", {"signals": {"logins": 3}})
    latest, first = rest.get(f"/v1/customers/{made['id']}/changes").body["data"]
    assert (first["score_change"], latest["new"]["logins"]) == (None, 3)
    assert latest["score_change"] == latest["new"]["score"] - first["new"]["score"]
    assert latest["contributions"]["new"] == {"logins": 10}
    assert [each["id"] for each in rest.get("/v1/changes").body["data"]] == [
        latest["id"], first["id"],
    ]  # fmt: skip


def test_the_portfolio_adds_up(rest: Rest) -> None:
    rest.created(name="Acme", arr=1200, signals={"logins": 3})
    rest.created(name="Bolt", arr=2400, status="trial", signals={"logins": 30})
    rest.created(name="Coil", arr=600, status="churned")
    found = rest.get("/v1/analytics/portfolio").body
    assert found["total_arr"] == 3600
    assert found["customers_by_status"] == {"active": 1, "trial": 1, "paused": 0, "churned": 1}
    assert {each["band"]: each["customers"] for each in found["health_distribution"]} == {
        "critical": 1, "at_risk": 0, "watch": 0, "healthy": 0, "expansion": 1, "unscored": 0,
    }  # fmt: skip
    assert found["top_risks"][0]["name"] == "Acme"
    assert rest.get("/v1/analytics/renewals", cohort="x").status == 400
    assert rest.get("/v1/analytics/cohorts", cohort_period="quarter").body["period"] == "quarter"


def test_limits_are_told_on_every_response_and_end_in_429(rest: Rest) -> None:
    few = Rest(rest.api.another_tenant(limit_writes=1))
    first = few.post("/v1/customers", {"name": "Acme"})
    assert (first.status, first.headers["x-ratelimit-limit"]) == (201, "1")
    assert first.headers["x-ratelimit-remaining"] == "0"
    second = few.post("/v1/customers", {"name": "Bolt"})
    assert (second.status, second.code) == (429, "rate_limited")
    assert int(second.headers["retry-after"]) >= 1
    assert few.get("/v1/customers").status == 200
    refused = few.post("/v1/customers", "{")
    assert refused.status == 429, "what cannot be read counts as well"


def test_what_is_nowhere_or_served_otherwise_is_said(rest: Rest) -> None:
    gone = rest.get("/v1/playbooks")
    assert (gone.status, gone.code) == (404, "not_found")
    wrong = rest.send("PUT", "/v1/customers")
    assert (wrong.status, wrong.headers["allow"]) == (405, "GET, POST")
    assert rest.get("/v1/customers/").status == 200
    assert rest.get("/v1/customers/%2e%2e").status == 404
    assert rest.post("/v1/customers", "{").code == "invalid_body"
    assert rest.post("/v1/customers", "[]").code == "invalid_body"
    assert rest.post("/v1/customers", {}, content_type="text/plain").status == 415


def test_the_document_and_its_page_are_open_to_all(rest: Rest) -> None:
    document = rest.send("GET", "/v1/openapi.json", authorization="")
    page = rest.send("GET", "/v1/docs", authorization="")
    assert document.body["openapi"] == "3.1.0"
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for path, operations in document.body["paths"].items():
        assert path in page.body
        for operation in operations.values():
            if isinstance(operation, dict):
                assert f"id='{operation['operationId']}'" in page.body
    assert "://" not in page.body.replace("https://hooks.example", ""), "it needs nothing else"


def test_what_no_id_is_like_is_nowhere(rest: Rest) -> None:
    for path in ("%20", "%00", "x" * 129, "a%0Ab", "%F0%9F%98%80"):
        assert rest.get(f"/v1/customers/{path}").status == 404, path
        assert rest.patch(f"/v1/customers/{path}", {"arr": 1}).status == 404, path
    for version in ("abc", "0", "01", "-1", "1.0"):
        assert rest.get(f"/v1/health/model/versions/{version}").status == 404, version


def test_a_post_that_takes_nothing_takes_an_empty_form(rest: Rest) -> None:
    path = f"/v1/customers/{rest.created()['id']}/health/recalculate"
    form = {"content_type": "application/x-www-form-urlencoded"}
    assert rest.post(path, "", **form).status == 200
    assert rest.post(path, "a=b", **form).status == 415


def test_the_open_routes_say_which_method_they_have(rest: Rest) -> None:
    for method in ("HEAD", "POST"):
        reply = rest.send(method, "/v1/docs", authorization="")
        assert (reply.status, reply.headers["allow"]) == (405, "GET")
