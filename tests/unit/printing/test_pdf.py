"""The PDF of a report: complete, on its pages, literal, accessible, and the same every time."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from tests.unit.printing import samples
from tests.unit.printing.pages import Page, pages, squeezed

import printing
from printing.content import MOST_ROWS
from printing.fonts import characters
from printing.wording import Words, clean
from vitals.domain.reports import document as d
from vitals.domain.reports.document import Column, Document, Line, Prose, Table
from vitals.domain.reports.look import A4, LETTER, Look

SIZES = {A4: (595, 842), LETTER: (612, 792)}


@cache
def _made(paper: str = A4) -> bytes:
    return printing.rendered(samples.document(), replace(samples.LOOK, paper=paper), "pdf")


@cache
def _pages(paper: str = A4) -> list[Page]:
    return pages(_made(paper))


def _printed(*sections: d.Section, look: Look = samples.LOOK) -> list[Page]:
    return pages(printing.rendered(samples.document(*sections), look, "pdf"))


@pytest.mark.parametrize("paper", [A4, LETTER])
def test_every_value_of_every_table_is_on_the_pages(paper: str) -> None:
    text = "".join(page.squeezed for page in _pages(paper)).replace("□", "🚀")
    words = Words(samples.LOOK, "Europe/Berlin")
    for table in samples.document().tables().values():
        for at, column in enumerate(table.columns):
            for shown in words.column(column.kind, [row[at] for row in table.rows]):
                assert squeezed(shown) in text


@pytest.mark.parametrize("paper", [A4, LETTER])
def test_every_page_has_its_paper_its_number_its_ink_and_nothing_in_the_margin(paper: str) -> None:
    made = _pages(paper)
    assert len(made) in (4, 5)
    for number, page in enumerate(made, 1):
        assert (round(page.width), round(page.height)) == SIZES[paper]
        assert f"Page {number} of {len(made)}" in page.text
        assert "As of Nov 6, 2026, 12:30" in page.text
        assert "Model version 7" in page.text
        assert 0.005 < page.inked < 0.6
        _assert_inside(page)


def _assert_inside(page: Page) -> None:
    for left, bottom, right, top in page.boxes:
        assert 40 <= left <= right <= page.width - 40
        assert 20 <= bottom <= top <= page.height - 20


def test_the_first_page_says_what_the_report_is_about() -> None:
    first = _pages()[0].text
    for fact in (
        "Portfolio Summary", "Northwind Tools", "Oct 6, 2026 – Nov 5, 2026",
        "Europe/Berlin (UTC+01:00)", "Manager: ana lópez, bo", "Tier: enterprise",
    ):  # fmt: skip
        assert fact in first


def test_every_picture_has_its_words() -> None:
    text = "".join(page.squeezed for page in _pages())
    for chart in samples.CHARTS:
        assert squeezed(chart.title) in text
        for series in chart.series if len(chart.series) > 1 else ():
            assert squeezed(series.label) in text


def test_a_table_repeats_its_heading_on_each_of_its_pages() -> None:
    made = _printed(samples.accounts(200))
    assert len(made) > 3
    for page in made:
        assert page.squeezed.count("CustomerManagerScoreBand") == 1


def test_of_a_long_table_the_first_rows_are_printed_and_the_rest_is_counted() -> None:
    made = _printed(samples.accounts(MOST_ROWS + 1234))
    text = "".join(page.squeezed for page in made)
    assert f"Customer{MOST_ROWS - 1:05d}" in text
    assert f"Customer{MOST_ROWS:05d}" not in text
    assert squeezed("The first 500 of 1,734 rows") in text
    assert squeezed("the CSV has the other 1,234, too") in text


def test_of_a_table_that_fits_nothing_is_said_to_be_left_out() -> None:
    text = "".join(page.text for page in _printed(samples.accounts(MOST_ROWS)))
    assert "The first" not in text


def test_no_row_begins_a_page_alone_and_no_heading_ends_one() -> None:
    # However much stands above the table: a page's break then falls on each of its rows.
    for above in range(0, 40, 3):
        lines = tuple(Line(f"Line {number}") for number in range(above))
        filler = Prose(name="p", title="Above", lines=lines)
        for page in _printed(filler, filler, samples.accounts(12))[1:]:
            rows = len(re.findall("On track|Due soon|Overdue", page.text))
            title = page.text.count("Accounts by urgency")
            assert rows != 1 or title
            assert not title or page.text.count("Priority") >= 1
            assert not title or "Donau" in page.text


def test_the_last_row_of_a_table_never_stands_alone() -> None:
    left = set()
    for count in range(18, 40):
        table = replace(samples.accounts(count + 11), rows=samples.accounts(count + 11).rows[11:])
        *_, last = _printed(table)
        left.add(last.text.count("Incorporated"))
    assert 1 not in left
    assert 2 in left


@pytest.mark.parametrize("paper", [A4, LETTER])
def test_words_too_long_for_a_line_are_broken_wherever_they_stand(paper: str) -> None:
    word, first = samples.LONG * 2, samples.FIGURES.figures[0]
    document = samples.document(
        replace(samples.PROSE, title=word, lines=(Line(word),)),
        replace(samples.accounts(12), title=word, note=Line(word)),
        replace(samples.FIGURES, figures=(replace(first, label=word, note=word),)),
        title=samples.LONG, subject=word, headlines=(Line(word),), filters={"tag": (word,)},
    )  # fmt: skip
    look = replace(samples.LOOK, name=samples.LONG, paper=paper)
    for page in pages(printing.rendered(document, look, "pdf")):
        _assert_inside(page)


def test_a_long_name_stays_in_its_column() -> None:
    [page] = _printed(samples.accounts(9))
    names = [box for box in page.boxes if box[0] < 60 and 80 < box[3] < 430]
    managers = min(box[0] for box in page.boxes if box[0] > 150 and box[3] < 400)
    assert names
    assert max(box[2] for box in names) < managers


def test_a_document_about_nobody_says_so() -> None:
    text = "".join(page.text for page in _printed(samples.accounts(0), samples.EMPTY))
    assert "No customers." in text
    assert "No customer is overdue." in text
    assert "Customer\n" not in text, "it has no heading"
    noted = replace(samples.EMPTY, empty="", note=Line("None alone lifts it."))
    assert "None alone lifts it." in _printed(noted)[0].text


def test_names_are_literal_and_whole_even_those_of_eighty_letters_without_a_space() -> None:
    text = "".join(page.squeezed for page in _pages())
    for name in samples.NAMES:
        assert squeezed(name.replace("🚀", "□")) in text
    assert len(samples.LONG) == 80


def test_a_character_without_a_font_is_a_box_that_is_explained() -> None:
    assert all("□: a character that this PDF has no font for" in page.text for page in _pages())
    plain = "".join(page.text for page in _printed(samples.FIGURES))
    assert "□" not in plain


def test_the_same_document_and_look_give_the_same_bytes() -> None:
    assert _made() == printing.rendered(samples.document(), samples.LOOK, "pdf")
    assert _made() != printing.rendered(samples.document(model_version=8), samples.LOOK, "pdf")


def test_another_process_gives_the_same_bytes() -> None:
    code = (
        "import sys, printing; from tests.unit.printing import samples\n"
        "for form in printing.FORMS:\n"
        "    sys.stdout.buffer.write(printing.rendered(samples.document(), samples.LOOK, form))\n"
    )
    root = Path(__file__).parents[3]
    path = f"{root}:{root}/functions/reports:{root}/layers/vitals/python"
    run = subprocess.run(
        [sys.executable, "-c", code],
        check=True, capture_output=True, timeout=60,
        env={"PYTHONPATH": path, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C"},
    )  # fmt: skip
    here = (printing.rendered(samples.document(), samples.LOOK, form) for form in printing.FORMS)
    assert run.stdout == b"".join(here)


def test_the_file_is_tagged_titled_and_of_its_language() -> None:
    reader = PdfReader(io.BytesIO(_made()))
    root = cast("dict[str, Any]", reader.trailer["/Root"])
    assert root["/Lang"] == "en"
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert reader.metadata
    assert reader.metadata.title == "Portfolio Summary – Northwind Tools"
    assert reader.metadata.creation_date == samples.AS_OF
    tags = _tags(root["/StructTreeRoot"])
    assert {"/H1", "/H2", "/Table", "/TH", "/TD", "/L", "/LI", "/Figure"} <= {
        tag for tag, _ in tags
    }
    alternatives = [alternative for tag, alternative in tags if tag == "/Figure"]
    words = Words(samples.LOOK, "Europe/Berlin")
    assert alternatives == [words.said(chart.says) for chart in samples.CHARTS]
    assert b"pdfuaid" in _made()


def _tags(node: object) -> list[tuple[str, str | None]]:
    """Return (tag, alternative) of everything beneath *node*."""
    if hasattr(node, "get_object"):
        node = node.get_object()
    if isinstance(node, list):
        return [tag for child in node for tag in _tags(child)]
    if not isinstance(node, dict):
        return []
    own = [(str(node["/S"]), node.get("/Alt"))] if "/S" in node else []
    return own + (_tags(node["/K"]) if "/K" in node else [])


def _wide(*beneath: Column) -> Table:
    columns = tuple(
        Column(f"c{at}", f"Quite long {at}", d.MONEY) for at in range(14 - len(beneath))
    )
    rows = tuple(tuple(1_000_000 + at for at in range(14)) for _ in range(3))
    return Table(name="wide", title="Wide", columns=(*columns, *beneath), rows=rows)


def test_a_wide_table_turns_every_page() -> None:
    made = _printed(samples.FIGURES, samples.EMPTY, samples.TREND, _wide(), samples.PROSE)
    assert all(page.width > page.height for page in made)
    assert "$1,000,013" in "".join(page.text for page in made)
    for page in made:
        _assert_inside(page)


def test_what_explains_a_row_stands_beneath_it_before_a_page_is_turned() -> None:
    beneath = [Column(f"b{at}", f"Beneath {at}", d.MONEY, beneath=True) for at in range(7)]
    made = _printed(samples.FIGURES, _wide(*beneath))
    text = "".join(page.squeezed for page in made)
    assert all(page.width < page.height for page in made)
    assert text.count("Beneath0$1,000,007·Beneath1$1,000,008") == 3
    for page in made:
        _assert_inside(page)


@pytest.mark.parametrize("known", [True, False])
def test_beneath_a_row_a_word_has_its_number_beside_and_the_unknown_is_left_out(
    known: bool,
) -> None:
    beneath = (
        Column("signal", "Moved most by", d.WORD, beneath=True),
        Column("part", "Its part", d.POINTS, beneath=True),
        Column("why", "Why", d.TEXT, beneath=True),
    )
    wide = _wide(*beneath)
    part = ("nps", -4) if known else (None, None)
    rows = tuple((*row[:11], *part, "held down") for row in wide.rows)
    told = "MovedmostbyNPS−4·Whyhelddown" if known else "Whyhelddown"
    text = "".join(page.squeezed for page in _printed(replace(wide, rows=rows)))
    assert text.count(told) == 3
    assert ("Movedmostby" in text) == known


def test_a_row_and_what_stands_beneath_it_share_a_page() -> None:
    beneath = [Column(f"b{at}", f"Beneath {at}", d.MONEY, beneath=True) for at in range(7)]
    wide = _wide(*beneath)
    for above in range(3, 30, 4):
        lines = tuple(Line(f"Line {number}") for number in range(above))
        filler = Prose(name="p", title="Above", lines=lines)
        made = _printed(filler, filler, replace(wide, rows=wide.rows * 9))
        assert len(made) > 1
        for page in made:
            assert page.squeezed.count("$1,000,000$1,000,001") == page.squeezed.count("Beneath0")
            assert page.squeezed.count("Beneath0") != 1


@pytest.mark.parametrize("kind", [b"no picture", b""])
def test_a_logo_that_cannot_be_read_costs_nobody_the_report(kind: bytes) -> None:
    look = replace(samples.LOOK, logo=kind, logo_type="image/png")
    assert "Portfolio Summary" in pages(printing.rendered(samples.document(), look, "pdf"))[0].text


def test_a_logo_is_on_the_first_page() -> None:
    bare = replace(samples.GERMAN, logo=None)
    with_logo, without = (
        pages(printing.rendered(samples.document(samples.PROSE), look, "pdf"))
        for look in (samples.GERMAN, bare)
    )
    assert with_logo[0].pixels != without[0].pixels
    reader = PdfReader(io.BytesIO(printing.rendered(samples.document(), samples.GERMAN, "pdf")))
    root = cast("dict[str, Any]", reader.trailer["/Root"])
    assert ("/Figure", "Logo of Nordwind Werkzeuge") in _tags(root["/StructTreeRoot"])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=80) | st.text(st.sampled_from(sorted(characters())), max_size=12))
@example("Škoda 汽车 Č")
@example("0\u0346")
@example("ﾊﾞﾝｸ ﾟ")
@example("\uff3b\ufeffAcme")
def test_any_name_at_all_can_be_printed(name: str) -> None:
    table = Table(
        name="t", title=name, columns=(Column("name", name, d.NAME), Column("n", "N", d.COUNT)),
        rows=((name, 1),),
    )  # fmt: skip
    document: Document = samples.document(
        table, replace(samples.DISTRIBUTION, labels=(name,), label_kind=d.NAME, bands=(),
                       series=(samples.DISTRIBUTION.series[0].__class__(
                           name="n", label=name, values=(3,)),)),
        title=name, subject=name, filters={"tag": (name,)},
    )  # fmt: skip
    assert printing.rendered(document, replace(samples.LOOK, name=name), "pdf").startswith(b"%PDF")
    assert clean(name) == clean(clean(name))


def test_a_change_behind_two_averages_is_of_those_shown() -> None:
    columns = (
        Column("was", "Was", d.AVERAGE), Column("is", "Is", d.AVERAGE),
        Column("change", "Change", d.POINTS),
    )  # fmt: skip
    rows = (
        (Decimal("69.6739"), Decimal("69.7442"), Decimal("0.0703")),
        (Decimal(50), Decimal("52.46"), Decimal("2.46")),
        (None, Decimal(50), None),
    )
    table = Table(name="t", title="T", columns=columns, rows=rows)
    [page] = _printed(table)
    assert "69.769.70.0" in page.squeezed
    assert "50.052.5+2.5" in page.squeezed
    assert "–50.0–" in page.squeezed


def test_how_to_read_it_is_written_small() -> None:
    notes = replace(samples.PROSE, name=d.READING)
    [small], [large] = _printed(notes), _printed(samples.PROSE)
    assert small.squeezed == large.squeezed
    assert small.inked < large.inked
