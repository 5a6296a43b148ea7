"""The colours of a mail: a tenant's accent, and what is readable on it and beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass

INK, MUTED, LINE, WASH, PAPER = "#1b2430", "#556070", "#d5dae1", "#f4f6f8", "#ffffff"
GOOD, BAD = "#0b6b4f", "#a3202c"
_READABLE = 4.5
"""The least contrast of text (WCAG 2.2, 1.4.3)."""
_COLOUR = re.compile(r"#[0-9a-f]{6}", re.ASCII)
_KNEE = 0.04045
_STEPS = 20


@dataclass(frozen=True, slots=True)
class Accent:
    """A *colour* to fill with, the text that reads *on* it, and as *text* on white."""

    colour: str
    on: str
    text: str


def accent_of(given: str, otherwise: str) -> Accent:
    """Return the accent *given* as #rrggbb; of *otherwise*, if it is no colour."""
    colour = given.lower() if _COLOUR.fullmatch(given.lower()) else otherwise
    readable = max((PAPER, INK), key=lambda each: contrast(each, colour))
    if contrast(readable, colour) < _READABLE:
        readable = "#000000"
    darker = (_darkened(colour, step) for step in range(_STEPS))
    text = next((each for each in darker if contrast(each, PAPER) >= _READABLE), INK)
    return Accent(colour, readable, text)


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(each / 255) for each in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return float(channel / 12.92 if channel <= _KNEE else ((channel + 0.055) / 1.055) ** 2.4)


def _darkened(colour: str, step: int) -> str:
    return "#" + "".join(f"{each * (_STEPS - step) // _STEPS:02x}" for each in _channels(colour))


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))
