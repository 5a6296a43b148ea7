"""The tour of docs/api.md, run as it stands there, and by a client that is generated."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from local.dynamodb import ROOT

if TYPE_CHECKING:
    from tests.e2e.conftest import Cloud

GUIDE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
DOCUMENT = ROOT / "functions" / "rest" / "openapi.json"


def test_the_tour_gives_the_documented_shapes(cloud: Cloud) -> None:
    blocks = re.findall(r"```bash\n(.*?)```", GUIDE, re.DOTALL)
    script = "set -eu\n" + "\necho '---'\n".join(blocks)
    script += '\necho "---"\necho "$CUSTOMER_ID"\n'
    ran = subprocess.run(
        ["bash", "-c", script],
        env={**os.environ, "VITALS_BASE": cloud.url, "VITALS_ADMIN_KEY": cloud.key},
        capture_output=True,
        text=True,
        check=True,
    )
    _, me, _, events, health, deleted, customer_id = ran.stdout.split("---\n")
    told = json.loads(me)
    assert (told["type"], told["name"]) == ("api_key", "quickstart")
    assert told["scopes"] == ["customers:read", "customers:write", "health:read", "events:write"]
    counted = json.loads(events)
    assert (counted["accepted"], counted["rejected"], counted["errors"]) == (2, 0, [])
    scored = json.loads(health)
    assert scored["customer_id"] == customer_id.strip()
    assert set(scored["dimensions"]) >= {"usage", "engagement", "support", "sentiment"}
    parts = scored["dimensions"].values()
    assert sum(each["weight"] for each in parts) == 1
    assert round(sum(each["contribution"] for each in parts), 4) == scored["score_exact"]
    assert (scored["score"], scored["status"]) == (round(scored["score_exact"]), "at_risk")
    assert deleted.strip() == ""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The package that openapi-python-client makes of the document, without a warning."""
    folder = tmp_path_factory.mktemp("client")
    made = subprocess.run(
        [
            *(sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning"),
            *("--path", str(DOCUMENT), "--meta", "none"),
            *("--output-path", str(folder / "vitals_client")),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )
    assert (made.returncode, "Warning" in made.stdout + made.stderr) == (0, False), made.stdout
    sys.path.insert(0, str(folder))
    yield importlib.import_module
    sys.path.remove(str(folder))


@pytest.fixture
def call(cloud: Cloud, client: Any) -> Iterator[Callable[..., Any]]:
    """Call an operation by the generated client, and return what it makes of the answer."""
    with client("vitals_client").AuthenticatedClient(cloud.url, token=cloud.key) as signed:

        def called(tag: str, operation: str, *arguments: Any, **named: Any) -> Any:
            made = client(f"vitals_client.api.{tag}.{operation}")
            reply = made.sync_detailed(*arguments, client=signed, **named)
            return reply.parsed if reply.content else reply.status_code

        yield called


def test_the_generated_client_takes_the_tour(client: Any, call: Callable[..., Any]) -> None:
    models = client("vitals_client.models")
    me = call("keys", "get_me")
    assert me.type_ == "api_key"
    new = models.CustomerCreate(name="Client Corp", email_domain="client.example", arr=50000)
    made = call("customers", "create_customer", body=new, idempotency_key="client-1")
    assert (made.health_score, made.tenant_id, made.arr) == (None, me.tenant_id, 50000)
    again = call("customers", "create_customer", body=new, idempotency_key="client-1")
    assert again.id == made.id
    event = models.EventSent(
        customer_id=made.id,
        user_email="jane@client.example",
        event_name="report_exported",
        timestamp=datetime.now(UTC),
    )
    counted = call("events", "ingest_events", body=models.EventBatch(events=[event]))
    assert (counted.accepted, counted.errors) == (1, [])
    health = call("health", "get_health", made.id)
    assert health.score is not None
    assert health.dimensions["usage"].weight == 1
    page = call("customers", "list_customers", q="client")
    assert [each.id for each in page.data] == [made.id]
    refused = call("customers", "create_customer", body=models.CustomerCreate(name="client corp"))
    assert (refused.status, refused.code) == (409, "already_exists")
    assert call("customers", "delete_customer", made.id) == HTTPStatus.NO_CONTENT
    gone = call("customers", "get_customer", made.id)
    assert (gone.status, gone.code) == (404, "customer_not_found")
