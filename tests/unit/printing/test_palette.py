"""Colours: text reads on all of them, and bands keep their order on grey paper."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from printing.palette import (
    BAD,
    BANDS,
    CAUTION,
    GOOD,
    INK,
    MUTED,
    PAPER,
    READABLE,
    WASH,
    contrast,
    luminance,
    palette,
    text_on,
)
from vitals.domain.reports import look

colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)
    assert contrast("#ffffff", "#777777") == contrast("#777777", "#ffffff")


@pytest.mark.parametrize("text", [INK, MUTED, GOOD, BAD, CAUTION])
@pytest.mark.parametrize("ground", [PAPER, WASH])
def test_text_reads_on_every_ground(text: str, ground: str) -> None:
    assert contrast(text, ground) >= READABLE


@pytest.mark.parametrize("band", BANDS)
def test_text_reads_on_every_band(band: str) -> None:
    assert contrast(text_on(BANDS[band]), BANDS[band]) >= READABLE


@given(colours)
def test_text_reads_on_any_accent_and_any_accent_becomes_one_that_reads(accent: str) -> None:
    made = palette(accent)
    assert made.accent == accent
    assert contrast(made.on_accent, made.accent) >= READABLE
    assert contrast(made.strong, PAPER) >= READABLE
    for tint in made.tints:
        assert contrast(text_on(tint), tint) >= READABLE


def test_what_is_no_colour_is_our_own() -> None:
    for wrong in ("red", "#12345", "#12345g", "#1234567", 'url("x")', ""):
        assert palette(wrong).accent == look.ACCENT


def test_each_band_is_visibly_lighter_than_the_one_below() -> None:
    for low, high in pairwise(BANDS.values()):
        # 1.15 apart is seen side by side; the least here is between the two palest.
        assert (luminance(high) + 0.05) / (luminance(low) + 0.05) > 1.15
