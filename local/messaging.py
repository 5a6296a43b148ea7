"""Everything that invokes functions without a request, begun and ended in order."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence

from local.clock import LocalClock
from local.folder import DataFolder
from local.functions import RunningFunction
from local.pipe import RunningPipe
from local.queues import Queues
from local.receiver import Receiver
from local.scheduler import Scheduler
from local.template import Template


@contextlib.contextmanager
def running(
    template: Template,
    functions: Mapping[str, RunningFunction],
    folder: DataFolder,
    clock: LocalClock,
    aws: Mapping[str, str],
) -> Iterator[Scheduler]:
    """Play the template's pipes, queues, event sources and schedules for a with block's length.

    What they invoke is stopped at its end; what was under way then is handed in again next time.
    """
    with contextlib.closing(Queues(folder.queues)) as queues:
        pipes = [RunningPipe(pipe, aws, queues) for pipe in template.pipes]
        receivers = [
            Receiver(source, functions[source.function], queues, folder.dead_letters)
            for source in template.event_sources
        ]
        scheduler = Scheduler(template.schedules, functions, clock, lambda: settle(queues, pipes))
        try:
            for receiver in receivers:
                receiver.start()
            for pipe in pipes:
                pipe.start()
            scheduler.start()
            yield scheduler
        finally:
            scheduler.stop()
            queues.stop()
            for pipe in pipes:
                pipe.stop()
            for source in template.event_sources:
                functions[source.function].stop()
            for schedule in template.schedules:
                functions[schedule.function].stop()
            scheduler.join()
            for receiver in receivers:
                receiver.join()
            for pipe in pipes:
                pipe.join()


def settle(queues: Queues, pipes: Sequence[RunningPipe]) -> int:
    """Wait until all that was written has had its consequences; return how many messages ever."""
    while True:
        before = queues.drain()
        for pipe in pipes:
            pipe.catch_up()
        # What was handled meanwhile may have written more: then it takes another look.
        if queues.drain() == before:
            return before
