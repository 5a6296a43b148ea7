"""Where the CPU of a request or a job goes: what each part takes itself, measured in its place."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from botocore.client import BaseClient

import actions
from vitals.domain import customer
from vitals.runtime import http, serve, wiring, working
from vitals.storage import administration, codec, customers, jobs, table, tenants
from vitals.usecases import context, get_customer, rescore, upsert_account, write

BOTOCORE, REST = "botocore: the calls themselves", "the rest"
Part = tuple[str, Any, Sequence[str]]
PARTS: Sequence[Part] = (
    (BOTOCORE, BaseClient, ("_make_api_call",)),
    ("storage: wording calls, reading answers", table.Table,
     ("get", "get_many", "put", "add", "transact")),
    ("storage: items and conditions", customers.CustomerTable, ("get", "get_many", "commit")),
    ("storage: items and conditions", tenants.TenantTable, ("count",)),
    ("storage: items and conditions", administration.AdministrationTable, ("log",)),
    ("storage: items and conditions", jobs.JobTable, ("get", "save")),
    ("storage: JSON of items", codec,
     ("customer_of", "customer_row", "customer_doc", "change_row")),
    ("domain: the next version and its change", write, ("published",)),
    ("domain: the next version and its change", rescore, ("published",)),
    ("domain: the customer as answers show it", context, ("customer_view",)),
    ("domain: the published score", customer.Customer, ("published_at",)),
    ("runtime: the log line", serve, ("_log",)),
    ("runtime: HTTP, JSON in and out", serve, ("request_of",)),
    ("runtime: HTTP, JSON in and out", actions, ("json_object",)),
    ("runtime: HTTP, JSON in and out", http.Response, ("event",)),
    ("runtime: authentication, rate limit", actions, ("presented", "require_scopes", "draw")),
    ("runtime: authentication, rate limit", wiring.Wiring, ("admit", "context")),
    ("use-case: input checked", get_customer, ("read",)),
    ("use-case: input checked", upsert_account, ("read_customer",)),
    (REST, actions, ("serve",)),
    (REST, working, ("run_job",)),
    (REST, rescore, ("_score",)),
)  # fmt: skip
"""The functions of each part, where they are called by name."""

Spent = dict[str, float]


@contextmanager
def watched(parts: Sequence[Part] = PARTS) -> Iterator[Spent]:
    """Give the seconds of CPU that each part took itself, all threads together."""
    spent: Spent = dict.fromkeys((label for label, _, _ in parts), 0.0)
    inner = threading.local()
    lock = threading.Lock()

    def timed(label: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **kwargs: Any) -> Any:
            outer, inner.seconds = getattr(inner, "seconds", 0.0), 0.0
            started = time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                took = time.thread_time() - started
                with lock:
                    spent[label] += took - inner.seconds
                inner.seconds = outer + took

        return called

    with ExitStack() as stack:
        for label, owner, names in parts:
            for name in names:
                stack.enter_context(patch.object(owner, name, timed(label, getattr(owner, name))))
        yield spent
