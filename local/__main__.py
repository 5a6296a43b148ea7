"""Command line: `python -m local run`, `… invoke FUNCTION EVENT.json` and `… tick TIME`."""

import argparse
import os
import signal
import sys
from datetime import datetime
from pathlib import Path
from types import FrameType

from local.console import LocalCloudError, complain, say
from local.control import instant, tick
from local.dynamodb import ROOT
from local.folder import DataFolder
from local.invoke import invoke
from local.supervisor import Settings, run

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(arguments: list[str]) -> int:
    """Run the command line *arguments*; return the exit status."""
    options = _parser().parse_args(arguments)
    for number in _SIGNALS:
        signal.signal(number, _interrupt)
    try:
        settings = Settings(
            options.template, options.folder, _port(options.port), os.environ, _clock(options)
        )
        if options.command == "invoke":
            return 0 if invoke(settings, options.function, options.event) else 1
        if options.command == "tick":
            tick(DataFolder(settings.folder), options.time, options.pause)
            return 0
        run(settings)
    except LocalCloudError as error:
        complain(str(error))
        return 1
    except KeyboardInterrupt:
        if options.command != "run":
            return 130  # what a shell reports of a command that Ctrl-C ended
        say("Stopped.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--template", type=Path, default=ROOT / "template.yaml", help="default: template.yaml"
    )
    shared.add_argument(
        "--folder",
        type=Path,
        default=Path(os.environ.get("VITALS_LOCAL_DIR") or _shown(ROOT / ".local")),
        help="where data, key and logs are; default: $VITALS_LOCAL_DIR or .local",
    )
    shared.add_argument(
        "--port",
        default=os.environ.get("PORT") or "3000",
        help="where the API is served, 0 for any free port; default: $PORT or 3000",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    served = commands.add_parser("run", parents=[shared], help="run the local cloud until Ctrl-C")
    served.add_argument(
        "--clock",
        metavar="TIME",
        help="what the clock says first, for a folder without data; default: the real time",
    )
    once = commands.add_parser("invoke", parents=[shared], help="invoke one function once")
    once.add_argument("function", help="its logical id, or the name of its folder")
    once.add_argument("event", type=Path, help="a file with the event, as JSON")
    forward = commands.add_parser("tick", parents=[shared], help="move the clock forward")
    forward.add_argument("time", help="to when, such as 2026-12-24T09:00:00Z")
    forward.add_argument(
        "--pause",
        action="store_true",
        help="as if nothing had run until then: of what fell due, the latest of each schedule runs",
    )
    return parser


def _shown(path: Path) -> Path:
    """Return *path* as the person would write it: from where they are, if it lies below."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _clock(options: argparse.Namespace) -> datetime | None:
    text = getattr(options, "clock", None)
    return None if text is None else instant(text, "CLOCK")


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65535):  # noqa: PLR2004 - TCP's last
        raise LocalCloudError(f"PORT={text} is not a port number.")
    return int(text)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Turn the first signal into KeyboardInterrupt; a second must not cut the clean-up short."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
