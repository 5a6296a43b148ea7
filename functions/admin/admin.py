"""The admin function: no HTTP; IAM alone decides who may invoke it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vitals.domain.errors import FieldError, ValidationError, VitalsError
from vitals.runtime import clock
from vitals.runtime.api_keys import new_key
from vitals.runtime.logging import logger
from vitals.runtime.problems import problem
from vitals.runtime.serve import LambdaContext
from vitals.runtime.wiring import wiring
from vitals.usecases.bootstrap import bootstrap


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Run the event's `command` and return its answer, or {"error": problem}.

    `bootstrap` creates the first tenant and its first key, and answers with the secret, which is
    stored nowhere and logged nowhere.
    """
    try:
        answer = _run(dict(event))
    except VitalsError as error:
        return {"error": problem(error, "admin", context.aws_request_id)}
    logger().info("bootstrapped", tenant_id=answer["tenant_id"], key_id=answer["key_id"])
    return answer


def _run(event: dict[str, Any]) -> dict[str, Any]:
    command = event.pop("command", None)
    if command != "bootstrap":
        raise ValidationError([FieldError("command", "unknown_value", "must be: bootstrap")])
    wired = wiring()
    stored = (wired.tenants, wired.administration)
    return bootstrap(stored, event, clock.now(), clock.new_id, new_key)
