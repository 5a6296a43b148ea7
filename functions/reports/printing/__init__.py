"""Reports as documents to read and to print; the only code that needs Typst, Babel and Jinja2."""

from __future__ import annotations

from printing.content import figure_change
from printing.wording import Words
from vitals.domain.reports.document import Document, Figures, Plain
from vitals.domain.reports.look import Look

HTML, PDF = "html", "pdf"
FORMS = (HTML, PDF)


def rendered(document: Document, look: Look, form: str) -> bytes:
    """Return *document* in a look as a file of *form*; the same bytes for the same two.

    Raises ValueError for a form that is not one of FORMS.
    """
    if form == HTML:
        from printing.html import html  # noqa: PLC0415 - a PDF has no use for the templates

        return html(document, look)
    if form == PDF:
        from printing.pdf import pdf  # noqa: PLC0415 - Typst is 80 MB, which HTML has no use for

        return pdf(document, look)
    raise ValueError(f"no such form: {form}")


def key_figures(document: Document, look: Look) -> list[tuple[str, str, str, str]]:
    """Return (label, value, change, tone) of the document's first figures, in words.

    "" is no change; the tone is good, bad, or "" where nobody can say.
    """
    words = Words(look, document.time_zone)
    first = next((each for each in document.sections if isinstance(each, Figures)), None)
    found = []
    for each in first.figures if first else ():
        change, _, tone = figure_change(each, words)
        found.append((each.label, words.figure(each), change, tone))
    return found


def headlines(document: Document, look: Look) -> list[str]:
    """Return the document's headlines in words."""
    words = Words(look, document.time_zone)
    return [words.said(line) for line in document.headlines]


def worded(kind: str, value: Plain, look: Look, time_zone: str = "UTC") -> str:
    """Return *value* of a kind in a look's words, an instant in *time_zone*; None as a dash."""
    return Words(look, time_zone).worded(kind, value)
