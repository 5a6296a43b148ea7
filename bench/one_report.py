"""One report as the main program of a fresh process, which prints the memory that it held.

What it keeps and sends stays in this process, and its clock stands still.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench.outside import Outside

import printing
import reports
from vitals.domain.reports.document import Document
from vitals.domain.reports.look import Look
from vitals.runtime import clock
from vitals.runtime.logging import logger


class Context:
    """What of Lambda's context a handler uses."""

    aws_request_id = "00000000-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        """Return the time that is always left here."""
        return 29_000


def main(tenant: str, job: str, now: str) -> None:
    """Make the report of *job*, as if it were *now*, as the message from the queue would."""
    held: dict[str, Any] = {}
    rendered, played, at = printing.rendered, Outside(), datetime.fromisoformat(now)

    def noted(document: Document, look: Look, form: str) -> bytes:
        held["built_megabytes"] = most_megabytes()
        content = rendered(document, look, form)
        held["size"] = len(content)
        return content

    logger().setLevel(logging.WARNING)
    body = json.dumps({"tenant_id": tenant, "job_id": job})
    with (
        patch.multiple(clock, now=lambda: at),
        patch.multiple("vitals.runtime.outbound", BucketFiles=played.bucket),
        patch.object(printing, "rendered", noted),
    ):
        reports.handler({"Records": [{"messageId": job, "body": body}]}, Context())
    if not played.files:
        raise AssertionError("no report was made")
    print(json.dumps({**held, "megabytes": most_megabytes(), "cpu": time.process_time()}))


def most_megabytes() -> float:
    """Return the most memory that this process held since it was this program."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if "VmHWM:" in line) / 1024


main(*sys.argv[1:])
