"""Spellings: how the words that people type are taken for those of a list (AMB-34)."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NOT_WORD = re.compile(r"[\W_]+")
_SYNONYMS: dict[str, str] = {
    "midmarket": "mid",
    "smallbusiness": "smb",
    "ent": "enterprise",
    "wonupsold": "won",
    "upsold": "won",
    "upsell": "won",
}


def squeezed(word: str) -> str:
    """Return what the spellings of one word share: letters and digits, case folded (AMB-34)."""
    return _NOT_WORD.sub("", word.casefold())


def meant(raw: str, allowed: Iterable[str]) -> str | None:
    """Return the one of *allowed* that *raw* spells, or None."""
    choices = {choice: choice for choice in allowed}
    spellings = {spelled: choice for choice in choices if (spelled := squeezed(choice))}
    spelled = squeezed(raw)
    # As written comes first: a model's own words may differ by a sign alone, like A+ and A-.
    return (
        choices.get(raw.strip())
        or spellings.get(spelled)
        or spellings.get(_SYNONYMS.get(spelled, spelled))
    )
