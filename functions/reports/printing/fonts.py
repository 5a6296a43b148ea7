"""The fonts that a PDF is set in, which come with pinned packages, and the characters they have."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from struct import iter_unpack, unpack_from
from typing import BinaryIO, Final
from unicodedata import category, normalize

LATIN: Final = "Inter"
"""Latin, Greek and Cyrillic."""
_HAN: Final = {"ja": "JP", "ko": "KR", "zh": "SC", "zh-tw": "TC", "zh-hant": "TC", "zh-hk": "HK"}
MISSING: Final = "\N{WHITE SQUARE}"
"""What stands for a character that no font has."""
_JOINERS: Final = frozenset(
    "\u00ad\u200c\u200d\u200e\u200f\u2060\ufeff" + "".join(map(chr, range(0xFE00, 0xFE10)))
)
_LABEL: Final = re.compile("<text([^>]*)>([^<]*)</text>")
_HALF: Final = re.compile("[\uff66-\uff9f]+")
"""Katakana of half the width, whose marks stand behind them."""
_JAMO: Final = re.compile("[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]")
_SURROGATES: Final = range(0xD800, 0xE000)
_SEGMENTS, _RANGES = 4, 12
"""The two forms of a table of characters that matter (OpenType 1.9, cmap)."""


def folders() -> list[Path]:
    """Return where the fonts lie in what is installed."""
    return [
        Path(str(files("fontpkg_inter"))) / "files",
        Path(str(files("noto_cjk_sans_otc"))),
    ]


def families(locale: str) -> list[str]:
    """Return the fonts in the order in which they are asked; Han as *locale* writes it."""
    tag = locale.lower().replace("_", "-")
    parts = tag.split("-")
    keys = ("-".join(parts[:count]) for count in range(len(parts), 0, -1))
    region = next((_HAN[key] for key in keys if key in _HAN), "JP")
    return [LATIN, f"Noto Sans CJK {region}"]


@cache
def characters() -> frozenset[str]:
    """Return the characters that the fonts have."""
    return frozenset("\N{ZERO WIDTH SPACE}").union(*map(_characters, folders()))


@cache
def _characters(folder: Path) -> frozenset[str]:
    found: set[int] = set()
    for path in folder.iterdir():
        if path.suffix in (".ttf", ".ttc") and "Italic" not in path.name:
            with path.open("rb") as file:
                found |= _mapped(file)
    return frozenset(chr(each) for each in found if each not in _SURROGATES)


def printable(text: str) -> tuple[str, bool]:
    """Return *text* with MISSING for what no font has, and whether there was any."""
    lacking = set(text) - characters() - {"\n"}
    if not lacking:
        return text, False
    # Joiners and variants of what is missing have no width of their own.
    table = {ord(each): None if each in _JOINERS else MISSING for each in lacking}
    table |= {ord(space): " " for space in lacking if space.isspace()}
    return text.translate(table), any(each == MISSING for each in table.values())


def labelled(picture: str, locale: str) -> str:
    """Return an SVG *picture* each of whose texts is set in one font, a glyph for a character.

    What needs more is MISSING: where a character, or one with its marks, is drawn as several glyphs
    Typst tells only of the first what it stands for, and makes no file that is to be accessible.
    """
    latin, han = map(_characters, folders())
    _, family = families(locale)

    def label(found: re.Match[str]) -> str:
        given, text = found.groups()
        composed = _HALF.sub(lambda half: normalize("NFKC", half[0]), normalize("NFC", text))
        seen = [
            each if each in characters() and not _joins(each) else MISSING
            for each in composed
            if category(each) != "Cf"
        ]
        if latin.issuperset(seen):
            return f"<text{given}>{''.join(seen)}</text>"
        shown = "".join(each if each in han else MISSING for each in seen)
        return f'<text{given} font-family="{family}">{shown}</text>'

    return _LABEL.sub(label, picture)


def _joins(character: str) -> bool:
    return category(character).startswith("M") or _JAMO.match(character) is not None


def _mapped(file: BinaryIO) -> set[int]:
    """Return the code points of a font, or of the first of a collection (OpenType 1.9, cmap)."""
    start = 0
    if file.read(4) == b"ttcf":
        file.seek(12)
        (start,) = unpack_from(">I", file.read(4))
    file.seek(start + 4)
    (count,) = unpack_from(">H", file.read(2))
    file.seek(start + 12)
    tables = {tag: (at, size) for tag, _, at, size in iter_unpack(">4sIII", file.read(16 * count))}
    at, size = tables[b"cmap"]
    file.seek(at)
    data = file.read(size)
    (count,) = unpack_from(">H", data, 2)
    places = {place for _, _, place in iter_unpack(">HHI", data[4 : 4 + 8 * count])}
    return set().union(*(_code_points(data, place) for place in places))


def _code_points(data: bytes, at: int) -> set[int]:
    (form,) = unpack_from(">H", data, at)
    if form == _SEGMENTS:
        (twice,) = unpack_from(">H", data, at + 6)
        ends = unpack_from(f">{twice // 2}H", data, at + 14)
        starts = unpack_from(f">{twice // 2}H", data, at + 16 + twice)
        spans = list(zip(starts, ends, strict=True))
    elif form == _RANGES:
        (groups,) = unpack_from(">I", data, at + 12)
        body = data[at + 16 : at + 16 + 12 * groups]
        spans = [(first, last) for first, last, _ in iter_unpack(">III", body)]
    else:
        return set()
    return {code for first, last in spans for code in range(first, last + 1)} - {0xFFFF}
