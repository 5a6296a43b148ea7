"""About how wide text is, and where it is broken; fonts differ, so it is on the safe side."""

from __future__ import annotations

from functools import lru_cache
from unicodedata import combining, east_asian_width

_NARROW = frozenset("ijl.,:;'|!()[]{}fIrt/\\ \u00a0\u202f")
_SIGNS = frozenset("+−$€£¥#<>=~^")
_BROAD = frozenset("mwMW%@&—…")


@lru_cache(maxsize=4096)
def _em(character: str) -> float:
    if combining(character):
        return 0
    if east_asian_width(character) in "WF":
        return 1
    if character in _NARROW:
        return 0.34
    if character in _BROAD:
        return 0.95
    if character.isdigit() or character in _SIGNS:
        return 0.67
    return 0.7 if character.isupper() else 0.6


def width(text: str, size: float) -> float:
    """Return how wide *text* is in letters of *size*, at most."""
    return size * sum(map(_em, text))


def bold(text: str, size: float) -> float:
    """Return how wide *text* is in heavy letters of *size*, at most."""
    return 1.1 * width(text, size)


def longest_word(text: str, size: float) -> float:
    """Return how wide the widest part is that has no space to break it at."""
    return max((width(word, size) for word in text.split(" ")), default=0)


def lines(text: str, size: float, room: float) -> list[str]:
    """Return *text* in lines no wider than *room*, broken between words where that is possible."""
    broken: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if width(longer, size) <= room:
            line = longer
            continue
        if line:
            broken.append(line)
        *full, line = _pieces(word, size, room)
        broken += full
    return [*broken, line]


def _pieces(word: str, size: float, room: float) -> list[str]:
    pieces = [""]
    for character in word:
        if pieces[-1] and width(pieces[-1] + character, size) > room:
            pieces.append("")
        pieces[-1] += character
    return pieces
