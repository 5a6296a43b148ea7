"""The reference says what the code does."""

import re
from collections.abc import Iterator

from local.dynamodb import ROOT

from action_table import ACTIONS
from vitals.domain.access import ALL_SCOPES
from vitals.domain.listing import SORTS
from vitals.domain.model import STATUSES
from vitals.runtime.problems import STATUS

REFERENCE = (ROOT / "docs" / "actions.md").read_text()
TABLE = "| action | methods | scopes | parameters |"


def _rows(header: str) -> Iterator[list[str]]:
    """Yield the cells of each row of the table that begins with *header*."""
    _, _, rest = REFERENCE.partition(f"\n{header}\n")
    for line in rest.splitlines()[1:]:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split("|")]


def _words(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_every_action_stands_in_the_reference_with_what_it_takes() -> None:
    documented = {
        _words(action)[0]: (
            methods.split(", "),
            tuple(_words(scopes)),
            set(_words(parameters)),
        )
        for action, methods, scopes, parameters in _rows(TABLE)
    }
    assert documented == {
        name: (list(action.methods), action.scopes, set(action.takes.model_fields))
        for name, action in ACTIONS.items()
    }


def test_every_error_stands_in_the_reference_with_its_status() -> None:
    documented = {
        (int(status), _words(code)[0]) for status, code, _ in _rows("| status | code | when |")
    }
    assert documented == {(status, error.code) for error, status in STATUS.items()}


def test_the_words_that_the_reference_lists_are_those_of_the_code() -> None:
    for words in (STATUSES, SORTS, ALL_SCOPES):
        assert all(f"`{word}`" in REFERENCE for word in words)
