"""Functions at work: each in processes of its own, one event at a time in each, as in Lambda."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import deque
from collections.abc import Mapping
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any

from local.intrinsics import ACCOUNT_ID
from local.template import Function

MAX_WORKERS = 4  # Lambda starts as many as it needs; one machine has to share
MAX_QUEUE_WORKERS = 20  # of a queue whose concurrency the template allows: they wait for others
MAX_PAYLOAD = 6 * 1024 * 1024  # of an event and of an answer: Lambda's quota, synchronous
_INIT_SECONDS = 30  # Lambda gives 10, then starts again within the function's own time
_WORKER = Path(__file__).with_name("worker.py")


class FunctionError(Exception):
    """A function failed; *error* is what Lambda answers: errorType, errorMessage, stackTrace."""

    def __init__(self, kind: str, message: str, **rest: Any) -> None:
        super().__init__(f"{kind}: {message}")
        self.error = {"errorType": kind, "errorMessage": message, **rest}


class EventTooLargeError(Exception):
    """An event exceeds what Lambda takes; the function never saw it."""


class RunningFunction:
    """One function, with as many warm workers as were ever needed at once, up to *workers*."""

    def __init__(
        self,
        function: Function,
        aws: Mapping[str, str],
        log: Path | None = None,
        workers: int = MAX_WORKERS,
    ) -> None:
        self.name = function.name
        self.log = log
        self._function = function
        self._environment = _environment(function, aws)
        self._slots = threading.BoundedSemaphore(workers)
        self._lock = threading.Lock()
        self._idle: deque[_Worker] = deque()
        self._all: set[_Worker] = set()
        self.stopped = False

    def invoke(self, event: object) -> str:
        """Return the function's answer to *event* as JSON text; raise FunctionError if it fails."""
        payload = json.dumps(event, ensure_ascii=False)
        if _size(payload) > MAX_PAYLOAD:
            raise EventTooLargeError
        with self._slots:
            worker = self._take()
            try:
                answer = worker.invoke(payload)
            finally:
                self._put_back(worker)
        if _size(answer) > MAX_PAYLOAD:
            raise FunctionError(
                "Function.ResponseSizeTooLarge",
                f"The answer exceeds the maximum allowed payload size ({MAX_PAYLOAD} bytes)",
            )
        return answer

    def stop(self) -> None:
        """End every worker; an invocation under way fails."""
        with self._lock:
            self.stopped = True
            workers, self._all = self._all, set()
        for worker in workers:
            worker.kill()

    def _take(self) -> "_Worker":
        with self._lock:
            if self.stopped:
                raise FunctionError("Runtime.ExitError", "The local cloud is stopping")
            while self._idle:
                worker = self._idle.pop()
                if worker.is_alive():
                    return worker
                self._all.discard(worker)
            worker = _Worker(self._function, self._environment, self.log)
            self._all.add(worker)
            return worker

    def _put_back(self, worker: "_Worker") -> None:
        with self._lock:
            if worker.is_reusable:
                self._idle.append(worker)
                return
            is_ours = worker in self._all  # if not, stop() is ending it
            self._all.discard(worker)
        if is_ours:
            worker.kill()


class _Worker:
    """One process of a function, and our end of the pipe to it."""

    def __init__(
        self, function: Function, environment: Mapping[str, str], log: Path | None
    ) -> None:
        self.is_reusable = False
        self._timeout = function.timeout
        self._arn = (
            f"arn:aws:lambda:{environment['AWS_REGION']}:{ACCOUNT_ID}:function:{function.name}"
        )
        self._pipe: Connection[Any, Any]
        self._pipe, theirs = Pipe()
        with theirs, contextlib.ExitStack() as stack:
            output = stack.enter_context(log.open("ab")) if log else sys.stderr
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(_WORKER), str(theirs.fileno()), function.handler],
                cwd=function.code,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for the supervisor, which stops this in order
            )

    def invoke(self, event: str) -> str:
        """Return the handler's answer to *event*, both as JSON text."""
        self.is_reusable = False
        kind, text = self._receive(_INIT_SECONDS)
        if kind == "ready":
            deadline = int((time.time() + self._timeout) * 1000)
            self._send((event, str(uuid.uuid4()), self._arn, deadline))
            kind, text = self._receive(self._timeout)
            self.is_reusable = True
        if kind == "error":
            error = json.loads(text)
            raise FunctionError(error.pop("errorType"), error.pop("errorMessage"), **error)
        return text

    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End the process and whatever it started."""
        if self.is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.kill()
        self._process.wait()

    def _send(self, message: tuple[str, str, str, int]) -> None:
        try:
            self._pipe.send(message)
        except OSError as error:
            raise self._gone() from error

    def _receive(self, seconds: float) -> tuple[str, str]:
        try:
            if not self._pipe.poll(seconds):
                raise FunctionError(
                    "Sandbox.Timedout", f"Task timed out after {seconds:.2f} seconds"
                )
            kind, text = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise self._gone() from error
        return str(kind), str(text)

    def _gone(self) -> FunctionError:
        try:
            code = self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:  # it closed the pipe, but lives
            self.kill()
            code = self._process.wait()
        how = f"signal: {signal.strsignal(-code)}" if code < 0 else f"exit status {code}"
        return FunctionError("Runtime.ExitError", f"Runtime exited with error: {how}")


def _size(text: str) -> int:
    return len(text.encode(errors="replace"))


def _environment(function: Function, aws: Mapping[str, str]) -> dict[str, str]:
    """Return the whole environment of a function: what Lambda sets, and what the template adds."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "TZ": ":UTC",
        "PYTHONPATH": os.pathsep.join(str(path) for path in (function.code, *function.layers)),
        "LAMBDA_TASK_ROOT": str(function.code),
        "_HANDLER": function.handler,
        "VITALS_LOCAL": "1",  # here, and nowhere in AWS, a receiver may be http and loopback
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        **aws,
        **function.environment,
    }
