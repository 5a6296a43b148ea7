"""Every line of the bench, side by side: `python -m bench`, or `python -m bench warm lists`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping

from bench import (
    cold_start,
    decay,
    delivery,
    events,
    lists,
    reports,
    rescore,
    rules,
    scoring,
    warm,
)
from bench.report import Line, table_of

Details = Mapping[str, Mapping[str, float]]
"""Seconds by part, under a title each."""


def _cold_start() -> tuple[list[Line], Details]:
    lines, imports = cold_start.line()
    return lines, {"Imports of a cold start, without what they import": imports}


def _warm() -> tuple[list[Line], Details]:
    lines, breakdowns = warm.line()
    return lines, {f"CPU of a warm `{name}`": parts for name, parts in breakdowns.items()}


def _rest() -> tuple[list[Line], Details]:
    lines, breakdowns = warm.line(warm.REST)
    parts: dict[str, Mapping[str, float]] = {
        f"CPU of a warm `{name}`": spent for name, spent in breakdowns.items()
    }
    for read in (cold_start.REST, cold_start.CHECKED):
        more, imports = cold_start.line(read)
        lines += more
        parts[f"Imports of a cold start of `{read.title}`"] = imports
    return lines, parts


def _rescore() -> tuple[list[Line], Details]:
    lines, parts = rescore.line()
    return lines, {"CPU of the rescore job, per customer": parts}


LINES: Mapping[str, Callable[[], tuple[list[Line], Details]]] = {
    "warm": _warm,
    "lists": lambda: (lists.line(), {}),
    "scoring": lambda: (scoring.line(), {}),
    "rescore": _rescore,
    "decay": lambda: (decay.line(), {}),
    "reports": lambda: (reports.line(), {}),
    "rules": lambda: (rules.line(), {}),
    "delivery": lambda: (delivery.line(), {}),
    "cold_start": _cold_start,
    "rest": _rest,
    "events": lambda: (events.line(), {}),
}


def main() -> None:
    """Measure the lines that were named, or all, and print their table and their parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lines", nargs="*", choices=[[], *LINES], metavar=f"{{{','.join(LINES)}}}")
    named = parser.parse_args().lines or list(LINES)
    found: list[Line] = []
    details: dict[str, Mapping[str, float]] = {}
    for name in named:
        print(f"Measuring {name} …", file=sys.stderr)
        lines, parts = LINES[name]()
        found += lines
        details |= parts
    print(table_of(sorted(found, key=lambda line: int(line.what.partition(".")[0]))))
    for title, seconds in details.items():
        print(f"\n{title}")
        for part, value in sorted(seconds.items(), key=lambda pair: -pair[1]):
            print(f"  {part:45} {value * 1e6:10,.0f} µs")


if __name__ == "__main__":
    main()
