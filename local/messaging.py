"""Everything that invokes functions without a request, begun and ended in order."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from local.clock import LocalClock
from local.consumer import StreamConsumer
from local.folder import DataFolder
from local.follower import Follower
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
    *,
    queues: Queues,
    data: Path | None,
) -> Iterator[Scheduler]:
    """Play the template's pipes, queues, event sources and schedules for a with block's length.

    What they invoke is stopped at its end; what was under way then is handed in again next time.
    *data* is the file of the embedded engine, if it is that.
    """
    followers: list[Follower] = [RunningPipe(pipe, aws, queues, data) for pipe in template.pipes]
    followers += [
        StreamConsumer(
            source, functions[source.function], aws, queues, folder.dead_letters, data=data
        )
        for source in template.stream_sources
    ]
    receivers = [
        Receiver(source, functions[source.function], queues, folder.dead_letters)
        for source in template.event_sources
    ]
    scheduler = Scheduler(template.schedules, functions, clock, lambda: settle(queues, followers))
    invoked = {source.function for source in template.event_sources}
    invoked |= {source.function for source in template.stream_sources}
    invoked |= {schedule.function for schedule in template.schedules}
    try:
        for receiver in receivers:
            receiver.start()
        for follower in followers:
            follower.start()
        scheduler.start()
        yield scheduler
    finally:
        scheduler.stop()
        queues.stop()
        for follower in followers:
            follower.stop()
        for function in invoked:
            functions[function].stop()
        scheduler.join()
        for receiver in receivers:
            receiver.join()
        for follower in followers:
            follower.join()


def settle(queues: Queues, followers: Sequence[Follower]) -> int:
    """Wait until all that was written has had its consequences; return how many messages ever.

    Over any chain: from a stream by a function to a queue, to its function, to the table again.
    """
    while True:
        messages, events = queues.drain(), _handled(followers)
        for follower in followers:
            follower.catch_up()
        # What was handled meanwhile may have written more: then it takes another look.
        if queues.drain() == messages and _handled(followers) == events:
            return messages


def _handled(followers: Sequence[Follower]) -> int:
    return sum(follower.handled for follower in followers)
