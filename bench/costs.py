"""A cost: the calls that something made, and the table of many that docs/data-model.md holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.metering import Call
from bench.scenarios import SETTLED, Asked
from bench.workbench import Workbench

Costs = dict[tuple[str, str], "Cost"]


@dataclass(frozen=True)
class Cost:
    """The calls of one request, but for its counter and its log; Query is counted by page."""

    calls: Sequence[Call]

    @property
    def operations(self) -> str:
        """Return how often each operation was called."""
        counted = Counter(call.operation for call in self.calls)
        return ", ".join(f"{n} {name}" if n > 1 else name for name, n in counted.items()) or "–"

    @property
    def reads(self) -> float:
        """Return the read units."""
        return sum(call.reads for call in self.calls)

    @property
    def writes(self) -> float:
        """Return the write units."""
        return sum(call.writes for call in self.calls)


def table_of(costs: Costs, head: str = "Action") -> str:
    """Return *costs* as a table that docs/data-model.md holds."""
    rows = [
        f"| `{action}`{' ' if what else ''}{what} | {cost.operations} "
        f"| {cost.reads:g} | {cost.writes:g} |"
        for (action, what), cost in costs.items()
    ]
    titles = f"| {head} | DynamoDB calls | Read units | Write units |"
    return "\n".join([titles, "|---|---|--:|--:|", *rows])


def done(desk: Workbench, steps: Sequence[Asked]) -> Any:
    """Do *steps* one after another, and return the answer to the last request."""
    answer: Any = {}
    for step in steps:
        if step is SETTLED:
            desk.settle()
            continue
        action, data, *takes = step
        answer = desk.send(action, {**data, **taken(answer, *takes)})
    return answer


def taken(answer: Any, takes: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return what *answer* holds at the path that *takes* has for each parameter."""
    return {name: _at(answer, path) for name, path in (takes or {}).items()}


def _at(answer: Any, path: str) -> Any:
    for name in path.split("."):
        answer = answer[int(name) if isinstance(answer, list) else name]
    return answer
