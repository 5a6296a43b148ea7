"""The reference says what the code does."""

import copy
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from local.dynamodb import ROOT
from tests.contract.stack import DOCUMENT

from action_table import ACTIONS
from vitals.domain.access import ALL_SCOPES
from vitals.domain.listing import SORTS
from vitals.domain.model import STATUSES
from vitals.domain.model_document import DEFAULT_MODEL
from vitals.domain.patch import merge_patch
from vitals.domain.reports.catalogue import REPORTS
from vitals.runtime.problems import STATUS
from vitals.runtime.settings import Settings
from vitals.usecases.config import ConfigInput
from vitals.usecases.inputs import read
from vitals.usecases.model_input import ModelDocument
from vitals.usecases.model_rules import checked

REFERENCE = (ROOT / "docs" / "actions.md").read_text()
GUIDE = (ROOT / "docs" / "configuration.md").read_text()
TABLE = "| action | methods | scopes | parameters |"
VARIABLES = "| variable | from | holds |"


def _rows(header: str, text: str = REFERENCE) -> Iterator[list[str]]:
    """Yield the cells of each row of the table that begins with *header*."""
    _, _, rest = text.partition(f"\n{header}\n")
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


def test_every_setting_stands_in_the_guide_and_no_other() -> None:
    guide = GUIDE.partition("\n## A deployment\n")[0]
    rows = [line.split("|")[1] for line in guide.splitlines() if line.startswith("| `")]
    settings = {_words(row)[0] for row in rows if "type" not in row}
    assert settings == {*ModelDocument.model_fields, "weights", "limits"}
    assert set(ConfigInput.model_fields) >= settings
    assert all(f"`{name}`" in GUIDE for name in ConfigInput.model_fields.keys() - {"strict"})


def test_every_variable_of_a_deployment_stands_in_the_guide_and_where_it_comes_from() -> None:
    variables = DOCUMENT["Globals"]["Function"]["Environment"]["Variables"]
    sources = {name: _named(value) for name, value in variables.items()}
    rows = {_words(name)[0]: _words(source) for name, source, _ in _rows(VARIABLES, GUIDE)}

    assert {name: rows[name] for name in sources if name in rows} == sources
    # Beside the template's, what the local cloud alone sets.
    assert set(rows) == set(sources) | {str(s.alias) for s in Settings.model_fields.values()}


def _named(value: Mapping[str, Any]) -> list[str]:
    """Return the parameters and resources that a value of the template is made of."""
    match value:
        case {"Ref": name} | {"Fn::GetAtt": [name, _]}:
            return [name]
    return re.findall(r"\$\{(\w+)\}", value["Fn::Sub"])


def test_the_guides_examples_are_taken() -> None:
    """Each is merged into the default model with the profiles that its rules name."""
    examples = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL)]
    profiles = {"trial": {"logins": 100}, "key_accounts": {"nps": 100}}
    for example in examples:
        parsed, warnings, _ = read(ConfigInput, example["data"])
        patch = {n: getattr(parsed, n) for n in parsed.model_fields_set - {"weights", "note"}}
        document = merge_patch({**copy.deepcopy(dict(DEFAULT_MODEL)), "profiles": profiles}, patch)
        for name, weight in (parsed.weights or {}).items():
            document["signals"][name] = {**document["signals"][name], "weight": weight}
        assert checked(document)
        assert warnings == []
    assert len(examples) == 3


def test_every_report_stands_in_its_page_with_what_it_is_for() -> None:
    page = (ROOT / "docs" / "reports.md").read_text()
    rows = _rows("| report | is called | what it shows | looks back, in days |", page)
    assert [
        (_words(name)[0], title, purpose, int(days)) for name, title, purpose, days in rows
    ] == [(each.name, each.title, each.purpose, each.days) for each in REPORTS]
