"""Starts everything in order, watches it, and ends it in order."""

import contextlib
import json
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from local import dynamodb, messaging, services
from local.clock import LocalClock, shown
from local.console import LocalCloudError, complain, say
from local.control import Control
from local.dynamodb import Endpoint
from local.folder import DataFolder, write_private
from local.functions import FunctionError, RunningFunction
from local.gateway import Gateway
from local.queues import Queues
from local.receiver import workers
from local.routes import Router
from local.template import Template, read

_ENDPOINT_VARIABLE = "AWS_ENDPOINT_URL_DYNAMODB"
_EXAMPLE = '{"action":"upsert_account","data":{"name":"Example Ltd","logins":22,"adoption":75}}'


@dataclass(frozen=True)
class Settings:
    """What the person who starts the local cloud may choose."""

    template: Path
    folder: Path
    port: int
    environ: Mapping[str, str]
    clock: datetime | None = None  # what the clock of a new folder says first


def run(settings: Settings) -> None:
    """Run the local cloud until it is interrupted; raise LocalCloudError if it cannot go on."""
    folder = DataFolder(settings.folder)
    with contextlib.ExitStack() as stack:
        stack.enter_context(folder.held())
        if settings.clock is not None and folder.has_data:
            raise LocalCloudError(
                f"{settings.folder} has data, whose time has come: `make tick` moves it on."
            )
        gateway = stack.enter_context(Gateway(settings.port))
        template = read(settings.template, settings.environ, gateway.url)
        endpoint = stack.enter_context(database(folder, settings.environ))
        aws = dynamodb.credentials(endpoint, settings.environ)
        created = [table for table in template.tables if dynamodb.ensure(table, aws)]
        schedules = tuple(schedule.name for schedule in template.schedules)
        clock = LocalClock(folder.clock, schedules, settings.clock)
        queues = stack.enter_context(
            contextlib.closing(Queues(folder.queues, lambda: clock.now().timestamp()))
        )
        played = stack.enter_context(services.playing(template, queues, folder, clock))
        variables = aws | clock.variables | services.variables(played)
        functions = {
            name: RunningFunction(function, variables, folder.log(name), workers(template, name))
            for name, function in template.functions.items()
        }
        for function in functions.values():
            stack.callback(function.stop)
        if created or not folder.key.exists():
            _bootstrap(template, functions, folder)
        data = folder.database if endpoint.process is not None else None
        scheduler = stack.enter_context(
            messaging.running(template, functions, folder, clock, aws, queues=queues, data=data)
        )
        control = stack.enter_context(Control(scheduler.tick))
        control.start()
        stack.callback(control.shutdown)
        gateway.connect(Router(template.routes), functions)
        threading.Thread(
            target=gateway.serve_forever, args=(0.1,), name="gateway", daemon=True
        ).start()
        stack.callback(gateway.shutdown)
        folder.announce(
            pid=os.getpid(),
            url=gateway.url,
            dynamodb=endpoint.url,
            services=played,
            control=control.port,
            control_key=control.key,
        )
        _greet(gateway.url, folder, clock)
        _watch(endpoint, folder)


@contextlib.contextmanager
def database(folder: DataFolder, environ: Mapping[str, str]) -> Iterator[Endpoint]:
    """Have a DynamoDB for the length of a with block: the one named in *environ*, or our own."""
    if url := environ.get(_ENDPOINT_VARIABLE):
        yield Endpoint(url)
        return
    with dynamodb.embedded(folder.log("dynamodb"), folder.database) as endpoint:
        yield endpoint


def _bootstrap(
    template: Template, functions: Mapping[str, RunningFunction], folder: DataFolder
) -> None:
    """Have the admin function make the first tenant and an all-scopes key, and keep the key."""
    try:
        admin = functions[template.function("admin").name]
    except LocalCloudError:
        return  # a template without one
    event = {"command": "bootstrap", "tenant_name": "Local", "key_name": "local"}
    try:
        answer = json.loads(admin.invoke(event))
        if answer.get("error", {}).get("code") == "tenant_exists":
            # The data has a tenant whose key is lost: only a hash of it is stored.
            complain(
                f"{folder.key} was gone: the new key is for a new tenant, without the old data."
            )
            answer = json.loads(admin.invoke(event | {"force": True}))
    except FunctionError as error:
        raise LocalCloudError(f"No first key: {error} (log: {admin.log})") from error
    if "api_key" not in answer:
        raise LocalCloudError(f"No first key: {admin.name} answered {json.dumps(answer)}")
    write_private(folder.key, f"{answer['api_key']}\n")


def _greet(url: str, folder: DataFolder, clock: LocalClock) -> None:
    say(f"Vitals    {url}")
    if folder.key.exists():
        key = folder.key.read_text(encoding="utf-8").strip()
        say(f"API key   {key}  (in {folder.key})")
        say(
            f"Try       curl {url}/functions/v1/api-inbound -H 'x-api-key: {key}' "
            f"-H 'content-type: application/json' -d '{_EXAMPLE}'"
        )
    if clock.is_moved:
        say(f"Clock     {shown(clock.now())}, which make tick moves on")
    say(f"Logs      {folder.path / 'logs'}    Ctrl-C ends it.")


def _watch(endpoint: Endpoint, folder: DataFolder) -> None:
    """Wait for ever, or until our DynamoDB ends."""
    if endpoint.process is None:
        threading.Event().wait()
        return
    code = endpoint.process.wait()
    raise LocalCloudError(
        f"The embedded DynamoDB ended unexpectedly (exit status {code}); "
        f"its log is {folder.path / 'logs' / 'dynamodb.log'}."
    )
