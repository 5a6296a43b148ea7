"""Product events sent and listed, and the signals computed from them (LU-049 to 053)."""

from __future__ import annotations

from resources.call import Call, page_of
from vitals.runtime.http import Response
from vitals.usecases.ingest_events import ingest_events as ingest
from vitals.usecases.list_events import list_events as list_all
from vitals.usecases.signals import list_signals as signals_of

_SAME = ("accepted", "rejected", "duplicates", "errors")


def ingest_events(call: Call) -> Response:
    """Answer how many events are stored, and what is wrong with the others."""
    answer = call.ask(ingest, call.body)
    shown = {name: answer[name] for name in _SAME}
    customers = [
        {
            "id": each["id"],
            "score": each["score"],
            "band": each["status"],
            "unchanged": each["unchanged"],
        }
        for each in answer["data"].get("customers", ())
    ]
    return call.reply(shown | {"customers": customers, "warnings": answer["warnings"]})


def list_events(call: Call) -> Response:
    """Answer one page of events."""
    return call.reply(page_of(call.ask(list_all, call.query), dict))


def list_signals(call: Call) -> Response:
    """Answer what is known of a customer's signals."""
    answer = call.ask(signals_of, {"id": call.variables["customer_id"]})
    return call.reply(answer["data"])
