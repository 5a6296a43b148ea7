"""Links that messages hold: to a report's file, and out of a schedule; who has one may use it."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode
from binascii import Error

from vitals.domain.errors import ReportNotFoundError
from vitals.domain.job import REPORT
from vitals.usecases.context import Context
from vitals.usecases.report_schedules import left, schedule_entry
from vitals.usecases.reports import link_of
from vitals.usecases.send_report import seal


def file_url(context: Context, job_id: str, secret: str) -> str:
    """Return a URL of the report's file, good for at most an hour. Raises ReportNotFoundError."""
    job = context.jobs.get(context.tenant.id, job_id)
    if job is not None and job.kind == REPORT:
        link = link_of(context, job)
        if link is not None and _same(str(job.params.get("secret")), secret):
            return str(link["url"])
    raise not_there()


def leave(context: Context, schedule_id: str, encoded: str, sealed: str, *, confirmed: bool) -> str:
    """Return the address that the link is of; *confirmed*, it is mailed no more (RFC 8058).

    Raises ReportNotFoundError.
    """
    entry = schedule_entry(context, schedule_id)
    try:
        address = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except (Error, ValueError):
        address = ""
    if entry is None or not address or not _same(seal(entry.document["secret"], address), sealed):
        raise not_there()
    if confirmed:
        left(context, schedule_id, address)
    return address


def not_there() -> ReportNotFoundError:
    """Return the error of a link that leads nowhere, whatever of it is wrong."""
    return ReportNotFoundError("this link leads nowhere any more: links hold for eight days")


def _same(mine: str, given: str) -> bool:
    return hmac.compare_digest(mine.encode(), given.encode())
