"""The HTML of a report: one accessible file that asks for nothing, and says everything."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from html import unescape
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tests.unit.printing import samples
from tests.unit.printing.pages import pages

import printing
from printing.content import MOST_ROWS
from printing.html import quoted
from printing.wording import Words
from vitals.domain.reports import document as d
from vitals.domain.reports.document import Column, Line, Section, Table
from vitals.domain.reports.look import Look

AXE = Path(__file__).with_name("axe.mjs")


def _html(*sections: Section, look: Look = samples.GERMAN) -> str:
    return printing.rendered(samples.document(*sections), look, "html").decode()


def wrong(made: Sequence[str]) -> list[list[str]]:
    """Return the rules that axe finds broken by each page."""
    run = subprocess.run(
        ["node", str(AXE)],
        input=json.dumps(made),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return [[rule for rule, _ in found] for found in json.loads(run.stdout)]


def test_axe_finds_nothing_wrong_but_what_is() -> None:
    made = _html(
        samples.FIGURES, *samples.CHARTS, samples.accounts(9), samples.EMPTY, samples.PROSE
    )
    broken = _html(samples.EMPTY).replace(' lang="en"', "").replace('alt="Logo', 'title="Logo')
    nothing, something = wrong([made, broken])
    assert nothing == []
    assert "html-has-lang" in something


def test_the_file_asks_nobody_for_anything_and_runs_nothing() -> None:
    made = _html()
    assert re.findall(r"<(script|link|iframe|object|embed|base|meta http)", made) == []
    addresses = re.findall(r'(?:src|href|xlink:href|action)="([^"]*)"', made)
    assert [address[:26] for address in addresses] == ["data:image/svg+xml;base64,"]
    assert set(re.findall(r"https?://[^\"'\s)]*", made)) == {"http://www.w3.org/2000/svg"}
    assert set(re.findall(r"url\(([^)]*)\)", made)) <= {
        f"#{name}" for name in re.findall(r'<pattern id="([^"]*)"', made)
    }
    assert not re.search(r"\son\w+=", re.sub(r">[^<]*<", "><", made))


def test_it_is_well_formed_and_no_id_is_there_twice() -> None:
    made = _html()
    ids = re.findall(r'\bid="([^"]*)"', made)
    assert len(ids) == len(set(ids))
    body = made[made.index("<body>") :].removesuffix("</html>\n").rstrip().removesuffix("</html>")
    ET.fromstring(re.sub(r"<((?:img|col )[^>]*)>", r"<\1/>", body))  # noqa: S314 - our own


def test_names_are_literal() -> None:
    made = _html()
    assert "<script" not in made
    text = unescape(re.sub(r"<[^>]*>", "", made))
    for name in samples.NAMES:
        assert name in text


def test_every_value_of_every_table_is_there_under_its_heading() -> None:
    made = unescape(_html())
    words = Words(samples.GERMAN, "Europe/Berlin")
    for table in samples.document().tables().values():
        for column in table.columns:
            assert f">{column.label}</th>" in made
        for at, column in enumerate(table.columns):
            for shown in words.column(column.kind, [row[at] for row in table.rows]):
                assert f">{shown}<" in made


def test_numbers_stand_flush_right_and_bands_are_coloured_words() -> None:
    made = _html()
    assert '<th scope="col" class="number">Score</th>' in made
    assert '<td class="number">1.234,50\N{NO-BREAK SPACE}€</td>' in made
    assert '<td class="whole"><span class="chip band-at_risk">At risk</span></td>' in made
    assert "font-variant-numeric: tabular-nums" in made


def test_of_a_long_table_the_first_rows_are_shown_and_the_rest_is_counted() -> None:
    made = _html(samples.accounts(MOST_ROWS + 1234))
    assert made.count('<th scope="row"') == MOST_ROWS
    assert "The first 500 of 1.734 rows: the CSV has the other 1.234, too." in made


def test_pages_are_those_of_the_paper_with_numbers() -> None:
    assert "size: A4" in _html()
    assert "size: letter" in _html(look=samples.JAPANESE)
    assert 'content: "Page " counter(page) " of " counter(pages)' in _html()
    assert "thead { display: table-header-group }" in _html()


def test_what_is_printed_above_a_page_cannot_leave_its_quotes() -> None:
    hostile = '"; } </style><script>\\'
    shown = quoted(hostile)
    assert re.fullmatch(r'"([0-9A-Za-z]|\\[0-9a-f]+ )*"', shown)
    made = _html(look=Look(name=hostile))
    assert made.count("</style>") == 1
    assert "<script" not in made


def test_the_same_document_and_look_give_the_same_bytes() -> None:
    assert _html() == _html()


def test_a_logo_of_an_unknown_type_is_left_out() -> None:
    look = Look(name="x", logo=b"GIF89a", logo_type='image/gif" onload="x')
    assert "<img" not in _html(look=look)
    assert "onload" not in _html(look=look)


def test_there_are_two_forms() -> None:
    with pytest.raises(ValueError, match="no such form: docx"):
        printing.rendered(samples.document(), samples.LOOK, "docx")


def test_a_wide_table_turns_the_pages_that_a_browser_prints() -> None:
    columns = tuple(Column(f"c{at}", f"Quite long {at}", d.MONEY) for at in range(14))
    rows = (tuple(1_000_000 + at for at in range(14)),)
    wide = Table(name="wide", title="Wide", columns=columns, rows=rows)
    assert "size: A4; margin" in _html(samples.EMPTY)
    assert "size: A4 landscape; margin" in _html(samples.EMPTY, wide)


def _explained(*why: str | None) -> Table:
    columns = tuple(Column(f"c{at}", f"Quite long {at}", d.MONEY) for at in range(7))
    beneath = (Column("by", "Moved by", d.WORD, beneath=True),
               Column("part", "Its part", d.POINTS, beneath=True),
               Column("why", "Why", d.TEXT, beneath=True))  # fmt: skip
    rows = tuple(
        (*(1_000_000 + at for at in range(7)), *(("nps", -4) if each else (None, None)), each)
        for each in why
    )
    return Table(name="w", title="Wide", columns=(*columns, *beneath), rows=rows)


def test_what_explains_a_row_stands_beneath_it_and_turns_no_page() -> None:
    made = _html(_explained("held down", None))
    assert "landscape" not in made
    assert made.count('<th scope="col"') == 7
    [told] = re.findall('<td class="beneath" colspan="6">(.*?)</td>', made, re.DOTALL)
    shown = " ".join(unescape(re.sub("<[^>]*>", "", told)).split())
    assert shown == "Moved by NPS −4 · Why held down"
    assert made.count('<th scope="row" rowspan="2"') == 1
    assert made.count('<th scope="row"') == 2
    assert wrong([made]) == [[]]


def test_where_there_is_room_it_is_a_column() -> None:
    table = _explained("held down")
    made = _html(replace(table, columns=table.columns[4:], rows=tuple(r[4:] for r in table.rows)))
    assert '<th scope="col">Why</th>' in made
    assert '<td class="beneath"' not in made


def test_a_table_of_nobody_is_a_sentence_and_its_note() -> None:
    made = _html(replace(samples.EMPTY, note=Line("As of today.")))
    assert "<table" not in made
    assert '<p class="more muted">No customer is overdue.</p>' in made
    assert '<p class="more muted">As of today.</p>' in made
    noted = _html(replace(samples.EMPTY, empty="", note=Line("None alone lifts it.")))
    assert made.count('<p class="more') == 2
    assert noted.count('<p class="more') == 1


@pytest.mark.parametrize("name", ["Nordwind Werkzeuge", "Somebody else"])
def test_a_report_about_one_customer_says_nothing_of_filters(name: str) -> None:
    document = samples.document(samples.PROSE, subject=name, filters={})
    for form in printing.FORMS:
        made = printing.rendered(document, samples.GERMAN, form)
        text = pages(made)[0].text if form == "pdf" else made.decode()
        assert ("None: all customers" in text) == (name == samples.GERMAN.name)
        assert ("Filters" in text) == (name == samples.GERMAN.name)
