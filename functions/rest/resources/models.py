"""The health model: read, changed, and every version of it (LU-046, 047)."""

from __future__ import annotations

from typing import Any

from resources.call import Call, etag, page_of
from vitals.runtime.http import Response
from vitals.usecases.config import get_config, update_config
from vitals.usecases.models import get_model, list_models


def get_health_model(call: Call) -> Response:
    """Answer the model in force."""
    return _replied(call, call.ask(get_config, {})["data"])


def update_health_model(call: Call) -> Response:
    """Answer the model as it is then, and the job that scores everybody by it."""
    answer = call.ask(update_config, {**call.body, **call.if_match})
    told = {"job_id": answer.get("job_id"), "unchanged": answer.get("unchanged", False)}
    return _replied(call, answer["data"] | told)


def list_model_versions(call: Call) -> Response:
    """Answer one page of the model's versions."""
    return call.reply(page_of(call.ask(list_models, {"limit": 50, **call.query}), dict))


def get_model_version(call: Call) -> Response:
    """Answer one version of the model."""
    answer = call.ask(get_model, {"version": call.variables["version"]})
    return call.reply(answer["data"])


def _replied(call: Call, view: dict[str, Any]) -> Response:
    return call.reply(view, headers=etag(view["version"]))
