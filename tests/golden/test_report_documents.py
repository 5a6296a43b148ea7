"""The ten reports on an invented small portfolio are, to the letter, those that were read through.

Are they meant to change, `report_documents` says how they are written anew: read the difference.
"""

import json

import pytest
from tests.golden.report_documents import FOLDER, document_of, golden

from vitals.domain.reports.catalogue import REPORTS

NAMES = [report.name for report in REPORTS]


@pytest.mark.parametrize("name", NAMES)
def test_a_report_is_the_golden_one(name: str) -> None:
    written = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    made = golden(document_of(name))
    assert made.splitlines() == written.splitlines()
    assert json.loads(written)["report"] == name


def test_there_is_a_golden_file_of_every_report_and_no_other() -> None:
    assert sorted(path.stem for path in FOLDER.iterdir()) == sorted(NAMES)
