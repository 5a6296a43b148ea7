"""The fonts that come with the function: which characters they have, and what stands for others."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from printing.fonts import MISSING, characters, families, folders, labelled, printable
from printing.pdf import _fonts


@pytest.mark.parametrize(
    "text",
    [
        "Ärger & Œuvre łódź",
        "Ελληνικά",
        "Русский ґ",
        "株式会社テスト",
        "中文繁體",
        "한국어",
        "▲▼−–€¥₹·•",
    ],
)
def test_the_scripts_of_customers_are_there(text: str) -> None:
    assert printable(text) == (text, False)


def test_what_no_font_has_is_a_box_and_what_has_no_width_goes() -> None:
    assert printable("a🚀b") == (f"a{MISSING}b", True)
    assert printable("👩\u200d🚀") == (MISSING * 2, True)
    assert MISSING in characters()


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("Škoda & Č", ("", "Škoda &amp; Č")),
        ("Škoda 汽车 Č", ("JP", "□koda 汽车 □")),
        ("Acme Č 🚀", ("", "Acme Č □")),
        ("Cafe\u0301", ("", "Café")),
        ("0\u0346", ("", "0□")),
        ("ﾊﾞﾝｸ", ("JP", "バンク")),
        ("\u1100\u1161 \u1100\u1160", ("JP", "가 □□")),
        ("a\u00ad\ufeffb", ("", "ab")),
    ],
)
def test_a_label_is_set_in_one_font(label: str, shown: tuple[str, str]) -> None:
    font, text = shown
    family = f' font-family="Noto Sans CJK {font}"' if font else ""
    picture = f'<svg><title>{escape(label)}</title><text x="1">{escape(label)}</text></svg>'
    expected = f'<svg><title>{escape(label)}</title><text x="1"{family}>{text}</text></svg>'
    assert labelled(picture, "en") == expected


@given(st.text())
def test_what_is_printed_is_only_what_the_fonts_have(text: str) -> None:
    shown, lacking = printable(text)
    assert set(shown) <= characters() | {"\n"}
    assert lacking or MISSING not in shown or MISSING in text


def test_han_is_written_as_in_the_locale() -> None:
    assert families("ja-JP")[-1] == "Noto Sans CJK JP"
    assert families("zh-Hans-CN")[-1] == "Noto Sans CJK SC"
    assert families("zh-TW")[-1] == "Noto Sans CJK TC"
    assert families("ko")[-1] == "Noto Sans CJK KR"
    assert families("de")[-1] == "Noto Sans CJK JP"


def test_the_fonts_lie_in_what_is_installed_and_are_free() -> None:
    for folder in folders():
        assert any(path.suffix in (".ttf", ".ttc") for path in folder.iterdir())
        package = folder if folder.name.startswith("noto") else folder.parent
        licences = [*package.glob("LICENSE"), *package.parent.glob(f"{package.name}*/**/LICENSE")]
        assert "SIL Open Font License" in licences[0].read_text(encoding="utf-8", errors="replace")


def test_no_font_of_the_machine_is_asked() -> None:
    assert all(re.fullmatch("Inter|Noto Sans (Mono )?CJK ..", name) for name in _fonts().families())


def test_typst_is_not_imported_for_html_nor_jinja_for_words() -> None:
    root = Path(__file__).parents[3]
    code = (
        "import sys, printing; from vitals.domain.reports.look import Look\n"
        "printing.worded('money', 1, Look(name='x'))\n"
        "assert not {'typst', 'jinja2'} & set(sys.modules)\n"
        "import printing.html; assert 'typst' not in sys.modules\n"
    )
    subprocess.run(
        [sys.executable, "-c", code],
        check=True, cwd=root, timeout=60,
        env={"PYTHONPATH": f"{root}/functions/reports:{root}/layers/vitals/python"},
    )  # fmt: skip
