"""Values in the words of a locale, a currency and a time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.printing import samples

import printing
from printing.wording import Words, clean, phrase
from vitals.domain.reports import document as d
from vitals.domain.reports.document import KINDS, Line, Plain
from vitals.domain.reports.look import Look

US, DE, JA, IN, CH = (
    Look(name="x", locale=locale, currency=currency)
    for locale, currency in (
        ("en-US", "USD"), ("de", "EUR"), ("ja", "JPY"), ("en-IN", "INR"), ("de-CH", "CHF"),
    )
)  # fmt: skip
LATE = datetime(2026, 11, 5, 23, 30, tzinfo=UTC)
HARD, THIN = "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}"
HIGH = "\N{RIGHT SINGLE QUOTATION MARK}"


@pytest.mark.parametrize(
    ("look", "kind", "value", "shown"),
    [
        (US, d.MONEY, 1234567, "$1,234,567"),
        (US, d.MONEY, Decimal("-1234.5"), "−$1,234.50"),
        (US, d.MONEY, Decimal("36533.2"), "$36,533"),
        (US, d.SEGMENT, "atrisk", "At risk"),
        (US, d.SEGMENT, "vip_eu", "vip_eu"),
        (DE, d.MONEY, 1234567, f"1.234.567{HARD}€"),
        (DE, d.MONEY, Decimal("1234.5"), f"1.234,50{HARD}€"),
        (JA, d.MONEY, 1234567, "¥1,234,567"),
        (JA, d.MONEY, Decimal("1234.5"), "¥1,235"),
        (IN, d.MONEY, 1234567, "₹12,34,567"),
        (IN, d.COUNT, 1234567, "12,34,567"),
        (CH, d.MONEY, 1234567, f"CHF{HARD}1{HIGH}234{HIGH}567"),
        (Look(name="x", locale="de"), d.MONEY, 1234567, "1.234.567"),
        (US, d.PERCENT, Decimal("12.34"), "12.3%"),
        (DE, d.PERCENT, Decimal("12.35"), f"12,4{HARD}%"),
        (IN, d.PERCENT, 50, "50%"),
        (US, d.COUNT, 10000, "10,000"),
        (DE, d.COUNT, 10000, "10.000"),
        (US, d.AVERAGE, 61, "61.0"),
        (DE, d.AVERAGE, Decimal("61.25"), "61,3"),
        (US, d.POINTS, 3, "+3"),
        (US, d.POINTS, Decimal("-2.5"), "−2.5"),
        (US, d.POINTS, Decimal("-0.01"), "0"),
        (US, d.INDEX, Decimal("0.0421"), "0.0421"),
        (US, d.NUMBER, Decimal("1234.56789"), "1,234.5679"),
        (US, d.DAYS, 12, "12"),
        (US, d.DAY, date(2026, 11, 5), "Nov 5, 2026"),
        (DE, d.DAY, date(2026, 11, 5), "05.11.2026"),
        (JA, d.DAY, date(2026, 11, 5), "2026/11/05"),
        (US, d.MONTH, date(2026, 11, 1), "Nov 2026"),
        (JA, d.MONTH, date(2026, 11, 1), "2026年11月"),
        (US, d.INSTANT, LATE, f"Nov 6, 2026, 12:30{THIN}AM"),
        (DE, d.INSTANT, LATE, "06.11.2026, 00:30"),
        (US, d.BAND, "at_risk", "At risk"),
        (US, d.WORD, "mrr", "MRR"),
        (US, d.TEXT, ("vip", "emea"), "vip, emea"),
        (US, d.NAME, "at_risk  <b>\n", "at_risk <b>"),
    ],
)
def test_a_value_is_written_as_its_locale_writes_it(
    look: Look, kind: str, value: Plain, shown: str
) -> None:
    assert printing.worded(kind, value, look, "Europe/Berlin") == shown


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_known_is_a_dash(kind: str) -> None:
    assert printing.worded(kind, None, US) == "–"


def test_an_unknown_locale_is_read_as_its_nearest_known_one() -> None:
    assert printing.worded(d.COUNT, 1000, Look(name="x", locale="de-XX")) == "1.000"
    assert printing.worded(d.COUNT, 1000, Look(name="x", locale="xx")) == "1,000"
    assert printing.worded(d.MONTH, date(2026, 1, 1), Look(name="x", locale="zh-Hant-TW")) != (
        printing.worded(d.MONTH, date(2026, 1, 1), US)
    )


def test_a_column_has_as_many_decimals_in_each_of_its_values() -> None:
    words = Words(US)
    assert words.column(d.MONEY, [1, None, Decimal("2.5")]) == ["$1.00", "–", "$2.50"]
    assert words.column(d.MONEY, [1, 2]) == ["$1", "$2"]
    assert words.column(d.PERCENT, [50, Decimal("12.5")]) == ["50.0%", "12.5%"]
    assert words.column(d.INDEX, [Decimal("0.25"), 1]) == ["0.25", "1.00"]


def test_an_index_however_small_is_told_from_others() -> None:
    words = Words(US)
    many = [Decimal("0.00002134"), Decimal("0.00000071"), None, 0]
    assert words.column(d.INDEX, many) == ["0.0000213", "0.0000007", "–", "0.0000000"]
    assert words.column(d.INDEX, [Decimal("0.04213333"), 0]) == ["0.0421", "0.0000"]
    assert words.worded(d.INDEX, Decimal("0.00000001")) == "0.00000001"
    assert words.worded(d.INDEX, 0) == "0"


def test_a_change_says_by_how_much_and_from_what() -> None:
    words = Words(US)
    assert words.change(d.MONEY, 48200, 51000) == "−$2,800 (was $51,000)"
    assert words.change(d.PERCENT, Decimal("12.5"), 10) == "+2.5 points (was 10.0%)"
    assert words.change(d.SCORE, 61, 58) == "+3 (was 58)"
    assert words.change(d.COUNT, 3, 3) == "unchanged"
    assert words.change(d.AVERAGE, Decimal("68.5349"), Decimal("68.2662")) == "+0.2 (was 68.3)"
    assert words.change(d.AVERAGE, Decimal("68.54"), Decimal("68.46")) == "unchanged"
    assert words.change(d.MONEY, Decimal("48200.4"), Decimal("51000.6")) == "−$2,801 (was $51,001)"
    assert words.change(d.COUNT, 3, None) == ""
    assert words.change(d.COUNT, None, 3) == ""


def test_what_is_shown_as_unchanged_is_neither_good_nor_bad() -> None:
    now, was = Decimal("68.54"), Decimal("68.46")
    figure = d.Figure(
        name="score", label="Score", kind=d.AVERAGE, value=now, previous=was, better=d.UP
    )
    document = samples.document(d.Figures(name="kpis", title="Figures", figures=(figure,)))
    assert printing.key_figures(document, US) == [("Score", "68.5", "unchanged", "")]


def test_key_figures_and_headlines_for_a_mail() -> None:
    figures = printing.key_figures(samples.document(), US)
    assert figures[:2] == [
        ("Portfolio health", "61.3", "−2.5 (was 63.8)", "bad"),
        ("Revenue at risk", "$48,200", "−$2,800 (was $51,000)", "good"),
    ]
    assert figures[-1] == ("Median days since contact", "–", "", "")
    assert printing.key_figures(samples.document(samples.PROSE), US) == []
    assert printing.headlines(samples.document(), DE) == [
        "The average score is 61,3, −2,5 since 06.10.2026.",
        f"48.200{HARD}€ of MRR is at risk, in 12 accounts.",
    ]


def test_a_name_with_braces_is_no_template() -> None:
    assert Words(US).said(Line("{} fell", ((d.NAME, "{0} {x}"),))) == "{0} {x} fell"


def test_of_several_words_the_last_has_an_and_before_it_in_a_sentence_and_not_in_a_cell() -> None:
    words, three = Words(US), ("tickets", "days", "nps")
    assert words.said(Line("by {}", ((d.WORD, three),))) == "by Tickets, Days since contact and NPS"
    assert words.said(Line("by {}", ((d.WORD, three[:2]),))) == "by Tickets and Days since contact"
    assert words.said(Line("by {}", ((d.WORD, three[:1]),))) == "by Tickets"
    assert words.said(Line("by {}", ((d.WORD, ()),))) == "by –"
    assert words.said(Line("{}", ((d.TEXT, ("held down", "quiet")),))) == "held down, quiet"
    assert words.worded(d.WORD, three) == "Tickets, Days since contact, NPS"


def test_a_word_of_ours_is_a_phrase() -> None:
    assert [phrase(word) for word in ("on_track", "csm_name", "enterprise", "")] == [
        "On track", "CSM name", "Enterprise", "",
    ]  # fmt: skip


@given(st.text())
def test_clean_text_is_one_line_that_xml_can_hold(text: str) -> None:
    shown = clean(text)
    assert shown == clean(shown)
    assert "\n" not in shown
    assert all(each >= " " and not 0xD800 <= ord(each) < 0xE000 for each in shown)


@given(st.sampled_from(KINDS), st.decimals(-(10**15), 10**15, places=4))
def test_any_number_can_be_worded_in_any_locale(kind: str, value: Decimal) -> None:
    for look in (US, DE, JA, IN, CH, Look(name="x", locale="ar", currency="SAR")):
        assert printing.worded(kind, value, look)
