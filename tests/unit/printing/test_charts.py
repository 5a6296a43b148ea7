"""Charts: every value written, nothing outside, and told apart without colour."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.unit.printing import samples
from tests.unit.printing.pages import pages, squeezed
from tests.unit.printing.samples import LOOK

import printing
from printing import measure
from printing.charts import drawn
from printing.drawing import spread, ticks
from printing.palette import BANDS, palette
from printing.svg import WIDTH
from printing.wording import Words
from vitals.domain.reports import document as d
from vitals.domain.reports.document import Chart, Line, Series
from vitals.domain.reports.look import Look

WORDS = Words(samples.LOOK, "Europe/Berlin")
SVG = "{http://www.w3.org/2000/svg}"


def _picture(chart: Chart) -> ET.Element:
    return ET.fromstring(drawn("s1", chart, WORDS, palette("#1d4f91")))  # noqa: S314 - our own


def _texts(picture: ET.Element) -> list[str]:
    return [each.text or "" for each in picture.iter(f"{SVG}text")]


@pytest.mark.parametrize("chart", samples.CHARTS, ids=lambda chart: chart.name)
def test_a_picture_says_what_it_shows(chart: Chart) -> None:
    picture = _picture(chart)
    assert picture.get("role") == "img"
    assert picture.get("aria-labelledby") == "s1-title s1-says"
    assert picture.findtext(f"{SVG}title") == chart.title
    assert picture.findtext(f"{SVG}desc") == WORDS.said(chart.says)


@pytest.mark.parametrize("chart", samples.CHARTS, ids=lambda chart: chart.name)
def test_nothing_is_drawn_outside(chart: Chart) -> None:
    picture = _picture(chart)
    height = float(picture.get("height") or 0)
    for each in picture.iter(f"{SVG}rect"):
        x, y, wide, high = (float(each.get(name) or 0) for name in ("x", "y", "width", "height"))
        assert -0.01 <= x <= x + wide <= WIDTH + 0.01
        assert -0.01 <= y <= y + high <= height + 0.01
    for each in picture.iter(f"{SVG}text"):
        wide = measure.width(each.text or "", float(each.get("font-size") or 0))
        part = {"middle": 0.5, "end": 1.0}.get(each.get("text-anchor") or "", 0.0)
        x = float(each.get("x") or 0)
        assert -1 <= x - wide * part <= x + wide * (1 - part) <= WIDTH + 1
        assert 0 < float(each.get("y") or 0) < height


def test_each_bar_has_its_label_and_its_value() -> None:
    texts = _texts(_picture(samples.DISTRIBUTION))
    assert texts == [
        "Critical", "12", "At risk", "31", "Watch", "58", "Healthy", "74", "Expansion", "37",
    ]  # fmt: skip


def test_bars_are_as_long_as_their_values() -> None:
    bars = [
        float(each.get("width") or 0)
        for each in _picture(samples.DISTRIBUTION).iter(f"{SVG}rect")
        if each.get("stroke")
    ]
    values = [float(value or 0) for value in samples.DISTRIBUTION.series[0].values]
    for bar, value in zip(bars, values, strict=True):
        assert bar / bars[0] == pytest.approx(value / values[0], rel=0.001)


def test_a_waterfall_says_where_its_axis_starts_and_signs_its_changes() -> None:
    texts = _texts(_picture(samples.MOVEMENT))
    assert texts[1::2][:6] == ["63.8", "+1.5", "−4.5", "+0.8", "−0.3", "61.3"]
    assert texts[-1] == "The axis starts at 55.0."
    from_zero = replace(samples.MOVEMENT, series=(_series((1, 5, -2, 0, 0, 4)),), kind=d.COUNT)
    assert not any("axis" in text for text in _texts(_picture(from_zero)))


def test_gains_and_losses_lie_on_either_side_and_losses_are_hatched() -> None:
    picture = _picture(samples.PARTS)
    bars = [each for each in picture.iter(f"{SVG}rect") if each.get("stroke")]
    zero = float(next(picture.iter(f"{SVG}line")).get("x1") or 0)
    starts = [float(bar.get("x") or 0) for bar in bars]
    assert starts[:2] == [zero, zero]
    assert starts[2] + float(bars[2].get("width") or 0) == pytest.approx(zero, abs=0.02)
    hatched = [each for each in picture.iter(f"{SVG}rect") if "url" in (each.get("fill") or "")]
    assert [each.get("x") for each in hatched] == [bars[2].get("x")]


def test_a_line_is_broken_where_nothing_is_known_and_named_at_its_end() -> None:
    picture = _picture(samples.TREND)
    paths = [each for each in picture.iter(f"{SVG}path") if each.get("fill") == "none"]
    lines = [each for each in paths if each.get("stroke-width") == "2.2"]
    assert [(line.get("d") or "").count("M") for line in lines] == [2, 1, 1]
    assert len({line.get("stroke-dasharray") for line in lines}) == 3
    texts = " ".join(_texts(picture))
    for series in samples.TREND.series:
        assert f"{series.label} {WORDS.worded(d.AVERAGE, series.values[-1])}" in texts


def test_series_that_lie_together_have_legible_names() -> None:
    same = tuple(Series(name=str(at), label=f"Series {at}", values=(1, 2)) for at in range(5))
    chart = replace(samples.TREND, labels=samples.TREND.labels[:2], series=same)
    names = [each for each in _picture(chart).iter(f"{SVG}text") if "Series" in (each.text or "")]
    places = sorted(float(each.get("y") or 0) for each in names)
    assert all(low + 12 <= high for low, high in pairwise(places))


@pytest.mark.parametrize("kind", [d.BARS, d.STACKED, d.LINES, d.WATERFALL, d.CONTRIBUTIONS])
@pytest.mark.parametrize("values", [(), (None, None), (0, 0)])
def test_a_chart_of_nothing_is_no_picture_but_what_it_says(
    kind: str, values: tuple[int | None, ...]
) -> None:
    chart = replace(
        samples.DISTRIBUTION, chart=kind, labels=("a", "b")[: len(values)], title="Of nothing",
        label_kind=d.TEXT, series=(_series(values),), bands=(), says=Line("Nobody has a score."),
    )  # fmt: skip
    if kind == d.LINES and values == (0, 0):
        assert _texts(_picture(chart))
        return
    assert drawn("s1", chart, WORDS, palette("#1d4f91")) == ""
    document = samples.document(chart)
    page = printing.rendered(document, LOOK, "html").decode()
    assert "<svg" not in page
    [paper] = pages(printing.rendered(document, LOOK, "pdf"))
    for said in (page, paper.text):
        assert "Nobody has a score." in said


def test_names_in_a_picture_are_literal() -> None:
    chart = replace(
        samples.DISTRIBUTION, labels=samples.NAMES, label_kind=d.NAME, bands=(),
        series=(_series(tuple(range(len(samples.NAMES)))),),
    )  # fmt: skip
    shown = "".join(_texts(_picture(chart))).replace(" ", "")
    for name in samples.NAMES:
        assert name.replace(" ", "") in shown


def test_bands_differ_by_their_hatching_too() -> None:
    picture = _picture(samples.TIERS)
    patterns = [each.get("id") or "" for each in picture.iter(f"{SVG}pattern")]
    assert [re.sub(r"s1-(\w+)-\d", r"\1", each) for each in patterns] == ["rising", "dots"]
    fills = {each.get("fill") for each in picture.iter(f"{SVG}rect")}
    assert set(list(BANDS.values())[:5]) <= fills


@given(
    st.lists(st.decimals(-1000, 1000, places=2) | st.none(), min_size=1, max_size=40),
    st.sampled_from([d.BARS, d.STACKED, d.LINES, d.WATERFALL, d.CONTRIBUTIONS]),
    st.sampled_from([d.TEXT, d.DAY, d.MONTH]),
)
def test_any_values_can_be_drawn(values: list[Decimal | None], kind: str, label_kind: str) -> None:
    days = samples.TREND.labels[: len(values)]
    labels = tuple(map(str, days)) if label_kind == d.TEXT else days
    chart = replace(
        samples.DISTRIBUTION, chart=kind, labels=labels, label_kind=label_kind, bands=(),
        kind=d.AVERAGE, series=(_series(tuple(values)),),
    )  # fmt: skip
    picture = drawn("s1", chart, WORDS, palette("#1d4f91"))
    ET.fromstring(picture or "<svg/>")  # noqa: S314 - our own
    assert "nan" not in picture
    assert "inf" not in picture


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_ticks_are_even_and_reach_both_ends(low: float, extent: float) -> None:
    marks = ticks(low, low + extent, 4)
    assert 2 <= len(marks) <= 8
    assert marks[0] <= low + (marks[1] - marks[0]) * 1e-6
    assert marks[-1] >= low + extent - (marks[1] - marks[0]) * 1e-6


@given(st.lists(st.floats(0, 200), min_size=1, max_size=8))
def test_names_are_spread_in_their_order(wanted: list[float]) -> None:
    places = spread(wanted, 17, 0, 200)
    assert max(places) <= 200
    ordered = sorted(places)
    assert all(low + 16.9 <= high for low, high in pairwise(ordered))


def _series(values: tuple[int | Decimal | None, ...]) -> Series:
    return Series(name="n", label="N", values=values)


@pytest.mark.parametrize("chart", samples.CHARTS, ids=lambda chart: chart.name)
def test_a_name_that_xml_cannot_hold_is_drawn_without_what_it_cannot(chart: Chart) -> None:
    bad = "a\x01b\ud800c"
    series = tuple(replace(each, label=bad) for each in chart.series)
    picture = _picture(replace(chart, title=bad, series=series))
    assert picture.findtext(f"{SVG}title") == "a�b�c"
    assert bad not in "".join(_texts(picture))
    printing.rendered(samples.document(replace(chart, title=bad, series=series)), LOOK, "pdf")


def _shown(text: str) -> Decimal:
    return Decimal(text.replace("−", "-").replace("+", ""))


@given(
    st.lists(st.decimals(-50, 50, places=4), min_size=1, max_size=6), st.decimals(0, 100, places=4)
)
def test_what_a_waterfall_shows_adds_up(parts: list[Decimal], opening: Decimal) -> None:
    values = (opening, *parts, opening + sum(parts))
    assume(any(values) and values[-1] >= 0)
    words = Words(samples.LOOK)
    shown = words.parts(values, 1)
    assert sum(shown[:-1]) == shown[-1]
    for exact, seen in zip(values, shown, strict=True):
        assert abs(exact - seen) < Decimal("0.1")
        assert exact * seen >= 0
        assert exact != exact.quantize(Decimal("0.1")) or seen == exact
    chart = replace(
        samples.MOVEMENT, labels=tuple("x" * len(values)),
        series=(replace(samples.MOVEMENT.series[0], values=values),),
    )  # fmt: skip
    drawn_values = [_shown(text) for text in _texts(_picture(chart))[1 : 2 * len(values) : 2]]
    assert sum(drawn_values[:-1]) == drawn_values[-1]


def test_what_a_waterfall_says_has_the_digits_that_are_drawn() -> None:
    exact = tuple(map(Decimal, ("68.46", "0.0101", "1.2403", "-0.8803", "0.0399", "68.87")))
    chart = replace(
        samples.MOVEMENT, series=(replace(samples.MOVEMENT.series[0], values=exact),),
        says=Line("From {} to {}: {}, {}, {}, {} of {}.",
                  ((d.AVERAGE, exact[0]), (d.AVERAGE, exact[-1]),
                   *((d.POINTS, part) for part in exact[1:-1]), (d.COUNT, 7))),
    )  # fmt: skip
    texts = _texts(_picture(chart))
    assert texts[1:12:2] == ["68.5", "0.0", "+1.3", "−0.9", "0.0", "68.9"]
    says = "From 68.5 to 68.9: 0.0, +1.3, −0.9, 0.0 of 7."
    assert _picture(chart).findtext(f"{SVG}desc") == says
    made = pages(printing.rendered(samples.document(chart), LOOK, "pdf"))
    assert squeezed(says) in "".join(page.squeezed for page in made)


def _columns(count: int, value: int, look: Look) -> tuple[list[str], list[str]]:
    """Return the values and the labels of so many months."""
    chart = replace(
        samples.RENEWALS,
        labels=tuple(date(2026 + (9 + at) // 12, (9 + at) % 12 + 1, 1) for at in range(count)),
        series=(_series(tuple(value + at for at in range(count))),),
    )  # fmt: skip
    picture = ET.fromstring(drawn("s1", chart, Words(look), palette("#1d4f91")))  # noqa: S314 - our own
    texts = list(picture.iter(f"{SVG}text"))
    heavy = [each.text or "" for each in texts if each.get("font-weight")]
    return heavy, [each.text or "" for each in texts if not each.get("font-weight")]


def test_every_month_has_its_label_and_its_value_and_a_year_its_first() -> None:
    heavy, plain = _columns(13, 67_891, samples.LOOK)
    assert heavy == [f"${67_891 + at:,}" for at in range(13)]
    assert plain == [
        "Oct 2026", "Nov", "Dec", "Jan 2027", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
        "Sep", "Oct",
    ]  # fmt: skip


def test_values_too_wide_for_their_columns_cost_no_month_its_label() -> None:
    heavy, plain = _columns(12, 1_234_567_000, samples.GERMAN)
    assert len(heavy) == 6
    assert len(plain) == 12
    _, plain = _columns(48, 1, samples.LOOK)
    assert 12 <= len(plain) < 48
    assert [label[-4:] for label in plain if label[-4:].isdigit()] == [
        "2026", "2027", "2028", "2029", "2030",
    ]  # fmt: skip


def test_a_row_of_parts_has_its_total_at_its_end() -> None:
    picture = _picture(samples.TIERS)
    heavy = [each.text for each in picture.iter(f"{SVG}text") if each.get("font-weight")]
    columns = zip(*(each.values for each in samples.TIERS.series), strict=True)
    assert heavy == [str(sum(value or 0 for value in column)) for column in columns]


def test_marks_of_scores_are_whole() -> None:
    assert ticks(73, 74, 4, 1) == [73, 74]
    assert ticks(73, 74, 4) != [73, 74]
    line = replace(samples.TREND, kind=d.SCORE, labels=(date(2026, 1, 1), date(2026, 1, 2)),
                   series=(Series(name="s", label="Score", values=(73, 74)),))  # fmt: skip
    marks = [text for text in _texts(_picture(line)) if text.isdigit()]
    assert len(marks) == len(set(marks))
