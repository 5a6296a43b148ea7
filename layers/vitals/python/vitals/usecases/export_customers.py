"""export_customers: every customer as CSV, to look at or to edit and send back (IQ-162, 163)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from vitals.domain.customer import Customer
from vitals.domain.model import ScoringModel
from vitals.domain.reports.book import Filters
from vitals.domain.reports.csv_form import as_csv, is_formula
from vitals.domain.reports.document import Plain
from vitals.usecases.context import Context

CUSTOMERS, BULKSHEET = "customers", "bulksheet"
EXPORTS = (CUSTOMERS, BULKSHEET)
_PAGE = 100

_SHOWN_FIRST = (
    "id", "external_id", "name", "email_domain", "score", "score_exact", "status",
    "computed_score", "coverage", "low_confidence", "model_version",
)  # fmt: skip
_SHOWN_LAST = (
    "last_contact_on", "mrr", "arr", "revenue_basis", "tier", "lifecycle", "lifecycle_auto",
    "churned_on", "manager", "tags", "renewal_date", "days_until_renewal", "renewal_overdue",
    "next_touch", "since", "sentiment", "scoring_profile", "effective_profile", "priority_score",
    "momentum", "momentum_direction", "cadence_status", "expansion_estimate",
    "next_band_change_at", "next_band_change_to", "created_at", "updated_at", "score_changed_at",
    "version",
)  # fmt: skip
_EDITED_FIRST = ("id", "external_id", "name", "email_domain")
_EDITED_LAST = (
    "last_contact_date", "mrr", "arr", "tier", "lifecycle", "manager", "tags", "renewal_date",
    "next_touch", "since", "sentiment", "scoring_profile", "note",
)  # fmt: skip


def export_csv(context: Context, export: str, filters: Filters) -> str:
    """Return the customers whom *filters* mean as CSV, in the order of their names.

    `customers` has every field as of now, also those that follow from others; `bulksheet` those
    that can be written, each row of which `batch_upsert` takes back. 1 reading of the roster; the
    bulksheet reads every customer whole.
    """
    found = [
        each
        for each in context.customers.roster(context.tenant)
        if each.deleted_at is None and filters.pass_(each)
    ]
    found.sort(key=lambda customer: (customer.name.casefold(), customer.id))
    if export == BULKSHEET:
        whole = _whole(context, found)
        rows = (_edited(customer, context.model) for customer in whole)
        return as_csv(columns(export, context.model), rows)
    names = columns(export, context.model)
    views = (context.view(customer, whole=False) for customer in found)
    # Who still bears an older model has no value of a signal that is new.
    return as_csv(names, ([_plain(view.get(name)) for name in names] for view in views))


def columns(export: str, model: ScoringModel) -> list[str]:
    """Return the columns of *export*, the model's signals among them."""
    signals = [signal.name for signal in model.signals]
    if export == BULKSHEET:
        # Days since contact are the last contact's date: one of the two is enough.
        return [*_EDITED_FIRST, *(each for each in signals if each != "days"), *_EDITED_LAST]
    return [*_SHOWN_FIRST, *signals, *_SHOWN_LAST]


def _whole(context: Context, customers: list[Customer]) -> Iterator[Customer]:
    """Yield *customers* with what the roster does not hold of them, as last written."""
    rest = iter(customers)
    while page := list(islice(rest, _PAGE)):
        found = context.customers.get_many(context.tenant, [each.id for each in page])
        yield from (found[each.id] for each in page if each.id in found)


def _edited(customer: Customer, model: ScoringModel) -> list[Plain]:
    """Return what can be written of *customer*, each as it would change nothing.

    What follows by itself is left empty: the amount that the other gives, a stage that the score
    set. So are tags that would need quotes in a list, which `batch_upsert` does not read, and text
    that would come back with the apostrophe that keeps a spreadsheet from running it.
    """
    basis = customer.revenue_basis
    quoted = any("," in tag or tag.startswith('"') for tag in customer.tags)
    values: Mapping[str, Plain] = {
        "id": customer.id,
        "external_id": customer.external_id,
        "name": customer.name,
        "email_domain": customer.email_domain,
        **customer.signals,
        "last_contact_date": customer.last_contact_on,
        "mrr": customer.mrr if basis in ("mrr", "both") else None,
        "arr": customer.arr if basis in ("arr", "both") else None,
        "tier": customer.tier,
        "lifecycle": None if customer.lifecycle_auto else customer.lifecycle,
        "manager": customer.manager,
        "tags": None if quoted or not customer.tags else customer.tags,
        "renewal_date": customer.renewal_date,
        "next_touch": customer.next_touch,
        "since": customer.since,
        "sentiment": customer.sentiment,
        "scoring_profile": customer.scoring_profile,
        "note": customer.note,
    }
    cells = (values.get(name) for name in columns(BULKSHEET, model))
    return [None if is_formula(cell) else cell for cell in cells]


def _plain(value: Any) -> Plain:
    if isinstance(value, bool):
        return "true" if value else "false"
    return tuple(value) if isinstance(value, list) else value
