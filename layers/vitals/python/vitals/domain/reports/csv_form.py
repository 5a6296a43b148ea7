"""A table as CSV (RFC 4180), safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal

from vitals.domain.reports.document import Plain, Table, plain

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def table_csv(table: Table) -> str:
    """Return *table*, its columns named as in JSON, every value as it stands there."""
    return as_csv([column.name for column in table.columns], table.rows)


def as_csv(names: Sequence[str], rows: Iterable[Sequence[Plain]]) -> str:
    """Return *rows* under *names*, with CRLF; nothing known is empty, numbers have no exponent.

    A list is a line of CSV of its own: what holds a comma in it stands in quotes.

    Text that a spreadsheet would run as a formula stands behind an apostrophe (OWASP).
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(names)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def is_formula(value: Plain) -> bool:
    """Tell whether *value* is text that a spreadsheet would run."""
    return isinstance(value, str | tuple) and _shown(value).startswith(_FORMULA)


def _cell(value: Plain) -> str:
    return f"'{_shown(value)}" if is_formula(value) else _shown(value)


def _shown(value: Plain) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ",".join(map(_listed, value))
    return f"{value:f}" if isinstance(value, Decimal) else str(plain(value))


def _listed(text: str) -> str:
    if text.startswith('"') or any(each in text for each in ",\r\n"):
        return '"' + text.replace('"', '""') + '"'
    return text
