"""What a logo may be: a picture that costs every report little, and asks nobody for anything."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from vitals.domain.reports.look import JPEG, PNG, SVG
from vitals.usecases.fields import refuse

LARGEST_LOGO = 100 * 1024
MOST_PIXELS = 4_000_000
"""A picture of a few kilobytes can unfold into gigabytes."""
MOST_ELEMENTS, DEEPEST, MOST_LETTERS = 5_000, 32, 1_000

_DATA_URI = re.compile(r"data:[^,]*;base64,", re.IGNORECASE)
_BEGINNINGS = {PNG: b"\x89PNG\r\n\x1a\n", JPEG: b"\xff\xd8"}
_MARKED = b"\xef\xbb\xbf"  # a text that says it is UTF-8
_NAMESPACE = "http://www.w3.org/2000/svg"
_GRADIENTS = frozenset({"linearGradient", "radialGradient"})
_DRAWN = _GRADIENTS | frozenset(
    {
        "svg", "g", "defs", "title", "desc", "metadata", "style", "clipPath", "path", "rect",
        "circle", "ellipse", "line", "polyline", "polygon", "stop", "text", "tspan",
    }
)  # fmt: skip
_OUTSIDE = re.compile(r"url\((?!\s*[\"']?#)", re.IGNORECASE)
_COSTLY = re.compile(rf"\\|@|filter|mask|marker|image|clip-path|{_OUTSIDE.pattern}", re.IGNORECASE)
"""What a style may not have: an escape or an at-rule could hide any of it."""
_JPEG_STAND_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_SCAN = 0xDA


def read_logo(raw: object) -> tuple[str, bytes] | None:
    """Return a logo's type and content, of a data: URI or base64; null for none.

    Refuses one that is too large, is none of the three types, or would cost a report too much.
    """
    if raw is None:
        return None
    text = _DATA_URI.sub("", raw.strip(), count=1) if isinstance(raw, str) else ""
    try:
        content = b64decode(text, validate=True)
    except (Error, ValueError):
        content = b""
    if len(content) > LARGEST_LOGO:
        refuse("too_large", f"must be at most {LARGEST_LOGO} bytes, is {len(content)}")
    for kind, beginning in _BEGINNINGS.items():
        if content.startswith(beginning):
            _check_size(_SIZES[kind](content))
            return kind, content
    if not content.removeprefix(_MARKED).lstrip().startswith(b"<"):
        refuse("must_be_image", "must be a PNG, JPEG or SVG image in base64, or a data: URI of one")
    _check_svg(content)
    return SVG, content


def _check_size(size: tuple[int, int] | None) -> None:
    if size is None:
        refuse("must_be_image", "must be a whole PNG or JPEG: its width and height cannot be read")
    wide, high = size
    if wide * high > MOST_PIXELS:
        refuse(
            "too_large",
            f"must be at most {MOST_PIXELS} pixels, is {wide} × {high}: send a smaller one",
        )


def _png_size(content: bytes) -> tuple[int, int] | None:
    """Return width and height (PNG, third edition, 11.2.1): they are the first chunk's."""
    if content[8:16] != b"\x00\x00\x00\x0dIHDR" or len(content) < 24:  # noqa: PLR2004 - its end
        return None
    return _some(int.from_bytes(content[16:20]), int.from_bytes(content[20:24]))


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    """Return width and height of the one frame before the first scan (ITU-T T.81, B.2)."""
    found: list[tuple[int, int] | None] = []
    at = 2
    while len(content) > at + 8 and content[at] == 0xFF:  # noqa: PLR2004 - begins every marker
        marker = content[at + 1]
        if marker == 0xFF:  # noqa: PLR2004 - a marker may be filled up
            at += 1
        elif marker in _JPEG_STAND_ALONE:
            at += 2
        elif marker == _JPEG_SCAN:
            return found[0] if len(found) == 1 else None
        else:
            if marker in _JPEG_SIZES:
                high, wide = content[at + 5 : at + 7], content[at + 7 : at + 9]
                found.append(_some(int.from_bytes(wide), int.from_bytes(high)))
            at += 2 + int.from_bytes(content[at + 2 : at + 4])
    return None


def _some(wide: int, high: int) -> tuple[int, int] | None:
    return (wide, high) if wide and high else None


_SIZES: Mapping[str, Callable[[bytes], tuple[int, int] | None]] = {
    PNG: _png_size,
    JPEG: _jpeg_size,
}


def _check_svg(content: bytes) -> None:
    """Refuse an SVG that is not well-formed, or draws with more than shapes, text and gradients."""
    from xml.parsers import expat  # noqa: PLC0415 - few requests bring a logo

    # In UTF-8 whatever it declares, as those who draw it read it.
    parser = expat.ParserCreate("utf-8", " ")
    reading = _Reading()
    parser.StartDoctypeDeclHandler = reading.doctype
    parser.ProcessingInstructionHandler = reading.instruction
    parser.StartElementHandler = reading.start
    parser.EndElementHandler = reading.end
    parser.CharacterDataHandler = reading.text
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        refuse("must_be_image", f"must be an SVG in UTF-8 that is well-formed: {error}")
    if _COSTLY.search("".join(reading.styles)):
        _refuse_svg("a <style> with rules that it may not have")


def _refuse_svg(what: str) -> NoReturn:
    refuse(
        "unsupported_svg",
        f"has {what}: an SVG logo may have shapes, paths, groups, gradients, clip paths and text."
        " Save it as a plain SVG, or send it as a PNG",
    )


@dataclass(slots=True)
class _Reading:
    """What an SVG had so far."""

    inside: list[str] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    elements: int = 0
    letters: int = 0

    def doctype(self, *_: object) -> None:
        # It could name other files, or unfold into more than fits.
        _refuse_svg("a document type (<!DOCTYPE …>)")

    def instruction(self, target: str, _: str) -> None:
        _refuse_svg(f"a processing instruction (<?{target} …>)")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.elements += 1
        if self.elements > MOST_ELEMENTS:
            _refuse_svg(f"more than {MOST_ELEMENTS} elements")
        if len(self.inside) >= DEEPEST:
            _refuse_svg(f"elements in more than {DEEPEST} others")
        namespace, _, own = name.rpartition(" ")
        # What is said about a picture is not drawn.
        if "metadata" not in self.inside:
            self._check(namespace, own, attributes)
        self.inside.append(own)

    def _check(self, namespace: str, own: str, attributes: dict[str, str]) -> None:
        if not self.inside and (namespace, own) != (_NAMESPACE, "svg"):
            refuse("must_be_image", f'must be an SVG: <svg xmlns="{_NAMESPACE}"> is not its root')
        if namespace != _NAMESPACE or own not in _DRAWN or (own == "svg" and self.inside):
            _refuse_svg(f"<{own}>")
        for name, value in attributes.items():
            called = name.rpartition(" ")[2]
            if called.lower().startswith("on"):
                _refuse_svg(f"a script ({called})")
            if called == "href" and (own not in _GRADIENTS or not value.startswith("#")):
                _refuse_svg(f"a reference ({called}) in <{own}>")
            # Clip paths that are clipped unfold: eight lines of ten make a hundred million.
            if called == "clip-path" and "clipPath" in (own, *self.inside):
                _refuse_svg("clip paths in clip paths")
            written = called in ("filter", "mask") or called.startswith("marker")
            if written or (_COSTLY if called == "style" else _OUTSIDE).search(value):
                _refuse_svg(f"{called}={value[:40]!r}")

    def end(self, _: str) -> None:
        self.inside.pop()

    def text(self, text: str) -> None:
        if self.inside[-1] == "style":
            self.styles.append(text)
        elif {"text", "tspan"} & set(self.inside):
            self.letters += len(text)
            if self.letters > MOST_LETTERS:
                _refuse_svg(f"more than {MOST_LETTERS} letters of text")
