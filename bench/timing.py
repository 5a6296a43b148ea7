"""CPU time of two things that do the same work, run in turn, so that all noise hits both."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Work = Callable[[], object]


@dataclass(frozen=True)
class Comparison:
    """Seconds of CPU of what was measured and of its floor, run by run.

    The least of each counts: whatever else a machine does can only add to it.
    """

    ours: Sequence[float]
    floor: Sequence[float]

    @property
    def ratio(self) -> float:
        """Return how many times its floor the measured takes."""
        return min(self.ours) / min(self.floor)

    def per(self, count: int) -> tuple[float, float]:
        """Return the seconds of both, divided by *count*."""
        return min(self.ours) / count, min(self.floor) / count


def cpu(work: Work) -> float:
    """Return the seconds of CPU that *work* takes of this process."""
    started = time.process_time()
    work()
    return time.process_time() - started


def compared(ours: Work, floor: Work, runs: int, repeats: int = 1) -> Comparison:
    """Return *runs* runs of each in turn, each *repeats* times in a row; the first is not kept."""

    def run(work: Work) -> float:
        started = time.process_time()
        for _ in range(repeats):
            work()
        return (time.process_time() - started) / repeats

    pairs = [(run(ours), run(floor)) for _ in range(runs + 1)][1:]
    return Comparison([a for a, _ in pairs], [b for _, b in pairs])
