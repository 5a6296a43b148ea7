"""DynamoDB's answers, recorded from the embedded engine and given again from memory.

They bear the headers that DynamoDB sends, which a client has to read as well.
The engine's own speed and its data's state then weigh on no measurement. As a program,
`python -m bench.dynamodb_stub RECORDING.json`, it prints its port and replays for ever.
"""

import contextlib
import http.client
import json
import subprocess
import sys
import tempfile
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Exchange:
    """One call of DynamoDB: the operation, what was asked, and what was answered."""

    operation: str
    request: str
    status: int
    response: str


Answer = Callable[[str, str, Mapping[str, str]], Exchange]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    answer: Answer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        operation = self.headers["x-amz-target"].partition(".")[2]
        exchange = type(self).answer(operation, body, dict(self.headers))
        payload = exchange.response.encode()
        head = (
            f"HTTP/1.1 {exchange.status} OK",
            "Server: Server",
            "Date: Mon, 02 Mar 2026 12:00:00 GMT",
            "Content-Type: application/x-amz-json-1.0",
            f"Content-Length: {len(payload)}",
            "Connection: keep-alive",
            f"x-amzn-RequestId: {'V' * 52}",
            f"x-amz-crc32: {zlib.crc32(payload)}",
        )
        self.wfile.write("\r\n".join([*head, "", ""]).encode() + payload)

    def log_message(self, *_args: object) -> None:
        """Say nothing of each request."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True


def _server(answer: Answer) -> _Server:
    return _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"answer": staticmethod(answer)}))


@contextlib.contextmanager
def recording(endpoint: str) -> Iterator[tuple[str, list[Exchange]]]:
    """Stand before *endpoint* for the length of a with block; yield the URL and what passes."""
    exchanges: list[Exchange] = []
    host = urlsplit(endpoint).netloc

    def forward(operation: str, request: str, headers: Mapping[str, str]) -> Exchange:
        with contextlib.closing(http.client.HTTPConnection(host, timeout=10)) as connection:
            connection.request("POST", "/", request, dict(headers))
            response = connection.getresponse()
            exchange = Exchange(operation, request, response.status, response.read().decode())
        exchanges.append(exchange)
        return exchange

    with _server(forward) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", exchanges
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def replaying(exchanges: list[Exchange]) -> Iterator[str]:
    """Give *exchanges* again from a process of its own; yield its URL."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "recording.json"
        path.write_text(json.dumps([asdict(exchange) for exchange in exchanges]), "utf-8")
        command = [sys.executable, "-m", "bench.dynamodb_stub", str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                if process.stdout is None:
                    raise RuntimeError("the stub has no output")
                yield f"http://127.0.0.1:{int(process.stdout.readline())}"
            finally:
                process.terminate()


def replay(path: Path) -> Answer:
    """Return what answers as the recording at *path* says.

    A request with a time in it (the counter of this minute) is never asked twice in the same words:
    it gets what its operation was answered, if that was asked once.
    """
    exchanges = [Exchange(**one) for one in json.loads(path.read_text(encoding="utf-8"))]
    exact = {(one.operation, one.request): one for one in exchanges}

    def answer(operation: str, request: str, _headers: Mapping[str, str]) -> Exchange:
        if found := exact.get((operation, request)):
            return found
        [only] = [one for one in exchanges if one.operation == operation]
        return only

    return answer


if __name__ == "__main__":
    with _server(replay(Path(sys.argv[1]))) as _replaying:
        print(_replaying.server_port, flush=True)
        _replaying.serve_forever()
