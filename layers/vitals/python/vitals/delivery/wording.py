"""What an event says: the title, the lines and the facts that every channel shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vitals.delivery.facts import (
    instant,
    local_instant,
    mapping,
    number,
    objects,
    phrase,
    signed,
    text,
    words,
)

SEVERITIES = ("critical", "warning", "attention", "opportunity")
LONGEST_NAME = 100
LONGEST_TITLE = 140
LONGEST_LINK = 1000
MOST_LINES = 8
_MOST_FACTS = 12

Facts = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One alert of a list: whose, and what."""

    severity: str | None
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """An event in words; every text is one line.

    *severity* is that of the gravest alert, if any. *items* are those that are listed of a
    summary, and *more* how many further ones it counts. *link* is a label and a URL.
    """

    title: str
    severity: str | None = None
    lines: tuple[str, ...] = ()
    facts: Facts = ()
    items: tuple[Item, ...] = ()
    more: int = 0
    link: tuple[str, str] | None = None
    footer: str = ""

    @property
    def heading(self) -> str:
        """The title after the severity in a word, for those who do not see its colour."""
        return f"{words(self.severity)}: {self.title}" if self.severity else self.title


def worded(payload: Mapping[str, Any]) -> Message:
    """Return what the stored event *payload* says; one of an unknown type, as far as it shows."""
    kind = text(payload.get("type"), LONGEST_NAME)
    data = mapping(payload.get("data"))
    return _WORDINGS.get(kind, _other)(kind, data)


def more_line(count: int) -> str:
    """Return the line that stands for *count* alerts that are not listed."""
    return f"… and {count:,} more"


def _fired(kind: str, data: Mapping[str, Any]) -> Message:
    """One customer's alerts, raised or escalated."""
    alerts = list(objects(data.get("alerts")))
    customer = mapping(data.get("customer"))
    events = {_event(each, data) for each in alerts}
    about = events.pop() if len(events) == 1 else f"{len(alerts)} alerts"
    escalated = kind == "alert.escalated"
    lines = ["Nobody has acknowledged this yet."] if escalated else []
    lines += [_alert_line(each, alone=len(alerts) == 1) for each in alerts]
    exposed = data.get("mrr_exposed")
    facts = [*_customer_facts(customer), *_moved(data.get("moved"))]
    if exposed is not None and exposed != customer.get("mrr"):
        facts.append(("MRR exposed", number(exposed)))
    return Message(
        title=_title(f"{'Escalated: ' if escalated else ''}{_name(customer)}: {about}"),
        severity=_gravest(alerts),
        lines=_lines(lines),
        facts=_facts(facts),
        footer=_footer(_by_rule(data), instant(data.get("at"))),
    )


# The others' names are their words.
_EVENTS = {"health_below": "health below the threshold", "no_contact": "no contact for too long"}


def _event(alert: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """Return what happened, in few words; of a custom rule, its name."""
    event = text(alert.get("event"))
    custom = _rule(data) if event == "condition" else ""
    return custom or _EVENTS.get(event) or phrase(event) or "alert"


def _alert_line(alert: Mapping[str, Any], *, alone: bool) -> str:
    severity = words(alert.get("severity"))
    return _said(alert) if alone or not severity else f"{severity}: {_said(alert)}"


def _said(alert: Mapping[str, Any]) -> str:
    return text(alert.get("message")) or words(alert.get("event")) or "Alert"


_REASONS = {
    "daily": "Daily summary",
    "weekly": "Weekly summary",
    "import": "After an import",
    "model": "After a change of the model",
    "existing": "Already true as the rule begins",
}


def _digest(_kind: str, data: Mapping[str, Any]) -> Message:
    """A rule's alerts of a while, as one list."""
    alerts = list(objects(data.get("alerts")))
    count = data.get("count")
    count = max(count, len(alerts)) if isinstance(count, int) else len(alerts)
    reason = _REASONS.get(text(data.get("reason")), "Summary")
    since, until = (instant(data.get(name)) for name in ("from", "to"))
    exposed = data.get("mrr_exposed")
    facts = [("Alerts", f"{count:,}")]
    facts += [("MRR exposed", number(exposed))] if exposed is not None else []
    alerts_word = "alert" if count == 1 else "alerts"
    return Message(
        title=_title(f"{reason}: {count:,} {alerts_word} from {_rule(data) or 'a rule'}"),
        severity=_gravest(alerts),
        facts=tuple(facts),
        items=tuple(map(_item, alerts)),
        more=count - len(alerts),
        footer=_footer(_by_rule(data), " to ".join(filter(None, (since, until)))),
    )


def _item(alert: Mapping[str, Any]) -> Item:
    customer = mapping(alert.get("customer"))
    severity = text(alert.get("severity"))
    about = [_said(alert)]
    if "score" in customer:
        about.append(f"score {_score(customer)}")
    for name, label in (("manager", "manager"), ("mrr", "MRR")):
        if customer.get(name) is not None:
            about.append(f"{label} {text(customer[name], LONGEST_NAME)}")
    return Item(severity if severity in SEVERITIES else None, _name(customer), " · ".join(about))


def _disabled(_kind: str, data: Mapping[str, Any]) -> Message:
    connection = mapping(data.get("connection"))
    reason = text(data.get("reason"))
    return Message(
        title=_title(f"The connection {_name(connection, 'without a name')} was disabled"),
        severity="warning",
        lines=_lines([reason, "Nothing more is sent to it until somebody enables it again."]),
        facts=_connection_facts(connection),
        footer=instant(data.get("at")),
    )


def _report(_kind: str, data: Mapping[str, Any]) -> Message:
    """A report that was made: what it says, its key figures, and where it is."""
    report, schedule = mapping(data.get("report")), mapping(data.get("schedule"))
    test = "[Test] " if data.get("test") else ""
    title = f"{test}{text(report.get('title'))}: {text(report.get('subject'), LONGEST_NAME)}"
    facts = []
    for each in objects(data.get("figures")):
        change = text(each.get("change"))
        value = text(each.get("value"))
        facts.append((text(each.get("label")), f"{value}, {change}" if change else value))
    lines = [text(line) for line in data.get("headlines") or ()]
    filters = [
        f"{words(name)}: {', '.join(text(value) for value in values)}"
        for name, values in mapping(data.get("filters")).items()
    ]
    link = text(data.get("link"), LONGEST_LINK)
    # In the words of its numbers, if they are there.
    at = text(mapping(data.get("worded")).get("as_of"))
    as_of = f"As of {at or local_instant(data.get('as_of'), text(data.get('time_zone')))}"
    return Message(
        title=_title(title),
        lines=_lines(lines),
        facts=_facts(facts)[:_MOST_FACTS],
        link=("Open the report", link) if link else None,
        footer=_footer(as_of, *filters, text(schedule.get("name"), LONGEST_NAME)),
    )


def _test(_kind: str, data: Mapping[str, Any]) -> Message:
    connection = mapping(data.get("connection"))
    said = text(data.get("message")) or "This connection works."
    return Message(
        title="Test message from Vitals",
        lines=_lines([said]),
        facts=_connection_facts(connection),
    )


def _other(kind: str, data: Mapping[str, Any]) -> Message:
    """Any other event: its type as words, the customer, the score, what moved."""
    customer = mapping(data.get("customer"))
    score = mapping(data.get("score"))
    facts = list(_customer_facts(customer))
    if score.get("before") != score.get("after"):
        facts = [fact for fact in facts if fact[0] != "Score"]
        facts.insert(0, ("Score", f"{_score_before(score)} → {_score_after(score)}"))
    facts += _moved(score.get("moved", data.get("moved")))
    if not customer:
        facts += [(words(name), text(value)) for name, value in data.items() if _is_plain(value)]
    return Message(
        title=_title(f"{_name(customer)}: {phrase(kind)}" if customer else words(kind) or "Event"),
        facts=_facts(facts)[:_MOST_FACTS],
        footer=instant(data.get("at")),
    )


_WORDINGS: Mapping[str, Callable[[str, Mapping[str, Any]], Message]] = {
    "alert.fired": _fired,
    "alert.escalated": _fired,
    "alert.digest": _digest,
    "connection.disabled": _disabled,
    "connection.test": _test,
    "report.ready": _report,
}


def _customer_facts(customer: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "score" in customer:
        yield "Score", _score(customer)
    for name, label in (("tier", "Tier"), ("lifecycle", "Lifecycle")):
        if customer.get(name):
            yield label, words(customer[name])
    if customer.get("manager"):
        yield "Manager", text(customer["manager"], LONGEST_NAME)
    if customer.get("mrr") is not None:
        yield "MRR", number(customer["mrr"])
    if customer.get("renewal_date"):
        yield "Renewal", _renewal(customer)
    if customer.get("last_contact_on"):
        yield "Last contact", text(customer["last_contact_on"])


def _renewal(customer: Mapping[str, Any]) -> str:
    day, left = text(customer["renewal_date"]), customer.get("days_until_renewal")
    if not isinstance(left, int):
        return day
    days = "day" if abs(left) == 1 else "days"
    return f"{day} ({left} {days} left)" if left >= 0 else f"{day} ({-left} {days} ago)"


def _score(customer: Mapping[str, Any]) -> str:
    return _score_as(customer.get("score"), customer.get("status"))


def _score_before(score: Mapping[str, Any]) -> str:
    return _score_as(score.get("before"), score.get("status_before"))


def _score_after(score: Mapping[str, Any]) -> str:
    return _score_as(score.get("after"), score.get("status_after"))


def _score_as(score: object, status: object) -> str:
    shown, band = "none" if score is None else number(score), phrase(status)
    return f"{shown} ({band})" if band else shown


def _moved(moved: object) -> Iterator[tuple[str, str]]:
    """Yield what moved the score, one fact for all of it."""
    parts = [_movement(each) for each in objects(moved)]
    if parts:
        yield "What moved", text("; ".join(parts))


def _movement(move: Mapping[str, Any]) -> str:
    before, after = (
        "none" if move.get(name) is None else number(move[name]) for name in ("before", "after")
    )
    delta = f" ({signed(move['delta'])})" if move.get("delta") is not None else ""
    return f"{phrase(move.get('signal'))} {before} → {after}{delta}"


def _connection_facts(connection: Mapping[str, Any]) -> Facts:
    labels = (("name", "Connection"), ("kind", "Kind"), ("shown", "Address"))
    return _facts((label, text(connection.get(name))) for name, label in labels)


def _gravest(alerts: list[Mapping[str, Any]]) -> str | None:
    found = {text(each.get("severity")) for each in alerts}
    return next((each for each in SEVERITIES if each in found), None)


def _name(thing: Mapping[str, Any], absent: str = "A customer") -> str:
    return text(thing.get("name"), LONGEST_NAME) or absent


def _rule(data: Mapping[str, Any]) -> str:
    return text(mapping(data.get("rule")).get("name"), LONGEST_NAME)


def _by_rule(data: Mapping[str, Any]) -> str:
    return f"Rule: {_rule(data)}" if _rule(data) else ""


def _title(line: str) -> str:
    return text(line, LONGEST_TITLE)


def _lines(lines: list[str]) -> tuple[str, ...]:
    said = list(filter(None, lines))
    if len(said) > MOST_LINES:
        said[MOST_LINES - 1 :] = [more_line(len(said) - MOST_LINES + 1)]
    return tuple(said)


def _facts(facts: Iterable[tuple[str, str]]) -> Facts:
    return tuple(fact for fact in facts if all(fact))


def _footer(*parts: str) -> str:
    return " · ".join(filter(None, parts))


def _is_plain(value: object) -> bool:
    return value is not None and value != "" and not isinstance(value, Mapping | list | tuple)
