"""How a tenant's reports look: name, logo, colour, language of numbers, currency, paper."""

from __future__ import annotations

from dataclasses import dataclass

A4, LETTER = "a4", "letter"
PAPERS = (A4, LETTER)
ACCENT = "#1d4f91"
PNG, JPEG, SVG = "image/png", "image/jpeg", "image/svg+xml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The brand of *name*, in which documents are rendered.

    *logo* is an image of *logo_type*, *accent* a colour as #rrggbb. *locale* (BCP 47) is how
    numbers and dates are written, *currency* (ISO 4217) what amounts are in; None: nobody said.
    """

    name: str
    logo: bytes | None = None
    logo_type: str | None = None
    accent: str = ACCENT
    locale: str = "en"
    currency: str | None = None
    paper: str = A4
