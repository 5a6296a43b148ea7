"""Command line: `python -m local.demo fill` and `python -m local.demo reports`."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from local.console import LocalCloudError, complain, say
from local.demo.fill import fill
from local.demo.names import MOST
from local.demo.portfolio import YEAR
from local.demo.reports import REPORTS, make_reports
from local.folder import DataFolder

_PLACE = Path(".local")


def main(arguments: list[str]) -> int:
    """Run the command line *arguments*; return the exit status."""
    options = _parser().parse_args(arguments)
    folder = DataFolder(options.folder)
    try:
        if options.command == "reports":
            make_reports(folder, options.into, tuple(options.reports) or REPORTS)
        else:
            fill(folder, options.companies, options.days)
            say(f"Open it with      make run FOLDER={folder.path}")
            say("Its reports by    make reports")
    except LocalCloudError as error:
        complain(str(error))
        return 1
    except KeyboardInterrupt:
        return 130  # what a shell reports of a command that Ctrl-C ended
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--folder", type=Path, default=_PLACE / "demo", help="its data; default: %(default)s"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    filled = commands.add_parser("fill", parents=[shared], help="make the folder, and fill it")
    filled.add_argument(
        "--companies", type=_count(MOST), default=200, help=f"1 to {MOST}; default: %(default)s"
    )
    filled.add_argument(
        "--days", type=_count(YEAR), default=YEAR, help="of history, 1 to %(default)s, the default"
    )
    made = commands.add_parser("reports", parents=[shared], help="write all reports as files")
    made.add_argument(
        # [] is what argparse takes for none, and checks.
        "reports",
        nargs="*",
        choices=[[], *REPORTS],
        metavar="report",
        help="which; default: all",
    )
    made.add_argument(
        "--into", type=Path, default=_PLACE / "reports", help="where; default: %(default)s"
    )
    return parser


def _count(most: int) -> Callable[[str], int]:
    """Return a reader of whole numbers from 1 to *most*."""

    def number(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {most}")
        return int(text)

    return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
