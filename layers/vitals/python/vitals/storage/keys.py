"""Keys: the only place that spells PK, SK and the index's keys."""

from __future__ import annotations

import hashlib
import zlib
from typing import Final

from vitals.domain.access import Tenant
from vitals.domain.customer import normalised_name

Key = tuple[str, str]

TENANTS: Final = "TENANTS"
TENANT: Final = "A#TENANT"
SETTINGS: Final = "A#"
"""What a tenant's settings begin with: the tenant and its MRR counters, read by one query."""

FIRST, LAST = "0", "~"
"""What sorts before and behind every instant."""

REPORT: Final = "report"
"""The kind of what goes on when a report is due."""
REPORT_SCHEDULE: Final = "P"
LOOK: Final = "L"
OCCURRENCE: Final = "O"
"""Kinds of entries that reports have beside the rulebook."""
POINTER: Final = "REF#"
"""What leads from a customer to a delivery that names it among others."""
CLOCK: Final = "CLOCK"
"""When the tenant's day turns next."""
DUE_SHARDS = 4
"""Most tenants' midnights are one instant."""

CHUNK: Final = "A#"
LEDGER: Final = "D#"
HEAD: Final = "H"
SEGMENT: Final = "S#"
"""Kinds of what is kept of a customer's product events; ledgers, head and segments adjoin."""

MODELS_LAST: Final = "MODEL#~"
"""What sorts behind every model version."""

MINUTE = 60
MRR_COUNTERS = 16
"""Writers of different customers rarely meet on one of so many counters."""


def shard_of(tenant: Tenant, customer_id: str) -> int:
    """Return the shard that holds a customer."""
    return zlib.crc32(customer_id.encode()) % tenant.shards


def partition(tenant: Tenant, shard: int) -> str:
    """Return the partition of one shard's customers, in the table and in the index."""
    return f"T#{tenant.id}#{shard}"


def feed_partition(tenant: Tenant, shard: int) -> str:
    """Return the index partition of one shard's changes."""
    return f"T#{tenant.id}#{shard}#FEED"


def customer(tenant: Tenant, customer_id: str) -> Key:
    """Return the key of a customer."""
    return partition(tenant, shard_of(tenant, customer_id)), f"C#{customer_id}"


def history_partition(tenant: Tenant, customer_id: str) -> str:
    """Return the partition of a customer's changes."""
    return f"T#{tenant.id}#C#{customer_id}"


def version(number: int) -> str:
    """Return the sort key of the change that made a version."""
    return f"V#{number:010d}"


def lock(tenant: Tenant, kind: str, value: str) -> Key:
    """Return the key of what makes a name, external_id or email_domain unique (AMB-11, LU-033).

    Names are hashed: they may be long, and a key shows in metrics and logs.
    """
    same = normalised_name(value) if kind == "name" else value
    return f"T#{tenant.id}#U#{kind}#{_digest(same)}", "LOCK"


def answer(tenant: Tenant, idempotency_key: str) -> Key:
    """Return the key of an Idempotency-Key's answer."""
    return f"T#{tenant.id}#I#{_digest(idempotency_key)}", "ANSWER"


def tenant_partition(tenant_id: str) -> str:
    """Return the partition of a tenant's settings."""
    return f"T#{tenant_id}"


def mrr_counter(customer_id: str) -> str:
    """Return the sort key of the counter that a customer's MRR adds to."""
    return f"A#MRR#{zlib.crc32(customer_id.encode()[::-1]) % MRR_COUNTERS:02d}"


def model(model_version: int) -> str:
    """Return the sort key of a model version."""
    return f"MODEL#{model_version:08d}"


def due_partition(tenant_id: str) -> str:
    """Return the index partition that holds when something of the tenant's is due."""
    return f"DUE#{zlib.crc32(tenant_id.encode()) % DUE_SHARDS:02d}"


def due_partitions() -> list[str]:
    """Return every index partition of what is due."""
    return [f"DUE#{shard:02d}" for shard in range(DUE_SHARDS)]


def snapshots_partition(tenant_id: str, part: str = "") -> str:
    """Return the partition of a tenant's daily snapshots, of everybody or by one *part*."""
    return f"T#{tenant_id}#SNAP#{part}" if part else f"T#{tenant_id}#SNAP"


def scores_partition(tenant_id: str) -> str:
    """Return the partition of who stood at which score on which day."""
    return f"T#{tenant_id}#SCORES"


def rules_partition(tenant_id: str) -> str:
    """Return the partition of a tenant's rules, connections and managers."""
    return f"T#{tenant_id}#RULES"


def reports_partition(tenant_id: str) -> str:
    """Return the partition of a tenant's report schedules, and of how its reports look."""
    return f"T#{tenant_id}#REPORTS"


def entry(tenant_id: str, kind: str, entry_id: str) -> Key:
    """Return the key of an entry; what reports are about does not burden who reads the rules."""
    of_reports = kind in (REPORT_SCHEDULE, LOOK, OCCURRENCE)
    place = reports_partition(tenant_id) if of_reports else rules_partition(tenant_id)
    return place, f"{kind}#{entry_id}"


def health_partition(tenant_id: str) -> str:
    """Return the partition that tells how the tenant's endpoints do."""
    return f"T#{tenant_id}#HEALTH"


def alerts_partition(tenant_id: str, customer_id: str) -> str:
    """Return the partition of one customer's alerts."""
    return f"T#{tenant_id}#AL#{customer_id}"


def alerts_feed(tenant_id: str, *, is_open: bool) -> str:
    """Return the index partition of a tenant's open alerts, or of those that are over."""
    return f"T#{tenant_id}#{'OPEN' if is_open else 'CLOSED'}"


def deliveries_partition(tenant_id: str, owner: str) -> str:
    """Return the partition of the deliveries that tell of one customer, or of a rule."""
    return f"T#{tenant_id}#DLV#{owner}"


def delivery(tenant_id: str, delivery_id: str) -> Key:
    """Return the key of a delivery: its id begins with whom it tells of."""
    owner, _, rest = delivery_id.partition("_")
    return deliveries_partition(tenant_id, owner), rest


def deliveries_feed(tenant_id: str) -> str:
    """Return the index partition that lists a tenant's deliveries."""
    return f"T#{tenant_id}#SENT"


def box_partition(tenant_id: str, box: str) -> str:
    """Return the partition of what waits for one summary."""
    return f"T#{tenant_id}#BOX#{box}"


def wakes_partition(tenant_id: str) -> str:
    """Return the partition of what of a tenant's is to be gone on with at an instant."""
    return f"T#{tenant_id}#WAKE"


def wake_index(tenant_id: str, kind: str) -> str:
    """Return the index partition that holds when something of a *kind* of the tenant's goes on."""
    return f"{_wakes(kind)}#{zlib.crc32(tenant_id.encode()) % DUE_SHARDS:02d}"


def wake_indexes(kind: str = "") -> list[str]:
    """Return every index partition of what goes on at an instant; reports have their own."""
    return [f"{_wakes(kind)}#{shard:02d}" for shard in range(DUE_SHARDS)]


def _wakes(kind: str) -> str:
    return "REPORT" if kind == REPORT else "WAKE"


def model_version(sort_key: str) -> int:
    """Return the number of the model version under *sort_key*."""
    return int(sort_key.removeprefix("MODEL#"))


def events_partition(tenant_id: str, customer_id: str) -> str:
    """Return the partition of one customer's product events, and of what is counted of them."""
    return f"T#{tenant_id}#E#{customer_id}"


def events_feed(tenant: Tenant, shard: int) -> str:
    """Return the index partition of one shard's product events, by arrival."""
    return f"{partition(tenant, shard)}#EVENTS"


def chunk(commit_id: str, number: int) -> str:
    """Return the sort key of a part of the events that one commit stored."""
    return f"{CHUNK}{commit_id}#{number:02d}"


def ledger(day: str) -> str:
    """Return the sort key of what is counted of a day."""
    return f"{LEDGER}{day}"


def segment(day: str, number: int) -> str:
    """Return the sort key of a part of a day's seen events."""
    return f"{SEGMENT}{day}#{number:06d}"


def api_key(digest: str) -> Key:
    """Return the key of an API key, by its secret's SHA-256."""
    return f"K#{digest}", "KEY"


def tenant_keys(tenant_id: str) -> str:
    """Return the index partition that lists a tenant's API keys."""
    return f"T#{tenant_id}#KEYS"


def audit_partition(tenant_id: str) -> str:
    """Return the partition of a tenant's audit events."""
    return f"T#{tenant_id}#AUDIT"


def requests_partition(tenant_id: str) -> str:
    """Return the partition of a tenant's request log."""
    return f"T#{tenant_id}#LOG"


def jobs_partition(tenant_id: str) -> str:
    """Return the partition of a tenant's jobs."""
    return f"T#{tenant_id}#JOBS"


def papers_partition(tenant_id: str) -> str:
    """Return the partition of what a tenant's jobs are given to work through, and leave behind."""
    return f"T#{tenant_id}#IN"


def paper(tenant_id: str, job_id: str, page: str, part: int) -> Key:
    """Return the key of one part of a page that a job has beside it."""
    return papers_partition(tenant_id), f"{job_id}#{page}#{part:02d}"


def papers(tenant_id: str, job_id: str, pages: str) -> Key:
    """Return the partition of what a job has beside it, and how the *pages* there begin."""
    return papers_partition(tenant_id), f"{job_id}#{pages}"


def tenant_of_jobs(partition: str) -> str:
    """Return the id of the tenant whose jobs are in *partition*."""
    return partition.removeprefix("T#").removesuffix("#JOBS")


def counters_partition(tenant_id: str) -> str:
    """Return the partition of a tenant's counters."""
    return f"T#{tenant_id}#R"


def window(tenant_id: str, number: int, seconds: int) -> Key:
    """Return the key of a tenant's counters of one window since the epoch, a minute or longer."""
    kind = "M" if seconds == MINUTE else f"W{seconds}"
    return counters_partition(tenant_id), f"{kind}#{number}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
