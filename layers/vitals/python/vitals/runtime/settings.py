"""Settings: the environment as one checked value."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

# Else the first model that is built looks through every installed package for plugins.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

Limit = Annotated[int, Field(ge=1)]


class Settings(BaseModel):
    """What the environment says; template.yaml sets it.

    Limits are requests (batch records, events, batches of events) a minute, and imports an hour,
    for tenants that have none of their own.
    """

    model_config = ConfigDict(frozen=True)

    table_name: Annotated[str, Field(alias="TABLE_NAME", min_length=3)] = "customer-vitals"
    limit_reads: Annotated[Limit, Field(alias="VITALS_LIMIT_READS")] = 1000
    limit_writes: Annotated[Limit, Field(alias="VITALS_LIMIT_WRITES")] = 300
    limit_records: Annotated[Limit, Field(alias="VITALS_LIMIT_RECORDS")] = 10_000
    limit_events: Annotated[Limit, Field(alias="VITALS_LIMIT_EVENTS")] = 60_000
    limit_batches: Annotated[Limit, Field(alias="VITALS_LIMIT_BATCHES")] = 300
    limit_imports: Annotated[Limit, Field(alias="VITALS_LIMIT_IMPORTS")] = 10
    deliveries_queue_url: Annotated[str, Field(alias="DELIVERIES_QUEUE_URL")] = ""
    secrets_key: Annotated[str, Field(alias="SECRETS_KEY")] = ""
    reports_queue_url: Annotated[str, Field(alias="REPORTS_QUEUE_URL")] = ""
    reports_bucket: Annotated[str, Field(alias="REPORTS_BUCKET")] = ""
    api_url: Annotated[str, Field(alias="API_URL")] = ""
    mail_from: Annotated[str, Field(alias="MAIL_FROM")] = ""
    local: Annotated[bool, Field(alias="VITALS_LOCAL")] = False
    log_level: Annotated[str, Field(alias="LOG_LEVEL")] = "INFO"

    @property
    def sender(self) -> str:
        """Return who e-mail is from; the local cloud sends it as somebody."""
        return self.mail_from or ("vitals@localhost" if self.local else "")

    @property
    def limits(self) -> dict[str, int]:
        """Return what a tenant without limits of its own may do in a minute, or an hour."""
        return {
            "reads": self.limit_reads,
            "writes": self.limit_writes,
            "records": self.limit_records,
            "events": self.limit_events,
            "batches": self.limit_batches,
            "imports": self.limit_imports,
        }


@lru_cache(maxsize=1)
def settings() -> Settings:
    """Return the settings of this process. Raises pydantic's ValidationError for bad ones."""
    return Settings.model_validate(dict(os.environ))
