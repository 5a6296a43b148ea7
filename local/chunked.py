"""Chunked bodies: HTTP's own, and what S3's clients wrap around an object to end it in trailers."""

import string
from io import BufferedIOBase

_MAX_LINE = 16 * 1024


class ChunkedError(ValueError):
    """What was read is no chunked body, or holds more than may be."""


def read_chunked(stream: BufferedIOBase, most: int) -> tuple[bytes, dict[str, str]]:
    """Return the content of a chunked body of *stream*, and its trailers by name in lower case.

    Raises ChunkedError if it is none, or has more than *most* bytes.
    """
    content, trailers = bytearray(), dict[str, str]()
    while size := _size(stream):
        if len(content) + size > most:
            raise ChunkedError(f"more than {most} bytes")
        chunk = stream.read(size)
        if len(chunk) < size or stream.readline(_MAX_LINE).strip():
            raise ChunkedError("a chunk of another size than it says")
        content += chunk
    while line := stream.readline(_MAX_LINE).strip():
        name, _, value = line.decode("latin-1").partition(":")
        trailers[name.strip().lower()] = value.strip()
    return bytes(content), trailers


def _size(stream: BufferedIOBase) -> int:
    digits = stream.readline(_MAX_LINE).partition(b";")[0].strip().decode("latin-1")
    if not digits or set(digits) - set(string.hexdigits):
        raise ChunkedError("no size of a chunk")
    return int(digits, 16)
