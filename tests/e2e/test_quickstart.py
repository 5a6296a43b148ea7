"""README's first five minutes, as a newcomer types them."""

import json
import os
import re
import subprocess
from itertools import pairwise
from typing import Any

from local.dynamodb import ROOT
from tests.e2e.conftest import Cloud

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def _examples() -> list[tuple[str, Any]]:
    """Return each curl command of README with the answer that stands under it."""
    blocks = _BLOCK.findall((ROOT / "README.md").read_text())
    return [
        (command, json.loads(answer))
        for (kind, command), (shown, answer) in pairwise(blocks)
        if kind == "sh" and shown == "json" and command.startswith("curl")
    ]


def _within(shown: Any, real: Any) -> bool:
    """Tell whether everything that *shown* says is so in *real*; lists are whole."""
    if isinstance(shown, dict):
        return all(key in real and _within(value, real[key]) for key, value in shown.items())
    if isinstance(shown, list):
        return len(shown) == len(real) and all(map(_within, shown, real))
    return bool(shown == real)


def _run(command: str, cloud: Cloud) -> Any:
    url = f"{cloud.url}/functions/v1/api-inbound"
    variables = {**os.environ, "VITALS_URL": url, "VITALS_KEY": cloud.key}
    done = subprocess.run(
        ["bash", "-c", command], env=variables, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_every_example_of_the_readme_answers_what_stands_under_it(cloud: Cloud) -> None:
    examples = _examples()
    assert len(examples) == 4
    for command, shown in examples:
        real = _run(command, cloud)
        assert _within(shown, real), (command, real)


def test_a_restart_finds_the_customer_as_it_was(cloud: Cloud) -> None:
    command, shown = _examples()[-1]
    cloud.restart()
    real = _run(command, cloud)
    assert _within(shown, real), real
    assert real["data"]["version"] == 2
