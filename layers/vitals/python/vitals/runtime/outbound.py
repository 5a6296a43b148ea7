"""What rules, alerts and deliveries stand on: made when it is first asked for.

A start pays for what it answers alone, and most requests tell nobody of anything.
"""

from __future__ import annotations

from vitals.runtime.outside import KeyVault, QueueSender, attempt
from vitals.runtime.receivers import check_url, new_secret
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
        sender=QueueSender(settings().deliveries_queue_url),
        attempt=attempt,
        check_url=check_url,
        new_secret=new_secret,
    )
