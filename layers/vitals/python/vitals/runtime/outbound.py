"""What rules, alerts and deliveries stand on: made when it is first asked for.

A start pays for what it answers alone, and most requests tell nobody of anything.
"""

from __future__ import annotations

from functools import partial

from vitals.runtime.files import BucketFiles
from vitals.runtime.outside import JobSender, KeyVault, QueueSender, attempt
from vitals.runtime.receivers import check_url, new_secret, new_token
from vitals.runtime.settings import settings
from vitals.storage.alerts import AlertTable
from vitals.storage.deliveries import DeliveryTable
from vitals.storage.reaction_ports import Outbound
from vitals.storage.rulebooks import RulebookTable
from vitals.storage.table import Table
from vitals.storage.wakes import WakeTable


def outbound(table: Table) -> Outbound:
    """Return all that is needed to tell anybody of anything, over *table*."""
    return Outbound(
        rulebooks=RulebookTable(table),
        alerts=AlertTable(table),
        deliveries=DeliveryTable(table),
        wakes=WakeTable(table),
        vault=KeyVault(settings().secrets_key),
        files=(files := BucketFiles(settings().reports_bucket)),
        sender=QueueSender(settings().deliveries_queue_url),
        reports=JobSender(settings().reports_queue_url),
        attempt=partial(attempt, files),
        check_url=check_url,
        new_secret=new_secret,
        new_token=new_token,
        api_url=settings().api_url.rstrip("/"),
        has_sender=bool(settings().sender),
    )
