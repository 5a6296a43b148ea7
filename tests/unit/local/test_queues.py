"""FIFO queues: their order, what they hold back, and what is left of them after a kill."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from local.queues import Message, Place, Queues

PLACE = Place("JobsPipe", "arn:stream/1", "shard-1")


@pytest.fixture
def queues(tmp_path: Path) -> Iterator[Queues]:
    with contextlib.closing(Queues(tmp_path / "queues.db")) as made:
        yield made


def send(queues: Queues, *messages: str, queue: str = "Jobs", upto: str = "1") -> None:
    """Send messages that are called after their group and their number, such as a1."""
    queues.send(queue, [(name[0], name, f"body of {name}") for name in messages], PLACE, upto)


def receive(queues: Queues, queue: str = "Jobs") -> Message:
    timer = threading.Timer(5, queues.stop)  # a test must not wait for ever
    timer.start()
    message = queues.receive(queue)
    timer.cancel()
    assert message is not None
    return message


def drained(queues: Queues) -> list[str]:
    """Receive and delete whatever can be had without waiting."""
    timer = threading.Timer(0.2, queues.stop)
    timer.start()
    found = []
    while (message := queues.receive("Jobs")) is not None:
        found.append(message.deduplication)
        queues.delete(message)
    timer.join()
    return found


def test_messages_come_in_the_order_in_which_they_were_sent(queues: Queues) -> None:
    send(queues, "a1", "b1", "a2")
    send(queues, "b2")
    assert drained(queues) == ["a1", "b1", "a2", "b2"]


def test_a_group_waits_for_its_own_message_and_for_no_other(queues: Queues) -> None:
    send(queues, "a1", "a2", "b1", "b2")
    assert receive(queues).deduplication == "a1"
    assert drained(queues) == ["b1", "b2"]


def test_the_next_of_a_group_follows_when_the_first_is_done(queues: Queues) -> None:
    send(queues, "a1", "a2")
    queues.delete(receive(queues))
    assert receive(queues).deduplication == "a2"


def test_a_failed_message_comes_again_before_the_others_of_its_group(queues: Queues) -> None:
    send(queues, "a1", "a2")
    first = receive(queues)
    queues.retry(first, 0.01)
    again = receive(queues)
    assert (again.id, again.body, again.failures) == (first.id, "body of a1", 1)


def test_a_group_that_pauses_holds_no_other_up(queues: Queues) -> None:
    send(queues, "a1", "a2", "b1")
    queues.retry(receive(queues), 60)
    assert drained(queues) == ["b1"]


def test_who_waits_is_woken_by_what_is_sent(queues: Queues) -> None:
    timer = threading.Timer(0.05, send, (queues, "a1"))
    timer.start()
    assert receive(queues).deduplication == "a1"
    timer.join()


def test_a_queue_has_its_own_messages_alone(queues: Queues) -> None:
    send(queues, "a1", queue="Others")
    send(queues, "a2")
    assert receive(queues).deduplication == "a2"
    assert receive(queues, "Others").deduplication == "a1"


def test_nothing_is_handed_out_after_the_stop(queues: Queues) -> None:
    send(queues, "a1")
    queues.stop()
    assert queues.receive("Jobs") is None


def test_who_drains_waits_for_what_is_in_flight_and_learns_how_much_there_was(
    queues: Queues,
) -> None:
    assert queues.drain() == 0
    send(queues, "a1", "a2")
    first, seen = receive(queues), list[int]()
    drain = threading.Thread(target=lambda: seen.append(queues.drain()), daemon=True)
    drain.start()
    queues.delete(first)
    second = receive(queues)
    drain.join(0.05)
    assert seen == []
    queues.delete(second)
    drain.join(5)
    assert seen == [2]


def test_who_drains_does_not_outlast_the_stop(queues: Queues) -> None:
    send(queues, "a1")
    timer = threading.Timer(0.05, queues.stop)
    timer.start()
    assert queues.drain() == 1
    timer.join()


def test_what_was_sent_and_not_done_outlives_the_process(tmp_path: Path) -> None:
    with contextlib.closing(Queues(tmp_path / "queues.db")) as before:
        send(before, "a1", "a2", "b1", upto="8")
        before.retry(receive(before), 60)  # failed once: a1
        before.delete(receive(before))  # done: b1
    with contextlib.closing(Queues(tmp_path / "queues.db")) as after:
        first = receive(after)
        assert (first.deduplication, first.failures) == ("a1", 1)
        after.delete(first)
        assert drained(after) == ["a2"]
        assert after.place(PLACE) == "8"


def accept(queues: Queues, *messages: str, queue: str = "Jobs") -> list[tuple[str, int]]:
    """Send messages as a function does, called after their group and their number."""
    return queues.accept(queue, [(name[0], name, f"body of {name}") for name in messages])


def test_what_functions_send_comes_in_order_with_what_pipes_send(queues: Queues) -> None:
    send(queues, "a1")
    accept(queues, "a2", "b1")
    assert drained(queues) == ["a1", "a2", "b1"]
    assert queues.drain() == 3


def test_a_deduplication_id_is_accepted_once_in_five_minutes(tmp_path: Path) -> None:
    now = [1000.0]
    with contextlib.closing(Queues(tmp_path / "queues.db", lambda: now[0])) as queues:
        [first] = accept(queues, "a1")
        now[0] += 299
        assert accept(queues, "a1", "b1", "b1")[0] == first
        assert accept(queues, "a1", queue="Others") != [first]
        now[0] += 1
        assert accept(queues, "a1") != [first]
        assert drained(queues) == ["a1", "b1", "a1"]


def test_a_duplicate_is_known_after_a_restart_and_after_its_message_is_done(
    tmp_path: Path,
) -> None:
    with contextlib.closing(Queues(tmp_path / "queues.db")) as before:
        first = accept(before, "a1")
        before.delete(receive(before))
    with contextlib.closing(Queues(tmp_path / "queues.db")) as after:
        assert accept(after, "a1") == first
        assert drained(after) == []


def test_a_place_is_kept_without_a_message(queues: Queues) -> None:
    queues.keep(PLACE, "7")
    assert queues.place(PLACE) == "7"


def test_a_place_moves_with_the_messages_or_not_at_all(queues: Queues) -> None:
    send(queues, "a1", upto="1")
    with pytest.raises(sqlite3.IntegrityError):
        queues.send("Jobs", [("a", "a2", "x")], PLACE, None)  # type: ignore[arg-type] # a fault between the two
    assert queues.place(PLACE) == "1"
    assert drained(queues) == ["a1"]


def test_a_place_belongs_to_a_pipe_a_stream_and_a_shard(queues: Queues) -> None:
    send(queues, upto="5")
    assert queues.place(PLACE) == "5"
    for other in (
        Place("Other", PLACE.stream, PLACE.shard),
        Place(PLACE.pipe, "arn:stream/2", PLACE.shard),
        Place(PLACE.pipe, PLACE.stream, "shard-2"),
    ):
        assert queues.place(other) is None
