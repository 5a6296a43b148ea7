"""Drives schemathesis against a local cloud of its own: `python -m tests.contract.openapi.drive`.

What follows the command's name goes to `schemathesis run`. The limits are lifted: it is in a hurry.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from local.dynamodb import ROOT
from tests.e2e.conftest import Cloud, ended_at_last

HERE = Path(__file__).parent
LIMITS = ("READS", "WRITES", "RECORDS", "EVENTS", "BATCHES", "IMPORTS")
EXAMPLES = 200


def main(options: list[str]) -> int:
    """Return schemathesis' exit status."""
    environ = {f"VITALS_LIMIT_{name}": "10000000" for name in LIMITS}
    with tempfile.TemporaryDirectory() as folder:
        cloud = Cloud(Path(folder) / "data", environ=environ)
        with ended_at_last(cloud):
            cloud.start()
            return subprocess.run(
                [
                    str(ROOT / ".venv-contract/bin/schemathesis"),
                    f"--config-file={HERE / 'schemathesis.toml'}",
                    "run",
                    f"{cloud.url}/v1/openapi.json",
                    f"--header=Authorization: Bearer {cloud.key}",
                    "--checks=all",
                    f"--max-examples={EXAMPLES}",
                    *options,
                ],
                check=False,
            ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
