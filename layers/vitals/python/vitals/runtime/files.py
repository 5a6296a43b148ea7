"""Files in S3: reports, for some days, under links that expire."""

from __future__ import annotations

from typing import cast

from botocore.exceptions import ClientError

from vitals.runtime.outside import client


class BucketFiles:
    """`reaction_ports.Files` over a bucket."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def put(self, key: str, content: bytes, media_type: str, filename: str) -> None:
        """Keep *content* under *key*, to be saved as *filename*: 1 call."""
        client("s3").put_object(
            Bucket=self._bucket,
            Key=key,
            Body=content,
            ContentType=media_type,
            ContentDisposition=f'inline; filename="{filename}"',
        )

    def get(self, key: str) -> bytes:
        """Return what is kept under *key*: 1 call. Raises LookupError."""
        try:
            answer = client("s3").get_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "NoSuchKey":
                raise LookupError("the file is kept no more") from error
            raise
        return cast("bytes", answer["Body"].read())

    def link(self, key: str, seconds: int) -> str:
        """Return a URL under which anybody gets it for some *seconds*: no call."""
        asked = {"Bucket": self._bucket, "Key": key}
        return cast(
            "str",
            client("s3").generate_presigned_url("get_object", Params=asked, ExpiresIn=seconds),
        )
