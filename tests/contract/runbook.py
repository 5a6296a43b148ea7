"""docs/operations.md as the contract tests look at it: its sections, its queries, its commands."""

import re
import shutil
import subprocess

from local.dynamodb import ROOT

RUNBOOK = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
# Each writes down how it is called. Nothing else can be called, for there is no PATH.
_STANDING_IN = """\
set -eu
PATH=
written() { printf '%s\\037' "$@" >&3; printf '\\036' >&3; }
aws() { written aws "$@"; echo answer; }
for name in curl git make sam sleep; do eval "$name() { written $name \\"\\$@\\"; }"; done
date() { echo 1; }
"""


def blocks(language: str) -> list[str]:
    """Return every fenced block of one language."""
    return re.findall(rf"```{language}\n(.*?)```", RUNBOOK, re.DOTALL)


def anchors(under: str = "") -> list[str]:
    """Return the anchors of all headings, or of those inside the section called *under*."""
    text = RUNBOOK
    if under:
        _, _, rest = RUNBOOK.partition(f"\n## {under}\n")
        text, _, _ = rest.partition("\n## ")
    found = re.findall(r"^##+ (.+)$", text, re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in found]


def commands() -> list[list[str]]:
    """Return what the runbook's shell commands call, each with its arguments; nothing is done."""
    inline = re.findall(r"`((?:call|make|aws) [^`]+)`", RUNBOOK)
    bash = shutil.which("bash")
    assert bash is not None
    script = "\n".join([_STANDING_IN, *blocks("sh"), *inline])
    run = subprocess.run(
        [bash, "-c", 'exec 3>&1 >/dev/null; eval "$1"', "bash", script],
        capture_output=True,
        check=False,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return [call.split("\037")[:-1] for call in run.stdout.split("\036")[:-1]]
