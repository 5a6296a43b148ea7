"""get_branding, put_branding: how a tenant's reports look (IQ-145)."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, PlainValidator

from vitals.domain.instants import iso
from vitals.domain.reports.look import ACCENT, PAPERS, Look
from vitals.storage.ports import Entry, EntryChange
from vitals.storage.reaction_ports import LOOK
from vitals.usecases.administer import Administering, Plan, administer
from vitals.usecases.context import Answer, Context
from vitals.usecases.fields import Name, one_of, refuse
from vitals.usecases.inputs import Input, read
from vitals.usecases.logos import LARGEST_LOGO, read_logo

ONLY = "look"
_ACCENT = re.compile(r"#[0-9a-f]{6}")
_LOCALE = re.compile(r"[a-z]{2,3}([-_][A-Z][a-z]{3})?([-_]([A-Z]{2}|[0-9]{3}))?")
_CURRENCY = re.compile(r"[A-Z]{3}")


def _matched(pattern: re.Pattern[str], said: str, *, fold: bool = False) -> Any:
    def found(raw: object) -> str | None:
        if raw is None:
            return None
        text = raw.strip() if isinstance(raw, str) else ""
        text = text.lower() if fold else text
        if not pattern.fullmatch(text):
            refuse("unknown_value", said)
        return text

    return PlainValidator(found, json_schema_input_type=str)


class BrandingInput(Administering):
    """What was not sent stays; null is what nobody said anything of."""

    aliases: ClassVar[Mapping[str, str]] = {"colour": "accent", "color": "accent"}

    name: Name | None = None
    logo: Annotated[
        Any,
        PlainValidator(
            read_logo, json_schema_input_type=Annotated[str, Field(max_length=2 * LARGEST_LOGO)]
        ),
    ] = None
    accent: Annotated[str, _matched(_ACCENT, "must be a colour like #1d4f91", fold=True)] | None = (
        None
    )
    locale: Annotated[str, _matched(_LOCALE, "must be a locale like en-GB or de")] | None = None
    currency: (
        Annotated[str, _matched(_CURRENCY, "must be a currency of ISO 4217, like EUR")] | None
    ) = None
    paper: Annotated[str, one_of(*PAPERS)] | None = None


_PARTS = ("name", "accent", "locale", "currency", "paper")


def get_branding(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return how the tenant's reports look."""
    _, warnings, _ = read(Input, given)
    data = _view(context, _document(context))
    return {"action": "get_branding", "data": data, "warnings": warnings}


def put_branding(context: Context, given: Mapping[str, Any]) -> Answer:
    """Change how the tenant's reports look; what was not sent stays as it is."""
    parsed, warnings, _ = read(BrandingInput, given)

    def plan(context: Context) -> Plan:
        before = context.outbound.rulebooks.entry(context.tenant.id, LOOK, ONLY)
        old = dict(before.document) if before else {}
        sent = {name: getattr(parsed, name) for name in _PARTS if name in parsed.model_fields_set}
        if "logo" in parsed.model_fields_set:
            kind, content = parsed.logo or (None, None)
            encoded = b64encode(content).decode() if content else None
            sent |= {"logo_type": kind, "logo": encoded}
        document = {name: value for name, value in (old | sent).items() if value is not None}
        unchanged = document == old
        if not unchanged:
            document["updated_at"] = iso(context.now)
        after = Entry(LOOK, ONLY, before.version + 1 if before else 1, document)
        return Plan(
            subject=ONLY,
            answer={
                "unchanged": unchanged,
                "data": _view(context, document),
                "warnings": warnings,
            },
            details={name: value for name, value in sent.items() if name != "logo"},
            entries=[] if unchanged else [EntryChange(before, after)],
        )

    return administer(context, "put_branding", plan, dry_run=parsed.dry_run)


def look_of(context: Context) -> Look:
    """Return how the tenant's reports look: 1 read."""
    stored = _document(context)
    logo = stored.get("logo")
    return Look(
        name=stored.get("name", context.tenant.name),
        logo=b64decode(logo) if logo else None,
        logo_type=stored.get("logo_type"),
        accent=stored.get("accent", ACCENT),
        locale=stored.get("locale", "en"),
        currency=stored.get("currency"),
        paper=stored.get("paper", PAPERS[0]),
    )


def _document(context: Context) -> Mapping[str, Any]:
    entry = context.outbound.rulebooks.entry(context.tenant.id, LOOK, ONLY)
    return entry.document if entry else {}


def _view(context: Context, document: Mapping[str, Any]) -> dict[str, Any]:
    logo = document.get("logo")
    return {
        "name": document.get("name", context.tenant.name),
        "logo": {"type": document["logo_type"], "bytes": len(b64decode(logo))} if logo else None,
        "accent": document.get("accent", ACCENT),
        "locale": document.get("locale", "en"),
        "currency": document.get("currency"),
        "paper": document.get("paper", PAPERS[0]),
        "updated_at": document.get("updated_at"),
    }
