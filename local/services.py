"""The services that functions call beside DynamoDB, served for as long as functions run."""

import contextlib
from collections.abc import Iterator

from local.clock import LocalClock
from local.folder import DataFolder
from local.kms import Kms
from local.queues import Queues
from local.service_server import ServiceServer
from local.ses import Ses
from local.sqs import Sqs
from local.template import Template

_VARIABLES = ("AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_KMS", "AWS_ENDPOINT_URL_SESV2")


@contextlib.contextmanager
def playing(
    template: Template, queues: Queues, folder: DataFolder, clock: LocalClock
) -> Iterator[str]:
    """Play SQS, KMS and SES for the length of a with block, at the URL that it yields."""
    services = (
        Sqs(queues, (source.queue for source in template.event_sources)).service(),
        Kms(folder.keys, template.keys).service(),
        Ses(folder.mail, clock.now).service(),
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
