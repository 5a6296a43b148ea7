"""One invocation of one function with an event from a file, as `sam local invoke` does."""

import contextlib
import json
import os
from pathlib import Path

from local import dynamodb, services
from local.clock import LocalClock
from local.console import LocalCloudError, complain, say
from local.dynamodb import Endpoint
from local.folder import DataFolder
from local.functions import EventTooLargeError, FunctionError, RunningFunction
from local.queues import Queues
from local.supervisor import Settings, database
from local.template import read


def invoke(settings: Settings, name: str, event_path: Path) -> bool:
    """Print what function *name* answers to the event; return whether it succeeded.

    It works on the data of the local cloud that runs, or else on the same data by itself.
    """
    folder = DataFolder(settings.folder)
    running = folder.running()
    url = (running or {}).get("url") or f"http://127.0.0.1:{settings.port}"
    template = read(settings.template, settings.environ, url)
    function = template.function(name)
    event = _event(event_path)
    with contextlib.ExitStack() as stack:
        if running is None:
            stack.enter_context(folder.held())
            folder.announce(pid=os.getpid(), url=None, dynamodb=None)
            endpoint = stack.enter_context(database(folder, settings.environ))
        elif running["dynamodb"] is None:
            raise LocalCloudError(f"Another invocation works on {folder.path}; try again after it.")
        else:
            endpoint = Endpoint(running["dynamodb"])
        clock = LocalClock(folder.clock)
        if running is None:  # what it sends waits in its queue for the next start
            queues = stack.enter_context(
                contextlib.closing(Queues(folder.queues, lambda: clock.now().timestamp()))
            )
            played = stack.enter_context(services.playing(template, queues, folder, clock))
        else:
            played = running["services"]
        aws = dynamodb.credentials(endpoint, settings.environ)
        for table in template.tables:
            dynamodb.ensure(table, aws)
        called = RunningFunction(function, aws | clock.variables | services.variables(played))
        stack.callback(called.stop)
        return _print(called, _keyed(event, folder))


def _event(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LocalCloudError(f"Cannot read {path}: {error.strerror}.") from error
    except ValueError as error:
        raise LocalCloudError(f"{path} is not JSON: {error}.") from error


def _keyed(event: object, folder: DataFolder) -> object:
    """Return *event* with the key of this data where it says {{api_key}}, as ours do."""
    with contextlib.suppress(FileNotFoundError):
        key = folder.key.read_text().strip()
        return json.loads(json.dumps(event).replace("{{api_key}}", key))
    return event


def _print(function: RunningFunction, event: object) -> bool:
    try:
        say(function.invoke(event))
    except FunctionError as error:
        complain(str(error))
        say(json.dumps(error.error))
        return False
    except EventTooLargeError as error:
        raise LocalCloudError("The event exceeds the 6 MB that Lambda takes.") from error
    return True
