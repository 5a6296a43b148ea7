"""Colours that mails and printed reports share, and what is readable on and beside an accent."""

from __future__ import annotations

import re
from dataclasses import dataclass

INK, MUTED, LINE, WASH, PAPER = "#1b2430", "#556070", "#d5dae1", "#f4f6f8", "#ffffff"
GOOD, BAD = "#0b6b4f", "#a3202c"
READABLE = 4.5
"""The least contrast of text (WCAG 2.2, 1.4.3)."""
_COLOUR = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE | re.ASCII)
_KNEE = 0.04045


@dataclass(frozen=True, slots=True)
class Accent:
    """A *colour* to fill with, the text that reads *on* it, and as *text* on white."""

    colour: str
    on: str
    text: str


def accent_of(given: str, otherwise: str) -> Accent:
    """Return the accent *given* as #rrggbb; of *otherwise*, if it is no colour."""
    colour = given.lower() if _COLOUR.fullmatch(given) else otherwise
    text = colour
    while contrast(text, PAPER) < READABLE:
        text = mixed(text, INK, 15)
    return Accent(colour, text_on(colour), text)


def text_on(colour: str) -> str:
    """Return the one of white and ink that reads better on *colour*; black where neither does."""
    best = max((PAPER, INK), key=lambda text: contrast(text, colour))
    return best if contrast(best, colour) >= READABLE else "#000000"


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of #rrggbb, 0 to 1 (WCAG 2.2)."""
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def mixed(colour: str, other: str, percent: int) -> str:
    """Return *colour* with so many percent of *other* in it."""
    pairs = zip(_channels(colour), _channels(other), strict=True)
    parts = (round((one * (100 - percent) + two * percent) / 100) for one, two in pairs)
    return "#" + "".join(f"{part:02x}" for part in parts)


def _linear(channel: float) -> float:
    return float(channel / 12.92 if channel <= _KNEE else ((channel + 0.055) / 1.055) ** 2.4)


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))
