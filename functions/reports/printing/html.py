"""The HTML of a document: one file that asks nobody for anything, to be read or printed."""

from __future__ import annotations

from base64 import b64encode
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from printing import palette as colour
from printing.content import worded_document
from printing.palette import BANDS, Palette, palette, text_on
from printing.tables import lay_out
from printing.wording import Words
from vitals.domain.reports.look import JPEG, LETTER, PAPERS, PNG, SVG

if TYPE_CHECKING:
    from jinja2 import Template

    from vitals.domain.reports.document import Document
    from vitals.domain.reports.look import Look

_LOGO_TYPES = (PNG, JPEG, SVG)


def html(document: Document, look: Look) -> bytes:
    """Return *document* as one HTML file in UTF-8 without scripts or references to others."""
    colours = palette(look.accent)
    content = worded_document(document, Words(look, document.time_zone), colours)
    paper = look.paper if look.paper in PAPERS else PAPERS[0]
    for section in content["sections"]:
        if section["form"] == "chart":
            # The picture's own texts are escaped where it is drawn.
            section["svg"] = Markup(section["svg"])  # noqa: S704 - as above
    # As on paper: a window has about as much room beside larger letters.
    content["turned"] = lay_out(content, paper).turned
    page = _template("report.html.jinja").render(
        doc=content,
        style=Markup(_style(colours, look, content)),  # noqa: S704 - colours and quoted texts
        logo=_logo(look),
    )
    return page.encode()


def quoted(text: str) -> str:
    """Return *text* as a string of CSS in which no character but letters and digits is itself."""
    return '"' + "".join(c if c.isascii() and c.isalnum() else f"\\{ord(c):x} " for c in text) + '"'


@lru_cache(maxsize=2)
def _template(name: str) -> Template:
    environment = Environment(
        loader=PackageLoader("printing", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def _style(colours: Palette, look: Look, content: dict[str, Any]) -> str:
    bands = "\n".join(
        f".band-{name} {{ background: {fill}; color: {text_on(fill)};"
        f" border-color: {colour.mixed(fill, colour.INK, 25)} }}"
        for name, fill in BANDS.items()
    )
    return _template("report.css.jinja").render(
        colours=colours,
        colour=colour,
        bands=Markup(bands),  # noqa: S704 - colours of ours
        paper="letter" if look.paper == LETTER else "A4",
        turned=content["turned"],
        running=Markup(quoted(f"{content['title']} – {content['tenant']}")),  # noqa: S704 - quoted
        footing=Markup(quoted(f"As of {content['as_of']}")),  # noqa: S704 - quoted
    )


def _logo(look: Look) -> str | None:
    if not look.logo or look.logo_type not in _LOGO_TYPES:
        return None
    return f"data:{look.logo_type};base64,{b64encode(look.logo).decode()}"
