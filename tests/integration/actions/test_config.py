"""The configuration: read, changed by versions, refused where it makes no sense."""

from __future__ import annotations

from typing import Any

import pytest
from tests.integration.actions.api import Api

from vitals.storage import codec
from vitals.storage.tenants import TenantTable
from vitals.usecases.cursor import cursor, digest


def config(api: Api) -> Any:
    return api.get("get_config").data


def updated(api: Api, **changes: object) -> Any:
    reply = api.post("update_config", changes)
    assert reply.status == 200, reply.body
    return reply.body


def test_the_configuration_is_all_there_from_the_start(api: Api) -> None:
    """AMB-46: no blank default."""
    found = config(api)
    assert found["version"] == 1
    assert found["total_weight"] == 100
    assert found["weights"]["logins"] == 25
    assert found["bands"] == {
        "critical": 0, "at_risk": 25, "watch": 50, "healthy": 65, "expansion": 80
    }  # fmt: skip
    assert found["cadence"]["enterprise"] == {"due": 14, "overdue": 21}
    assert found["renewal_windows"] == {"critical": 30, "warning": 60, "upcoming": 90}
    assert (found["quiet_after"], found["momentum"]) == (30, {"points": 5, "days": 7})
    assert found["expansion"] == {"method": "mrr_percent", "percent": 20}
    assert found["time_zone"] == "UTC"
    assert found["limits"] == {
        "reads": 1000, "writes": 300, "records": 10000,
        "events": 60_000, "batches": 300, "imports": 10,
    }  # fmt: skip
    assert found["event_days"] == 90
    assert found["signals"]["logins"]["computed"] == {
        "aggregate": "user_days", "events": [], "window_days": 30
    }  # fmt: skip
    assert found["dimensions"]["usage"] == {
        "weight": 50, "share": 0.5, "signals": ["logins", "adoption"]
    }  # fmt: skip


def test_a_preset_sets_every_weight_and_what_is_sent_beside_it_goes_on_top(api: Api) -> None:
    """LU-043."""
    own = {"weight": 10, "dimension": "usage", "curve": {"type": "linear", "zero": 0, "full": 9}}
    updated(api, signals={"seats": own}, weights={"tickets": 10}, rescore=False)
    answer = updated(api, preset="usage_led", weights={"nps": 5, "csat": 5}, rescore=False)
    weights = {"logins": 20, "adoption": 20, "days": 30, "tickets": 20, "nps": 5, "csat": 5}
    assert answer["data"]["weights"] == {**weights, "growth": 0, "seats": 0}
    shares = {name: each["share"] for name, each in answer["data"]["dimensions"].items()}
    assert shares == {
        "usage": 0.4, "support": 0.2, "sentiment": 0.1, "engagement": 0.3, "growth": 0
    }  # fmt: skip
    assert updated(api, preset="usage-led", weights={"nps": 5, "csat": 5})["unchanged"] is True
    assert updated(api, preset="balanced")["data"]["weights"]["logins"] == 25
    assert api.post("update_config", {"preset": "best"}).refused == {"preset": "unknown_value"}


def test_a_change_is_a_new_version_with_a_job(api: Api) -> None:
    answer = updated(api, weights={"logins": 30, "adoption": 20}, note="Logins matter more")
    assert (answer["model_version"], answer["unchanged"]) == (2, False)
    assert answer["changed"] == {
        "signals.adoption.weight": [25, 20], "signals.logins.weight": [25, 30]
    }  # fmt: skip
    assert api.get("get_job", id=answer["job_id"]).data["state"] == "queued"
    assert config(api)["weights"]["logins"] == 30
    [newest, first] = api.get("list_models").data
    assert (newest["version"], newest["note"], newest["current"]) == (2, "Logins matter more", True)
    assert (first["version"], first["current"]) == (1, False)


def test_what_changes_nothing_makes_no_version(api: Api) -> None:
    before = api.stored()
    answer = updated(api, weights={"logins": 25}, bands={"healthy": 65})
    assert (answer["unchanged"], answer["model_version"], answer["job_id"]) == (True, 1, None)
    assert api.stored() == before


def test_a_write_is_scored_under_the_new_model_at_once(api: Api) -> None:
    updated(api, weights={"logins": 100, "adoption": 0, "tickets": 0, "nps": 0, "days": 0,
                          "growth": 0})  # fmt: skip
    assert api.upsert("Acme", logins=15, adoption=100)["score"] == 50


def test_a_customer_of_an_older_model_says_so_and_reads_as_it_was_published(api: Api) -> None:
    made = api.upsert("Acme", logins=15, adoption=100)
    updated(api, weights={"logins": 50, "adoption": 0}, rescore=False)
    found = api.customer(id=made["id"])
    assert (found["score"], found["model_version"]) == (made["score"], 1)
    assert found["model_current"] is False


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"bands": {"watch": 20}}, "bands.watch", "must_ascend"),
        ({"bands": {"critical": 5}}, "bands.critical", "out_of_range"),
        ({"signals": {"logins": {"curve": {"type": "linear", "zero": 3, "full": 3}}}},
         "signals.logins.curve.full", "out_of_range"),
        ({"signals": {"days": {"curve": {"type": "linear", "zero": 0, "full": 180}}}},
         "signals.days.curve", "must_fall"),
        ({"signals": {"days": {"curve": {"type": "choice", "options": {"a": 1}}}}},
         "signals.days.curve", "must_fall"),
        ({"signals": {"days": None}}, "signals.days", "required"),
        ({"signals": {"nps": {"curve": {"type": "step", "steps": [[0, 0], [0, 5]]}}}},
         "signals.nps.curve.steps", "must_ascend"),
        ({"signals": {"nps": {"curve": {"type": "step", "steps": [[0, 0], [5, 90], [8, 40]]}}}},
         "signals.nps.curve.steps", "must_be_monotone"),
        ({"signals": {"nps": {"curve": {"type": "half_life", "half_life": 0}}}},
         "signals.nps.curve.half_life", "out_of_range"),
        ({"signals": {"nps": {"curve": {"type": "magic"}}}},
         "signals.nps.curve", "union_tag_invalid"),
        ({"signals": {"mrr": {"weight": 0, "curve": {"type": "linear", "zero": 0, "full": 1}}}},
         "signals.mrr", "name_taken"),
        ({"signals": {"seats": {"weight": 0, "aliases": ["logins_30d"],
                                "curve": {"type": "linear", "zero": 0, "full": 1}}}},
         "signals.seats", "name_taken"),
        ({"signals": {"Seats!": {"weight": 0, "curve": {"type": "linear", "zero": 0, "full": 1}}}},
         "signals.Seats!.[key]", "string_pattern_mismatch"),
        ({"weights": {"seats": 5}}, "weights.seats", "unknown_value"),
        ({"weights": {"logins": 101}}, "signals.logins.weight", "out_of_range"),
        ({"weights": {"logins": 25.00001}}, "signals.logins.weight", "too_precise"),
        ({"min_coverage": 2}, "min_coverage", "out_of_range"),
        ({"missing_policy": "maybe"}, "missing_policy", "unknown_value"),
        ({"cadence": {"mid": {"due": 50}}}, "cadence.mid.overdue", "must_ascend"),
        ({"renewal_windows": {"critical": 70}}, "renewal_windows.warning", "must_ascend"),
        ({"quiet_after": 0}, "quiet_after", "out_of_range"),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "unknown_value"),
        ({"time_zone": None}, "time_zone", "required"),
        ({"expansion": {"method": "guess"}}, "expansion.method", "literal_error"),
        ({"profile_rules": [{"profile": "gone"}]}, "profile_rules.0.profile", "unknown_value"),
        ({"limits": {"reads": 0}}, "limits.reads", "out_of_range"),
        ({"limits": {"seconds": 5}}, "limits.seconds", "unknown_field"),
        ({"momentum": {"points": 5, "speed": 1}}, "momentum.speed", "unknown_field"),
        ({"time_zone": "localtime"}, "time_zone", "unknown_value"),
        ({"signals": {"logins": {"maximum": -5}}}, "signals.logins.maximum", "out_of_range"),
        ({"signals": {"logins": {"curve": {"type": "linear", "zero": 1e-300, "full": 3}}}},
         "signals.logins.curve.zero", "too_precise"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_and_nothing_changes(
    api: Api, change: dict[str, Any], field: str, code: str
) -> None:
    before = api.stored()
    reply = api.post("update_config", change)
    assert (reply.status, reply.code) == (400, "validation_error"), reply.body
    assert reply.refused.get(field) == code, reply.refused
    assert api.stored() == before


def test_every_field_that_is_wrong_is_named_at_once(api: Api) -> None:
    change = {"weights": {"login": 30}, "bands": {"watch": 90}, "limits": {"reads": "many"}}
    assert api.post("update_config", change).refused == {
        "weights.login": "unknown_value",
        "bands.healthy": "must_ascend",
        "limits.reads": "out_of_range",
    }


def test_weights_that_do_not_total_100_are_refused_with_what_they_total(api: Api) -> None:
    """IQ-077, AMB-28."""
    reply = api.post("update_config", {"weights": {"logins": 30}})
    assert (reply.status, reply.code, reply.body["total"]) == (422, "weights_total", 105)
    assert updated(api, weights={"logins": 25.01})["model_version"] == 2


def test_weights_are_scaled_to_100_on_request(api: Api) -> None:
    answer = updated(api, weights={"logins": 75}, normalize=True)
    weights = answer["data"]["weights"]
    assert answer["data"]["total_weight"] == 100
    assert weights["logins"] == 50
    assert weights["adoption"] == pytest.approx(50 / 3, abs=1e-4)


def test_a_signal_of_the_tenants_own_counts_like_any_other(api: Api) -> None:
    """PLUS-12."""
    seats = {"weight": 20, "dimension": "growth", "minimum": 0, "aliases": ["licences"],
             "curve": {"type": "half_life", "half_life": 10}}  # fmt: skip
    updated(api, signals={"seats": seats}, weights={"tickets": 0})
    made = api.upsert("Acme", licences=10)
    assert (made["seats"], made["score"]) == (10, 50)
    assert "seats" in {each["name"] for each in api.get("list_actions").body["signals"]}


def test_a_curve_is_replaced_whole(api: Api) -> None:
    curve = {"type": "power", "zero": 90, "delta": 2}
    answer = updated(api, signals={"days": {"curve": curve}})
    assert answer["data"]["signals"]["days"]["curve"] == curve
    assert answer["data"]["signals"]["days"]["weight"] == 10


def test_a_value_that_the_new_curve_cannot_take_counts_as_missing(api: Api) -> None:
    made = api.upsert("Acme", logins=30, growth="mild")
    words = {"type": "choice", "options": {"down": 0, "up": 100}}
    updated(api, signals={"growth": {"curve": words}})
    found = api.post("score_customer", {"id": made["id"]}).data
    assert (found["score"], found["growth"]) == (100, "mild")
    [row] = [each for each in found["missing"] if each["signal"] == "growth"]
    assert row["reason"] == "not_taken_by_model"


def test_csat_can_stand_beside_nps_or_in_its_place(api: Api) -> None:
    """IQ-078."""
    updated(api, weights={"nps": 0, "csat": 15})
    assert api.upsert("Acme", csat=3, nps=0)["score"] == 50
    updated(api, weights={"nps": 10, "csat": 5})
    assert api.upsert("Acme", csat=3, nps=0)["score"] == 17


def test_the_day_turns_where_the_tenant_is(api: Api) -> None:
    """AMB-45."""
    updated(api, time_zone="Pacific/Auckland")
    assert api.upsert("Acme", days=0)["last_contact_on"] == "2026-03-03"


def test_what_an_expansion_ready_customer_may_add_follows_the_model(api: Api) -> None:
    """IQ-102."""
    updated(api, expansion={"percent": 12.5})
    assert api.upsert("Acme", logins=30, mrr=1001)["expansion_estimate"] == 125.13
    assert api.upsert("Bolt", logins=1, mrr=1001)["expansion_estimate"] is None


def test_the_limits_are_the_tenants_and_only_the_platform_gives_more(api: Api) -> None:
    answer = updated(api, limits={"reads": 17})
    assert (answer["model_version"], answer["job_id"]) == (1, None)
    assert answer["changed"] == {"limits.reads": [None, 17]}
    assert api.get("whoami").headers["x-ratelimit-limit"] == "17"
    lesser = api.another_key("health:write", "admin:*")
    reply = lesser.post("update_config", {"limits": {"writes": 301}})
    assert (reply.status, reply.body["scope"]) == (403, "platform:*")
    assert lesser.post("update_config", {"limits": {"writes": 300}}).status == 200
    assert updated(api, limits={"reads": None})["data"]["limits"]["reads"] == 1000


def test_two_administrators_change_one_after_the_other(api: Api) -> None:
    """AMB-60: a change builds on the newest version, whatever its process remembers."""
    other = api.another_key("health:write", "admin:*")
    updated(api, quiet_after=14)
    assert other.post("update_config", {"min_coverage": 0.2}).data["quiet_after"] == 14
    reply = api.post("update_config", {"quiet_after": 15, "if_version": 2})
    assert (reply.status, reply.code, reply.body["version"]) == (409, "version_conflict", 3)


def test_a_change_under_a_key_is_made_once(api: Api) -> None:
    first = api.post("update_config", {"quiet_after": 14}, idempotency_key="k")
    again = api.post("update_config", {"quiet_after": 14}, idempotency_key="k")
    assert again.body == first.body
    assert again.headers["idempotency-replayed"] == "true"
    assert len(api.get("list_models").data) == 2


def test_an_old_version_becomes_the_newest(api: Api) -> None:
    updated(api, weights={"logins": 30, "adoption": 20})
    reply = api.post("restore_model", {"version": 1, "note": "That was wrong"})
    assert (reply.body["model_version"], reply.body["restored_version"]) == (3, 1)
    assert reply.data["weights"]["logins"] == 25
    assert api.get("get_model", version=2).data["weights"]["logins"] == 30
    assert api.get("get_model", version=9).code == "model_not_found"
    assert api.post("restore_model", {"version": 9}).code == "model_not_found"


def test_a_forged_cursor_is_refused(api: Api) -> None:
    query = digest("models")
    for place in ([-5], [0], [2**60], [True], ["x"]):
        reply = api.get("list_models", cursor=cursor(query, place))
        assert (reply.status, reply.code) == (400, "invalid_cursor"), place
    for place in (["x" * 2000], ["a#b"]):
        forged = cursor(digest("jobs", frozenset(), frozenset()), place)
        assert api.get("list_jobs", cursor=forged).code == "invalid_cursor"


def test_a_model_is_read_however_young_it_is(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """An eventually consistent read may not find what was written a moment ago."""
    real = TenantTable.model_document

    def young(self: TenantTable, tenant_id: str, version: int, *, consistent: bool = False) -> Any:
        return real(self, tenant_id, version, consistent=consistent) if consistent else None

    monkeypatch.setattr(TenantTable, "model_document", young)
    seats = {"weight": 0, "curve": {"type": "linear", "zero": 0, "full": 9}}
    updated(api, signals={"seats": seats})
    assert "seats" in updated(api, quiet_after=3)["data"]["signals"]
    assert api.upsert("Acme", seats=3)["seats"] == 3


def test_a_setting_younger_than_the_model_is_no_change(api: Api) -> None:
    key = (f"T#{api.tenant.id}", "MODEL#00000001")
    item = api.table.get(key)
    assert item is not None
    old = codec.decode(item.doc or "")
    del old["renewal_factors"], old["expansion"]
    item.doc = codec.encode(old)
    api.table.put(item)
    assert updated(api, weights={"logins": 25})["unchanged"] is True


def test_every_version_is_listed_by_pages(api: Api) -> None:
    for days in range(1, 6):
        updated(api, quiet_after=days)
    first = api.get("list_models", limit=4)
    rest = api.get("list_models", limit=4, cursor=first.body["next_cursor"])
    assert [each["version"] for each in first.data + rest.data] == [6, 5, 4, 3, 2, 1]
    assert rest.body["has_more"] is False


def test_the_history_of_the_configuration_tells_who_changed_what(api: Api) -> None:
    """IQ-194."""
    updated(api, bands={"healthy": 70}, note="Stricter")
    api.later(seconds=1)
    api.upsert("Acme")
    api.post("put_profile", {"name": "trial", "weights": {"logins": 100}})
    api.later(seconds=1)
    updated(api, limits={"reads": 50})
    limits, profile, bands = api.get("list_config_history").data
    assert limits["changed"] == {"limits.reads": [None, 50]}
    assert profile["changed"] == {"profiles": [{}, None], "profiles.trial.logins": [None, 100]}
    assert (bands["changed"], bands["note"]) == ({"bands.healthy": [65, 70]}, "Stricter")
    assert bands["by"] == api.get("whoami").data["id"]
    assert api.get("list_config_history", since="2026-03-02T12:00:02Z").data == [limits]
    assert api.get("list_audit", done="update_config").status == 200


def test_what_is_unknown_is_warned_of_and_under_strict_refused(api: Api) -> None:
    reply = api.post("update_config", {"quiet_afer": 3})
    assert reply.warned == {("unknown_field", "quiet_afer")}
    assert reply.body["warnings"][0]["did_you_mean"] == "quiet_after"
    assert api.post("update_config", {"quiet_afer": 3, "strict": True}).code == "validation_error"


@pytest.mark.parametrize("huge", [{f"s{n}": 1 for n in range(6000)}, [[[[[[[[[[1]]]]]]]]]]])
def test_what_is_too_large_or_too_deep_is_refused(api: Api, huge: object) -> None:
    reply = api.post("update_config", {"profile_rules": huge})
    assert reply.refused["profile_rules"] in ("too_large", "too_deep")
