"""The PDF of a document: its words go to Typst as JSON, so that nothing in them is markup."""

from __future__ import annotations

import json
import re
from datetime import UTC
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from printing import palette as colour
from printing.content import worded_document
from printing.fonts import MISSING, families, folders, labelled, printable
from printing.palette import BANDS, Palette, palette, text_on
from printing.tables import MARGIN, lay_out
from printing.wording import Words
from vitals.domain.reports.look import JPEG, LETTER, PAPERS, PNG, SVG, Look

if TYPE_CHECKING:
    from typst import Fonts

    from vitals.domain.reports.document import Document

STANDARD: Final = "ua-1"
"""PDF/UA-1: tagged, titled, every picture with its alternative (ISO 14289-1)."""
_KEPT = 11
_LOGOS = {PNG: "png", JPEG: "jpg", SVG: "svg"}
_LONG_WORD = re.compile(r"\S{16,}")
_BREAK = "\N{ZERO WIDTH SPACE}"
_PAPERS = {LETTER: "us-letter"}


def pdf(document: Document, look: Look) -> bytes:
    """Return *document* as an accessible PDF; the same bytes for the same document and look.

    A logo that cannot be read is left out: it costs nobody the report.
    """
    import typst  # noqa: PLC0415 - 80 MB, which no other form needs

    colours = palette(look.accent)
    paper = look.paper if look.paper in PAPERS else PAPERS[0]
    content = worded_document(document, Words(look, document.time_zone), colours)
    layout = lay_out(content, paper)
    content |= {"turned": layout.turned, "size": layout.size}
    _break_words(content)
    pictures = [each for each in content["sections"] if each.get("svg")]
    for each in pictures:
        each["svg"] = labelled(each["svg"], look.locale)
    shown, lacking = printable(json.dumps(content, ensure_ascii=False))
    lacking = lacking or any(MISSING in each["svg"] for each in pictures)
    style = _style(colours, look, paper, lacking=lacking) | {"as_of": _instant(document)}
    inputs = {"document": shown, "style": json.dumps(style)}
    source = files("printing").joinpath("report.typ").read_bytes()

    def compiled(logo: dict[str, Any] | None) -> bytes:
        return typst.compile(
            source,
            format="pdf",
            font_paths=_fonts(),
            sys_inputs={**inputs, "logo": json.dumps(logo)},
            pdf_standards=[STANDARD],
            timestamp=document.as_of.astimezone(UTC).replace(microsecond=0),
        )

    logo = _logo(look)
    try:
        return compiled(logo)
    except typst.TypstError:
        if logo is None:
            raise
        return compiled(None)
    finally:
        # Typst keeps what it laid out for ten compilations, some 60 MB each. None comes twice.
        for _ in range(_KEPT):
            typst.compile(b"", format="pdf", font_paths=_fonts())


@lru_cache(maxsize=1)
def _fonts() -> Fonts:
    from typst import Fonts  # noqa: PLC0415 - as above

    # The system's fonts would make other bytes of the same document elsewhere.
    return Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders())


def _break_words(value: Any) -> Any:
    """Let every word of *value* break that is too long for a line; pictures break their own."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key != "svg":
                value[key] = _break_words(each)
        return value
    if isinstance(value, list):
        value[:] = map(_break_words, value)
        return value
    return _LONG_WORD.sub(_broken, value) if isinstance(value, str) else value


def _broken(found: re.Match[str]) -> str:
    word = found.group()
    return _BREAK.join(word[at : at + 6] for at in range(0, len(word), 6))


def _style(colours: Palette, look: Look, paper: str, *, lacking: bool) -> dict[str, Any]:
    return {
        "paper": _PAPERS.get(paper, paper),
        "margin": MARGIN,
        "fonts": families(look.locale),
        "accent": colours.accent,
        "on_accent": colours.on_accent,
        "strong": colours.strong,
        "ink": colour.INK,
        "muted": colour.MUTED,
        "line": colour.LINE,
        "wash": colour.WASH,
        "bands": {
            name: [fill, text_on(fill), colour.mixed(fill, colour.INK, 25)]
            for name, fill in BANDS.items()
        },
        "tones": {"good": colour.GOOD, "bad": colour.BAD, "caution": colour.CAUTION},
        "missing": MISSING if lacking else "",
    }


def _instant(document: Document) -> list[int]:
    return list(document.as_of.astimezone(UTC).timetuple()[:6])


def _logo(look: Look) -> dict[str, Any] | None:
    form = _LOGOS.get(look.logo_type or "")
    return {"format": form, "bytes": list(look.logo)} if look.logo and form else None
