"""Credentials that expire: a 500 that says nothing, a line in the log that says it all."""

import pytest
from tests.integration.actions.api import Api
from tests.integration.faults.kept import check, kept
from tests.integration.faults.wire import EXPIRED, Sent, Wire, call_number


def calls_of(api: Api, wire: Wire) -> dict[int, Sent]:
    """The calls that a cold function makes of one upsert, but the one that logs it."""
    api.restart()
    with wire.tapped():
        api.upsert("Bolt", mrr=5)
        calls = wire.calls.items()
        return {number: sent for number, sent in calls if "#LOG" not in str(sent.body)}


def test_credentials_that_expired_for_one_call_cost_one_request(
    api: Api, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    for number in calls_of(api, wire):
        api.restart()
        caplog.clear()
        before = kept(api).told
        with wire.failing(call_number(number, EXPIRED)):
            reply = api.post("upsert_account", {"name": "Acme", "mrr": number})
        assert (reply.status, reply.code) == (500, "internal_error")
        assert "ExpiredToken" not in str(reply.body)
        assert "ExpiredTokenException" in caplog.text
        assert reply.body["trace_id"] in str(vars(caplog.records[0]))
        assert kept(api).told == before
        assert api.upsert("Acme", mrr=number)["mrr"] == number
        check(kept(api))


@pytest.mark.parametrize("action", ["list_customers", "list_changes", "whoami"])
def test_credentials_that_expired_for_good_fail_every_request_clearly(
    api: Api, wire: Wire, action: str, caplog: pytest.LogCaptureFixture
) -> None:
    api.upsert("Acme")
    before = kept(api).items
    with wire.failing(lambda _: EXPIRED):
        for _ in range(3):
            api.restart()
            assert api.get(action).code == "internal_error"
            assert api.post("upsert_account", {"name": "Acme", "mrr": 1}).status == 500
    assert caplog.text.count("unforeseen") == 6
    assert kept(api).items == before
    assert api.get(action).status == 200
