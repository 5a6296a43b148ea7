"""S3 as functions call it: objects put and got, also by links that expire, in a folder of files."""

import base64
import hashlib
import io
import json
import re
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from pathlib import Path
from urllib.parse import parse_qsl, unquote
from xml.sax.saxutils import escape

from local.chunked import ChunkedError, read_chunked
from local.folder import write_private
from local.service_server import Answer, Call

_MAX_KEY = 1024  # bytes
# No part begins with a dot: so none leads out of the folder, and none is what we keep beside one.
_PART = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}"
_KEY = re.compile(rf"{_PART}(?:/{_PART})*")
_KEPT = ("content-type", "content-disposition", "cache-control")
_OVERRIDES = {f"response-{name}": name for name in _KEPT}
_TYPE = "binary/octet-stream"  # of an object whose type nobody said
_ALGORITHM = "AWS4-HMAC-SHA256"
_LINK = {"x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires"}
_LINK |= {"x-amz-signedheaders", "x-amz-signature"}
_OLD_LINK = {"awsaccesskeyid", "expires", "signature"}
_PLAYED = _LINK | _OLD_LINK | set(_OVERRIDES) | {"x-amz-security-token", "x-id"}
_MAX_LIFE = timedelta(days=7)
_SHA256 = re.compile(r"[0-9a-f]{64}")


class _RefusedError(Exception):
    """A call is refused as S3 refuses it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class S3:
    """The template's buckets: an object is a file, under the names of its bucket and its key.

    A link is good until it expires by the real clock, which is what botocore signs with. Whether
    its signature is right is not asked, and nothing is deleted with time.
    """

    def __init__(self, folder: Path, buckets: Iterable[str]) -> None:
        self._folder = folder
        self._buckets = frozenset(buckets)

    def takes(self, call: Call) -> bool:
        """Return whether *call* may be S3's: it names no operation of a service of JSON."""
        return "x-amz-target" not in call.headers

    def answer(self, call: Call) -> Answer:
        """Return an object, or that it was put, or how that was refused."""
        path, _, query = call.target.partition("?")
        try:
            return self._answer(call, path, _parameters(query))
        except _RefusedError as error:
            said = f"<Code>{error.code}</Code><Message>{escape(str(error))}</Message>"
            body = f"<Error>{said}<Resource>{escape(path)}</Resource></Error>"
            return Answer(
                error.status,
                {"Content-Type": "application/xml"},
                f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'.encode(),
            )

    def _answer(self, call: Call, path: str, parameters: Mapping[str, str]) -> Answer:
        bucket, _, key = unquote(path).removeprefix("/").partition("/")
        if bucket not in self._buckets:
            raise _RefusedError(404, "NoSuchBucket", "The specified bucket does not exist")
        unknown = sorted(set(parameters) - _PLAYED)
        if call.method not in {"GET", "PUT"} or not key or unknown:
            what = " ".join([call.method, "of an object" if key else "of a bucket", *unknown])
            raise _RefusedError(501, "NotImplemented", f"The local cloud does not play {what}.")
        if not (_KEY.fullmatch(key) and len(key) <= _MAX_KEY):
            raise _RefusedError(400, "InvalidURI", "The local cloud cannot name a file like this.")
        if not call.is_signed:
            _admit_by_link(call, parameters)
        file = self._folder / bucket / key
        return _put(file, call) if call.method == "PUT" else _get(file, parameters)


def _parameters(query: str) -> dict[str, str]:
    return {name.lower(): value for name, value in parse_qsl(query, keep_blank_values=True)}


def _admit_by_link(call: Call, parameters: Mapping[str, str]) -> None:
    """Let a call without an Authorization header through if its link says so."""
    if _OLD_LINK & set(parameters):
        # S3 itself says so in every region that is younger than 2014.
        raise _RefusedError(400, "InvalidRequest", f"Please use {_ALGORITHM} to sign the link.")
    if call.method != "GET" or "x-amz-signature" not in parameters:
        raise _RefusedError(403, "AccessDenied", "Access Denied")
    try:
        begun = datetime.strptime(parameters["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        life = timedelta(seconds=int(parameters["x-amz-expires"]))
    except (KeyError, ValueError, OverflowError):
        life = timedelta(0)
    is_whole = set(parameters) >= _LINK and parameters["x-amz-algorithm"] == _ALGORITHM
    if not (is_whole and timedelta(0) < life <= _MAX_LIFE):
        why = "The link is not whole, or is for no time between a second and a week."
        raise _RefusedError(400, "AuthorizationQueryParametersError", why)
    if datetime.now(UTC) >= begun + life:
        raise _RefusedError(403, "AccessDenied", "Request has expired")


def _put(file: Path, call: Call) -> Answer:
    content = _content(call)
    kept = {name: call.headers[name] for name in _KEPT if name in call.headers}
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(_beside(file), json.dumps(kept))
        write_private(file, content)
    except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        why = "In the local cloud no key can be what another's begins with."
        raise _RefusedError(400, "InvalidRequest", why) from error
    return Answer(200, {"ETag": _etag(content)})


def _content(call: Call) -> bytes:
    """Return the object that *call* puts, which is what its checksums are of."""
    content, claims = call.body, {name.lower(): value for name, value in call.headers.items()}
    if "aws-chunked" in claims.get("content-encoding", ""):
        try:
            content, trailers = read_chunked(io.BytesIO(content), len(content))
        except ChunkedError as error:
            why = f"The body is not chunked: {error}."
            raise _RefusedError(400, "IncompleteBody", why) from error
        claims |= trailers
        if claims.get("x-amz-decoded-content-length", str(len(content))) != str(len(content)):
            raise _RefusedError(400, "IncompleteBody", "The body is of another length.")
    digest = claims.get("x-amz-content-sha256", "")
    if _SHA256.fullmatch(digest) and digest != hashlib.sha256(content).hexdigest():
        why = "The body is another than was signed."
        raise _RefusedError(400, "XAmzContentSHA256Mismatch", why)
    crc32 = base64.b64encode(zlib.crc32(content).to_bytes(4)).decode()
    if claims.get("x-amz-checksum-crc32", crc32) != crc32:
        raise _RefusedError(400, "BadDigest", "The CRC32 you specified did not match.")
    return content


def _get(file: Path, parameters: Mapping[str, str]) -> Answer:
    try:
        content, changed = file.read_bytes(), file.stat().st_mtime
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        why = "The specified key does not exist."
        raise _RefusedError(404, "NoSuchKey", why) from error
    headers = {"content-type": _TYPE}
    with suppress(FileNotFoundError):
        headers |= json.loads(_beside(file).read_text(encoding="utf-8"))
    for parameter in sorted(set(parameters) & set(_OVERRIDES)):
        headers[_OVERRIDES[parameter]] = _as_header(parameters[parameter])
    headers |= {"etag": _etag(content), "last-modified": formatdate(changed, usegmt=True)}
    return Answer(200, {name.title(): value for name, value in headers.items()}, content)


def _as_header(value: str) -> str:
    if not all(" " <= each <= "~" or "\xa0" <= each <= "\xff" for each in value):
        why = "Header value cannot be represented using ISO-8859-1."
        raise _RefusedError(400, "InvalidArgument", why)
    return value


def _beside(file: Path) -> Path:
    """Return where the headers of an object are kept."""
    return file.with_name(f".{file.name}.json")


def _etag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
