"""The services that functions call beside DynamoDB, served for as long as functions run."""

import contextlib
from collections.abc import Iterator

from local.clock import LocalClock
from local.folder import DataFolder
from local.kms import Kms
from local.queues import Queues
from local.s3 import S3
from local.service_server import ServiceServer
from local.ses import Ses
from local.sqs import Sqs
from local.template import Template

_VARIABLES = tuple(f"AWS_ENDPOINT_URL_{name}" for name in ("SQS", "KMS", "SESV2", "S3"))


@contextlib.contextmanager
def playing(
    template: Template, queues: Queues, folder: DataFolder, clock: LocalClock
) -> Iterator[str]:
    """Play SQS, KMS, SES and S3 for the length of a with block, at the URL that it yields."""
    services = (
        Sqs(queues, (source.queue for source in template.event_sources)).service(),
        Kms(folder.keys, template.keys).service(),
        Ses(folder.mail, clock.now).service(),
        # Its calls are named by nothing but their address: whatever the others do not take.
        S3(folder.files, template.buckets),
    )
    with ServiceServer(services) as server:
        server.start()
        try:
            yield server.url
        finally:
            server.stop()


def variables(url: str) -> dict[str, str]:
    """Return the variables by which functions find the services at *url*."""
    return dict.fromkeys(_VARIABLES, url)
