"""S3 as the local cloud plays it, called by botocore's own client and by a link in a browser."""

import contextlib
import http.client
import io
import zlib
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import botocore.auth
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from local import services
from local.clock import LocalClock
from local.folder import DataFolder
from local.queues import Queues
from local.template import Template

BUCKET = "local-reportsbucket"
KEY = "01KJQ8ZJ9W0000000000000000/01KJQ8ZJ9W3B0C6V4S7T2R5XYZ.pdf"
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 40
TEMPLATE = Template(functions={}, routes=(), tables=(), buckets=(BUCKET,))


class Bucket:
    """S3 on a folder of its own, and clients of it."""

    def __init__(self, path: Path) -> None:
        self.folder = DataFolder(path)
        self.folder.database.parent.mkdir(parents=True)
        self.clock = LocalClock(self.folder.clock)
        self.url = ""

    @property
    def file(self) -> Path:
        return self.folder.files / BUCKET / KEY

    def client(self, signature: str = "s3v4") -> Any:
        return botocore.session.get_session().create_client(
            "s3",
            region_name="eu-west-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
            config=Config(signature_version=signature, retries={"max_attempts": 0}),
        )

    def put(self, key: str = KEY, **options: Any) -> Any:
        given = {"Bucket": BUCKET, "Key": key, "Body": PDF}
        return self.client().put_object(**given | options)

    def link(self, seconds: int = 300, signature: str = "s3v4", **options: str) -> str:
        given = {"Bucket": BUCKET, "Key": KEY} | options
        link = self.client(signature).generate_presigned_url("get_object", given, seconds)
        return str(link)

    def opened(self, link: str) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Open a link as a browser does, which has no credentials."""
        return self.send("GET", link.removeprefix(self.url))

    def send(
        self, method: str, target: str, body: bytes = b"", **headers: str
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Send one request as it is given, signed by nobody."""
        address = self.url.removeprefix("http://")
        with contextlib.closing(http.client.HTTPConnection(address, timeout=5)) as connection:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, target, body, sent)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    made = Bucket(tmp_path / "folder")
    with (
        contextlib.closing(Queues(made.folder.queues)) as queues,
        services.playing(TEMPLATE, queues, made.folder, made.clock) as made.url,
    ):
        for name, value in services.variables(made.url).items():
            monkeypatch.setenv(name, value)
        yield made


def refused(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as raised:
        call(**request)
    error = raised.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


def test_what_was_put_is_got_with_its_type_and_name(bucket: Bucket) -> None:
    named = 'attachment; filename="portfolio.pdf"'
    put = bucket.put(ContentType="application/pdf", ContentDisposition=named)
    got = bucket.client().get_object(Bucket=BUCKET, Key=KEY)
    assert got["Body"].read() == PDF
    assert (got["ContentType"], got["ContentDisposition"]) == ("application/pdf", named)
    assert (got["ContentLength"], got["ETag"]) == (len(PDF), put["ETag"])
    assert abs(got["LastModified"] - datetime.now(UTC)) < timedelta(seconds=10)


def test_an_object_is_a_file_that_its_owner_alone_reads_and_a_second_replaces_it(
    bucket: Bucket,
) -> None:
    bucket.put(Body=io.BytesIO(b"first"))
    assert bucket.file.read_bytes() == b"first"
    assert bucket.file.stat().st_mode & 0o077 == 0
    bucket.put(ContentType="text/csv")
    assert bucket.file.read_bytes() == PDF
    assert bucket.client().get_object(Bucket=BUCKET, Key=KEY)["ContentType"] == "text/csv"


def test_a_link_needs_no_credentials_and_says_how_the_file_is_called(bucket: Bucket) -> None:
    bucket.put(ContentType="application/pdf", ContentDisposition="inline")
    status, headers, body = bucket.opened(bucket.link())
    assert (status, body) == (200, PDF)
    assert (headers["Content-Type"], headers["Content-Disposition"]) == (
        "application/pdf", "inline",
    )  # fmt: skip
    named = 'attachment; filename="Q1 überblick.pdf"'
    _, headers, _ = bucket.opened(bucket.link(ResponseContentDisposition=named))
    assert headers["Content-Disposition"] == named
    _, headers, _ = bucket.opened(bucket.link(ResponseContentType="text/plain"))
    assert headers["Content-Type"] == "text/plain"


def test_a_link_expires_by_the_clock_that_signed_it(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put()
    bucket.clock.keep(now=bucket.clock.now() + timedelta(days=100))
    link = bucket.link(seconds=60)
    assert bucket.opened(link)[0] == 200, (
        "botocore signs with the real clock, however far ours is moved"
    )
    past = datetime.now(UTC) - timedelta(seconds=61)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: past)
    status, headers, body = bucket.opened(bucket.link(seconds=60))
    assert (status, headers["Content-Type"]) == (403, "application/xml")
    assert b"<Code>AccessDenied</Code><Message>Request has expired</Message>" in body
    assert bucket.opened(bucket.link(seconds=70))[0] == 200


def test_a_link_that_is_not_whole_or_lives_too_long_opens_nothing(bucket: Bucket) -> None:
    bucket.put()
    link = bucket.link()
    for broken in (
        link.replace("X-Amz-Expires=300", "X-Amz-Expires=604801"),
        link.replace("X-Amz-Expires=300", "X-Amz-Expires=0"),
        link.replace("X-Amz-Expires=300", "X-Amz-Expires=soon"),
        link.replace("&X-Amz-Credential=", "&Other="),
        link.replace("X-Amz-Date=2", "X-Amz-Date=x"),
        link.replace("AWS4-HMAC-SHA256", "none"),
    ):
        assert broken != link
        assert bucket.opened(broken)[0] in (400, 501)
    assert b"Please use AWS4-HMAC-SHA256" in bucket.opened(bucket.link(signature="s3"))[2]


def test_what_nobody_signed_is_neither_put_nor_got(bucket: Bucket) -> None:
    target = f"/{BUCKET}/{KEY}"
    assert bucket.send("PUT", target, PDF)[0] == 403
    assert not bucket.folder.files.exists()
    bucket.put()
    status, _, body = bucket.send("GET", target)
    assert (status, b"<Code>AccessDenied</Code>" in body, PDF in body) == (403, True, False)
    put_by_link = urlsplit(bucket.link())
    assert bucket.send("PUT", f"{target}?{put_by_link.query}", b"other")[0] == 403
    assert bucket.file.read_bytes() == PDF


@pytest.mark.parametrize(
    "key",
    [
        "../api-key",
        "a/../../api-key",
        "%2e%2e/api-key",
        "..%2fapi-key",
        "/etc/passwd",
        "a//b",
        "a/",
        ".hidden",
        f"a/.{KEY}.json",
        "a\\..\\b",
        "a%00b",
        "x" * 300,
        "a/" * 600 + "b",
    ],
)
def test_no_key_leads_out_of_the_folder(bucket: Bucket, key: str) -> None:
    (bucket.folder.path / "api-key").write_text("vt_live_secret")
    (bucket.folder.files / BUCKET).mkdir(parents=True)
    for method in ("GET", "PUT"):
        status, _, body = bucket.send(
            method, f"/{BUCKET}/{key}", b"x", authorization="AWS4 …".encode().decode("latin-1")
        )
        assert status in (400, 404, 501), body
        assert b"vt_live" not in body
    assert (bucket.folder.path / "api-key").read_text() == "vt_live_secret"
    assert list((bucket.folder.files / BUCKET).iterdir()) == []


def test_what_is_not_there_is_said_as_s3_does(bucket: Bucket) -> None:
    s3 = bucket.client()
    gone = "NoSuchKey: The specified key does not exist."
    assert refused(s3.get_object, Bucket=BUCKET, Key=KEY) == gone
    bucket.put()
    assert refused(s3.get_object, Bucket=BUCKET, Key=KEY.partition("/")[0]) == gone
    assert refused(s3.get_object, Bucket=BUCKET, Key=f"{KEY}/more") == gone
    assert refused(s3.get_object, Bucket="another", Key=KEY).startswith("NoSuchBucket: ")
    status, _, body = bucket.opened(bucket.link(Key="a<b"))
    assert (status, b"a%3Cb" in body) == (400, True)


def test_no_key_can_be_the_folder_of_anothers(bucket: Bucket) -> None:
    bucket.put(key="a/b")
    assert refused(bucket.put, key="a").startswith("InvalidRequest: ")
    assert refused(bucket.put, key="a/b/c").startswith("InvalidRequest: ")


def test_another_call_is_said_not_to_be_played(bucket: Bucket) -> None:
    s3 = bucket.client()
    said = refused(s3.list_objects_v2, Bucket=BUCKET)
    assert (
        said
        == "NotImplemented: The local cloud does not play GET of a bucket encoding-type list-type."
    )
    said = refused(s3.delete_object, Bucket=BUCKET, Key=KEY)
    assert said == "NotImplemented: The local cloud does not play DELETE of an object."


def test_a_body_that_its_checksums_do_not_agree_with_is_refused(bucket: Bucket) -> None:
    target, signed = f"/{BUCKET}/{KEY}", {"authorization": "AWS4-HMAC-SHA256"}
    wrong = bucket.send("PUT", target, PDF, **signed, x_amz_checksum_crc32="AAAAAA==")
    assert (wrong[0], b"BadDigest" in wrong[2]) == (400, True)
    wrong = bucket.send("PUT", target, PDF, **signed, x_amz_content_sha256="0" * 64)
    assert (wrong[0], b"XAmzContentSHA256Mismatch" in wrong[2]) == (400, True)
    assert not bucket.file.exists()
    assert bucket.send("PUT", target, PDF, **signed, x_amz_checksum_crc32=crc32(PDF))[0] == 200


def crc32(content: bytes) -> str:
    return b64encode(zlib.crc32(content).to_bytes(4, "big")).decode()


@pytest.mark.parametrize("transfer", ["whole", "chunked"])
def test_an_object_in_signed_chunks_with_a_checksum_behind_them_is_unwrapped(
    bucket: Bucket, transfer: str
) -> None:
    target = f"/{BUCKET}/{KEY}"
    headers = {
        "authorization": "AWS4-HMAC-SHA256",
        "content_encoding": "aws-chunked",
        "x_amz_content_sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x_amz_decoded_content_length": str(len(PDF)),
        "x_amz_trailer": "x-amz-checksum-crc32",
    }

    def wrapped(checksum: str) -> bytes:
        first, rest = PDF[:1000], PDF[1000:]
        chunks = b"".join(
            b"%x;chunk-signature=0\r\n%s\r\n" % (len(each), each) for each in (first, rest)
        )
        return chunks + f"0\r\nx-amz-checksum-crc32:{checksum}\r\n\r\n".encode()

    def sent(body: bytes) -> int:
        if transfer == "whole":
            return bucket.send("PUT", target, body, **headers)[0]
        chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        return bucket.send("PUT", target, chunked, **headers, transfer_encoding="chunked")[0]

    assert sent(wrapped(crc32(b"other"))) == 400
    assert sent(wrapped(crc32(PDF))[:-40]) == 400
    assert not bucket.file.exists()
    assert sent(wrapped(crc32(PDF))) == 200
    assert bucket.file.read_bytes() == PDF


def test_a_header_cannot_be_smuggled_into_the_answer(bucket: Bucket) -> None:
    bucket.put()
    for name in ("a\r\nSet-Cookie: b", "…"):
        status, headers, body = bucket.opened(bucket.link(ResponseContentDisposition=name))
        assert (status, headers["Set-Cookie"], b"InvalidArgument" in body) == (400, None, True)
