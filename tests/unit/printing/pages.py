"""What a PDF's pages hold: their text, their pictures, and where things stand on them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pypdfium2  # type: ignore[import-untyped]  # it has no types

_SPACE = re.compile("[\\s\u200b\ufffe\u0002]+")
_FACTOR = 0.5


def squeezed(text: str) -> str:
    """Return *text* without spaces and the places where it may break."""
    return _SPACE.sub("", text)


@dataclass(frozen=True)
class Page:
    """A page: its size in points, its text, and its picture in grey, a byte a pixel."""

    width: float
    height: float
    text: str
    boxes: list[tuple[float, float, float, float]]
    pixels: list[bytes]

    @property
    def squeezed(self) -> str:
        return squeezed(self.text)

    @property
    def inked(self) -> float:
        """Which part of the page is not white."""
        dark = sum(len(row) - row.count(0xFF) for row in self.pixels)
        return dark / (len(self.pixels) * len(self.pixels[0]))


def pages(pdf: bytes) -> list[Page]:
    """Return the pages of *pdf*."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        return [_page(page) for page in document]
    finally:
        document.close()


def _page(page: pypdfium2.PdfPage) -> Page:
    bitmap = page.render(scale=_FACTOR, grayscale=True)
    data = bytes(bitmap.buffer)
    rows = [
        data[at * bitmap.stride : at * bitmap.stride + bitmap.width] for at in range(bitmap.height)
    ]
    text = page.get_textpage()
    width, height = page.get_size()
    return Page(width, height, text.get_text_range(), list(_boxes(text)), rows)


def _boxes(text: pypdfium2.PdfTextPage) -> Iterator[tuple[float, float, float, float]]:
    for at in range(text.count_rects()):
        yield text.get_rect(at)
