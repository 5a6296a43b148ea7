"""One worker process: Lambda's own Python runtime, fed through a pipe by the local cloud.

`awslambdaric` is what runs in Lambda: it finds the handler, makes the context, reports errors and
formats log lines exactly as there. Only its transport, the Runtime API, is replaced.
"""

import sys
from multiprocessing.connection import Connection

# awslambdaric carries no type hints
from awslambdaric import bootstrap  # type: ignore[import-untyped]
from awslambdaric.lambda_runtime_client import (  # type: ignore[import-untyped]
    BaseLambdaRuntimeClient,
    InvocationRequest,
)

# CloudWatch shows a carriage return as a line of the same record; a file wants real lines.
bootstrap.ERROR_LOG_LINE_TERMINATE = "\n"
bootstrap.ERROR_LOG_IDENT = " "


class PipeClient(BaseLambdaRuntimeClient):  # type: ignore[misc] # its base is untyped
    """The Runtime API, spoken over a pipe."""

    def __init__(self, pipe: "Connection[tuple[str, str], tuple[str, str, str, int]]") -> None:
        super().__init__(lambda_runtime_address=None)
        self._pipe = pipe

    def wait_next_invocation(self) -> InvocationRequest:
        """Return the next invocation; end the process when the local cloud has gone."""
        try:
            self._pipe.send(("ready", ""))
            event, request_id, arn, deadline = self._pipe.recv()
        except (EOFError, ConnectionError):
            raise SystemExit(0) from None
        return InvocationRequest(
            invoke_id=request_id,
            x_amzn_trace_id=None,
            invoked_function_arn=arn,
            deadline_time_in_ms=deadline,
            client_context=None,
            cognito_identity=None,
            tenant_id=None,
            content_type="application/json",
            event_body=event,
            invocation_id=None,
        )

    def post_invocation_result(
        self, _invoke_id: str, result: str | bytes, *_rest: str | None
    ) -> None:
        """Send the handler's answer, as JSON text."""
        text = result.decode(errors="replace") if isinstance(result, bytes) else result
        self._pipe.send(("result", text))

    def post_invocation_error(self, _invoke_id: str, error: str, *_rest: str | None) -> None:
        """Send what the handler raised, as JSON text."""
        self._pipe.send(("error", error))

    def post_init_error(self, error: dict[str, object], *_rest: str | None) -> None:
        """Send why the handler cannot be had, as JSON text; the process ends after this."""
        self._pipe.send(("error", bootstrap.to_json(error)))


if __name__ == "__main__":
    [_script, _descriptor, _handler] = sys.argv
    bootstrap.run(_handler, PipeClient(Connection(int(_descriptor))))
