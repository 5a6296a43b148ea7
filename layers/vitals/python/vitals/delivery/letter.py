"""What of a message is for mail alone: its subject, its sender's name, its colours, its table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vitals.delivery.colours import MUTED, Accent, accent_of
from vitals.delivery.facts import day, local_day, mapping, objects, text
from vitals.delivery.wording import LONGEST_NAME, LONGEST_TITLE, Message
from vitals.domain.notice import REPORT_READY
from vitals.domain.reports.look import ACCENT

SEVERITY_COLOURS: Mapping[str, str] = {
    "critical": "#b42318",
    "warning": "#b54708",
    "attention": "#175cd3",
    "opportunity": "#067647",
}
BETTER, WORSE = "good", "bad"
_SAID = {BETTER: "better", WORSE: "worse"}
_MOST_ROWS = 12


@dataclass(frozen=True, slots=True)
class Row:
    """One value, what became of it, and whether that is good or bad, if anybody knows."""

    label: str
    value: str
    change: str = ""
    tone: str = ""

    @property
    def moved(self) -> str:
        """The change in words: nobody has to see its colour."""
        return ", ".join(filter(None, (self.change, _SAID.get(self.tone, ""))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message as a mail: *brand* is the tenant's name ("": nobody said), *beneath* what stands
    beneath the *heading*, *opening* what a list of mails shows beside the subject.

    With *figures* its rows are numbers.
    """

    subject: str
    heading: str
    opening: str
    accent: Accent
    rows: tuple[Row, ...]
    brand: str = ""
    beneath: str = ""
    figures: bool = False


def letter_of(payload: Mapping[str, Any], message: Message) -> Letter:
    """Return *payload*, which says *message*, as a mail."""
    if payload.get("type") == REPORT_READY:
        return _of_report(mapping(payload.get("data")), message)
    said = f"[{message.severity.capitalize()}] " if message.severity else ""
    return Letter(
        subject=said + message.title,
        heading=message.title,
        opening=message.lines[0] if message.lines else "",
        accent=accent_of(SEVERITY_COLOURS.get(message.severity or "", MUTED), MUTED),
        rows=tuple(Row(label, value) for label, value in message.facts),
    )


def _of_report(data: Mapping[str, Any], message: Message) -> Letter:
    """Return a report's mail: its subject has its date, or all of a schedule would be one thread.

    Dates are as the payload words them, in the language of its numbers; else in English.
    """
    report, brand = mapping(data.get("report")), mapping(data.get("brand"))
    name, subject = text(brand.get("name"), LONGEST_NAME), text(report.get("subject"), LONGEST_NAME)
    title = ("[Test] " if data.get("test") else "") + text(report.get("title"), LONGEST_NAME)
    period, said = mapping(data.get("period")), mapping(data.get("worded"))
    since = text(said.get("from")) or day(period.get("from"))
    until = text(said.get("until")) or day(period.get("to"))
    if not until:
        until = local_day(data.get("as_of"), text(data.get("time_zone")))
    dated = f"{title} – {until}" if until else title
    return Letter(
        subject=text(f"{dated}: {subject}", LONGEST_TITLE),
        heading=title if subject == name else message.title,
        opening=message.lines[0] if message.lines else "",
        accent=accent_of(text(brand.get("accent")), ACCENT),
        rows=tuple(_rows(data))[:_MOST_ROWS],
        brand=name,
        beneath=" – ".join(filter(None, (since, until))),
        figures=True,
    )


def _rows(data: Mapping[str, Any]) -> Iterator[Row]:
    for each in objects(data.get("figures")):
        label, value = text(each.get("label")), text(each.get("value"))
        change, tone = text(each.get("change")), text(each.get("tone"))
        if label and value:
            yield Row(label, value, change, tone if change and tone in _SAID else "")
