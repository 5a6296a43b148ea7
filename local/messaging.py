"""Everything between a table's stream and the functions it invokes, begun and ended in order."""

import contextlib
from collections.abc import Iterator, Mapping

from local.folder import DataFolder
from local.functions import RunningFunction
from local.pipe import RunningPipe
from local.queues import Queues
from local.receiver import Receiver
from local.template import Template


@contextlib.contextmanager
def running(
    template: Template,
    functions: Mapping[str, RunningFunction],
    folder: DataFolder,
    aws: Mapping[str, str],
) -> Iterator[None]:
    """Play the template's pipes, queues and event sources for the length of a with block.

    What they invoke is stopped at its end; what was under way then is handed in again next time.
    """
    if not template.pipes and not template.event_sources:
        yield
        return
    with contextlib.closing(Queues(folder.queues)) as queues:
        pipes = [RunningPipe(pipe, aws, queues) for pipe in template.pipes]
        receivers = [
            Receiver(source, functions[source.function], queues, folder.dead_letters)
            for source in template.event_sources
        ]
        try:
            for receiver in receivers:
                receiver.start()
            for pipe in pipes:
                pipe.start()
            yield
        finally:
            queues.stop()
            for pipe in pipes:
                pipe.stop()
            for source in template.event_sources:
                functions[source.function].stop()
            for receiver in receivers:
                receiver.join()
            for pipe in pipes:
                pipe.join()
