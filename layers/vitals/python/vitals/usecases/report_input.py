"""What a caller says of a report: which, of whom, in which form, to whom and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import PlainValidator

from vitals.domain.errors import CustomerNotFoundError
from vitals.domain.model import LIFECYCLES, TIERS
from vitals.domain.reports.book import Filters
from vitals.domain.reports.catalogue import REPORTS
from vitals.usecases.administer import Administering
from vitals.usecases.connection_input import Emails
from vitals.usecases.context import Context
from vitals.usecases.fields import Flag, Name, Short, any_of, one_of, refuse, split, whole
from vitals.usecases.find import find
from vitals.usecases.inputs import Input, Reference
from vitals.usecases.report_book import LONGEST
from vitals.usecases.schedule_input import Recurrence

JSON, CSV, HTML, PDF = "json", "csv", "html", "pdf"
FORMS = (JSON, CSV, HTML, PDF)
MAX_CONNECTIONS = 20
MAX_NAMES, LONGEST_NAME = 50, 200
"""A filter holds so many names of so many letters: jobs, schedules and messages repeat it."""
FILTERS = ("manager", "tier", "lifecycle", "tag")
NAMES = tuple(report.name for report in REPORTS)


def _connections(raw: object) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(split(raw)))
    if len(found) > MAX_CONNECTIONS:
        refuse("out_of_range", f"must be at most {MAX_CONNECTIONS} ids of connections")
    return found


Connections = Annotated[
    tuple[str, ...], PlainValidator(_connections, json_schema_input_type=list[str] | str)
]
Days = Annotated[int, whole(1, LONGEST)]
ReportName = Annotated[str, one_of(*NAMES)]


def _names(raw: object) -> frozenset[str]:
    found = frozenset(part.casefold() for part in split(raw))
    if len(found) > MAX_NAMES or any(len(name) > LONGEST_NAME for name in found):
        refuse("out_of_range", f"must be at most {MAX_NAMES} of {LONGEST_NAME} letters")
    return found


Names = Annotated[frozenset[str], PlainValidator(_names, json_schema_input_type=str)]


class Filtered(Input):
    """Whom it is about: OR within one filter, AND across."""

    manager: Names = frozenset()
    tier: Annotated[frozenset[str], any_of(*TIERS)] = frozenset()
    lifecycle: Annotated[frozenset[str], any_of(*LIFECYCLES)] = frozenset()
    tag: Names = frozenset()

    @property
    def filters(self) -> Filters:
        """Return the filters as the reports have them."""
        return Filters(
            managers=self.manager, tiers=self.tier, lifecycles=self.lifecycle, tags=self.tag
        )


class ReportInput(Administering, Filtered):
    """Which report, of whom, looking back how many *days*; *customer_id* is whom it is about."""

    aliases: ClassVar[dict[str, str]] = {"type": "report", "customer": "customer_id"}

    report: ReportName | None = None
    days: Days | None = None
    customer_id: Short | None = None


class RunInput(ReportInput):
    """In which *format*; *table* is the one that CSV holds, *link* asks for one in any case.

    *job_id* asks for the file of a report that was under way.
    """

    aliases: ClassVar[dict[str, str]] = {**ReportInput.aliases, "form": "format"}

    format: Annotated[str, one_of(*FORMS)] = JSON
    table: Short | None = None
    link: Flag = False
    job_id: Short | None = None


class SendInput(ReportInput):
    """To whom, by e-mail or over connections; *schedule_id* says all that is not said."""

    aliases: ClassVar[dict[str, str]] = {
        **ReportInput.aliases,
        "form": "format",
        "to": "recipients",
        "emails": "recipients",
    }

    schedule_id: Short | None = None
    format: Annotated[str, one_of(*FORMS)] | None = None
    recipients: Emails | None = None
    connections: Connections | None = None


class ScheduleReference(Administering):
    """Which schedule, as of which version."""

    id: Short
    if_version: Annotated[int, whole(0, 2**53)] | None = None


class ToggleScheduleInput(ScheduleReference):
    """*enabled* false pauses it."""

    aliases: ClassVar[dict[str, str]] = {"active": "enabled"}

    enabled: Flag


class ScheduleInput(ReportInput):
    """A report schedule; with an *id*, what was not sent stays as it is."""

    aliases: ClassVar[dict[str, str]] = {
        **SendInput.aliases,
        "delivery": "schedule",
        "active": "enabled",
    }

    id: Short | None = None
    if_version: Annotated[int, whole(0, 2**53)] | None = None
    name: Name | None = None
    enabled: Flag = True
    format: Annotated[str, one_of(*FORMS)] | None = None
    recipients: Emails | None = None
    connections: Connections | None = None
    schedule: Recurrence | None = None


def asked_of(parsed: ReportInput) -> dict[str, Any]:
    """Return what was sent of a report's parameters, as jobs and schedules have them."""
    given = parsed.model_fields_set
    found = {name: getattr(parsed, name) for name in ("report", "days", "customer_id")}
    filters = {name: sorted(getattr(parsed, name)) for name in FILTERS}
    return {name: value for name, value in (found | filters).items() if name in given}


def customer_meant(context: Context, given: str) -> str:
    """Return the id of the customer whose id, external_id or name is *given*.

    Jobs and schedules hold that alone: a name changes, and is erased with its customer. Raises
    CustomerNotFoundError.
    """
    for reference in (Reference(id=given), Reference(external_id=given), Reference(name=given)):
        found = find(context, reference)
        if found is not None and found.deleted_at is None:
            return found.id
    raise CustomerNotFoundError(f"no customer has the id, external_id or name {given!r}")


def own_zone(schedule: Mapping[str, Any]) -> str | None:
    """Return the time zone that the document of a *schedule* has of its own."""
    found: str | None = schedule["schedule"].get("time_zone")
    return found


def filters_of(asked: Mapping[str, Any]) -> Filters:
    """Return the filters that a job or a schedule has."""
    managers, tiers, lifecycles, tags = (frozenset(asked.get(name) or ()) for name in FILTERS)
    return Filters(managers=managers, tiers=tiers, lifecycles=lifecycles, tags=tags)
