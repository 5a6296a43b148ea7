"""Which pictures may be a logo: small ones, that unfold into nothing large and ask nobody."""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError
from tests.unit.printing.samples import LOGO

from vitals.usecases.logos import DEEPEST, MOST_ELEMENTS, MOST_LETTERS, read_logo

NS = 'xmlns="http://www.w3.org/2000/svg"'
SHAPE = '<path d="M0 0h9v9z"/>'


def _read(content: bytes) -> tuple[str, bytes] | None:
    return read_logo(b64encode(content).decode())


def _refused(content: bytes) -> tuple[str, str]:
    with pytest.raises(PydanticCustomError) as error:
        _read(content)
    return error.value.type, error.value.message()


def _svg(inside: str, more: str = "") -> bytes:
    return f'<svg {NS} viewBox="0 0 9 9" {more}>{inside}</svg>'.encode()


def _png(wide: int, high: int, name: bytes = b"IHDR") -> bytes:
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, name, wide, high) + b"\x08\x03" + b"x"


def _jpeg(wide: int, high: int, *, frame: int = 0xC0, frames: int = 1) -> bytes:
    size = struct.pack(">BBHBHHB", 0xFF, frame, 11, 8, high, wide, 1) + b"\1\x11\0"
    head = b"\xff\xd8" + b"\xff\xe0\x00\x04ab" + b"\xff\xff\xc4\x00\x03\x00"
    return head + size * frames + b"\xff\xda\x00\x08\1\1\0\0\x3f\0" + b"rest"


MAKERS = pytest.mark.parametrize("make", [_png, _jpeg], ids=["png", "jpeg"])


@MAKERS
def test_a_picture_has_four_million_pixels_at_most(make: Callable[[int, int], bytes]) -> None:
    for wide, high in ((1, 1), (2000, 2000), (40_000, 100), (100, 40_000)):
        assert _read(make(wide, high))
    for wide, high in ((2000, 2001), (16_000, 16_000), (40_001, 100)):
        code, said = _refused(make(wide, high))
        assert code == "too_large"
        assert f"is {wide} × {high}: send a smaller one" in said


@MAKERS
def test_a_picture_whose_size_cannot_be_read_is_refused(make: Callable[[int, int], bytes]) -> None:
    for content in (make(0, 9), make(9, 0), make(9, 9)[:21]):
        assert _refused(content)[0] == "must_be_image"


def test_the_size_is_that_of_the_frame_however_it_is_coded_and_of_no_other() -> None:
    for frame in (0xC0, 0xC1, 0xC2, 0xC9):
        assert _refused(_jpeg(9000, 9000, frame=frame))[0] == "too_large"
    for frame in (0xC4, 0xC8, 0xCC):
        assert _refused(_jpeg(9, 9, frame=frame))[0] == "must_be_image"
    assert _refused(_jpeg(9, 9, frames=2))[0] == "must_be_image"
    assert _refused(_png(9, 9, b"iCCP"))[0] == "must_be_image"


@given(st.binary(max_size=200), st.sampled_from([b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"<", b""]))
def test_any_bytes_are_read_or_refused(content: bytes, beginning: bytes) -> None:
    try:
        assert _read(beginning + content)
    except PydanticCustomError as error:
        assert error.type in {"must_be_image", "too_large", "unsupported_svg"}  # noqa: PT017 - or none


@pytest.mark.parametrize(
    "content",
    [
        LOGO,
        _svg(SHAPE),
        b"\xef\xbb\xbf" + b'<?xml version="1.0" encoding="utf-8"?>\n<!-- made by -->' + _svg(SHAPE),
        _svg(f'<g clip-path="url(#c)">{SHAPE}</g><defs><clipPath id="c">{SHAPE}</clipPath></defs>'),
        _svg('<linearGradient id="a"><stop offset="0"/></linearGradient>'
             '<linearGradient id="b" href="#a"/><rect width="9" height="9" fill="url(#b)"/>'),
        _svg(f"<style>.filled {{fill: url('#a'); stroke: red}}</style><g class='mask'>{SHAPE}</g>"),
        _svg("<title>Logo</title><text x='1'>North<tspan>wind</tspan></text>"),
        _svg(f"<metadata><r:RDF xmlns:r='urn:r'><image/></r:RDF></metadata>{SHAPE}"),
        _svg("<g>" * (DEEPEST - 2) + SHAPE + "</g>" * (DEEPEST - 2)),
    ],
)  # fmt: skip
def test_shapes_groups_gradients_and_text_are_a_logo(content: bytes) -> None:
    assert _read(content) == ("image/svg+xml", content)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (_svg('<filter id="f"><feGaussianBlur stdDeviation="99"/></filter>'), "<filter>"),
        (_svg('<rect filter="blur(50px)"/>'), "filter='blur(50px)'"),
        (_svg('<rect style="FILTER: blur(50px)"/>'), "style='FILTER: blur(50px)'"),
        (_svg("<style>rect{filter:blur(9px)}</style>"), "a <style>"),
        (_svg("<style>@import 'x'</style>"), "a <style>"),
        (_svg("<style>rect{f\\69lter:blur(9px)}</style>"), "a <style>"),
        (_svg("<style><![CDATA[g{fill:u]]>rl(http://x)}</style>"), "a <style>"),
        (_svg('<mask id="m"/>'), "<mask>"),
        (_svg('<image href="http://x/a.png"/>'), "<image>"),
        (_svg('<image href="data:image/png;base64,AAAA"/>'), "<image>"),
        (_svg("<script>1</script>"), "<script>"),
        (_svg("<foreignObject/>"), "<foreignObject>"),
        (_svg('<pattern id="p"/>'), "<pattern>"),
        (_svg('<rect><animate attributeName="x"/></rect>'), "<animate>"),
        (_svg('<use href="#a"/>'), "<use>"),
        (_svg('<a href="http://x">x</a>'), "<a>"),
        (_svg(_svg(SHAPE).decode()), "<svg>"),
        (_svg('<path xmlns="http://www.w3.org/1999/xhtml"/>'), "<path>"),
        (_svg('<linearGradient href="http://x"/>'), "a reference (href) in <linearGradient>"),
        (_svg('<g xmlns:l="http://www.w3.org/1999/xlink" l:href="#a"/>'), "(href) in <g>"),
        (_svg('<rect fill="url( http://x)"/>'), "fill='url( http://x)'"),
        (_svg('<rect fill="url(\'file:///x\')"/>'), "fill="),
        (_svg("", 'onload="x()"'), "a script (onload)"),
        (_svg('<clipPath id="a"><rect clip-path="url(#b)"/></clipPath>'), "clip paths in"),
        (_svg('<clipPath id="a" clip-path="url(#b)"/>'), "clip paths in clip paths"),
        (_svg('<clipPath id="a"><rect style="clip-path:url(#b)"/></clipPath>'), "style="),
        (b'<!DOCTYPE svg [<!ENTITY a "aa">]>' + _svg("&a;"), "a document type"),
        (b'<?xml-stylesheet href="http://x"?>' + _svg(SHAPE), "a processing instruction"),
        (_svg("<g/>" * MOST_ELEMENTS), "more than 5000 elements"),
        (_svg("<g>" * DEEPEST + "</g>" * DEEPEST), "elements in more than 32 others"),
        (_svg(f"<text>{'x' * (MOST_LETTERS + 1)}</text>"), "more than 1000 letters"),
    ],
)  # fmt: skip
def test_an_svg_with_anything_else_is_refused_by_name(content: bytes, what: str) -> None:
    code, said = _refused(content)
    assert code == "unsupported_svg"
    assert what in said
    assert said.endswith("Save it as a plain SVG, or send it as a PNG")


@pytest.mark.parametrize(
    "content",
    [b"", b"GIF89a", b"<svg/>", b"<html/>", b"<svg", _svg("&lol;"), _svg(SHAPE) + b"<svg/>",
     _svg(SHAPE).decode().encode("utf-16"), b'<metadata><svg xmlns="http://www.w3.org/2000/svg"/></metadata>'],
)  # fmt: skip
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    assert _refused(content)[0] == "must_be_image"


def test_a_data_address_is_read_and_nothing_is_none() -> None:
    encoded = b64encode(LOGO).decode()
    assert read_logo(f" data:image/svg+xml;base64,{encoded}") == ("image/svg+xml", LOGO)
    assert read_logo(None) is None
    assert _refused(b"\xff\xd8" * 60_000)[0] == "too_large"
