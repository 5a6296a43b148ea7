import datetime
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.unit.delivery.receivers import Receiver, answer, answering, receiving, until_gone

from vitals.delivery import http
from vitals.delivery.http import UnreachableError, post

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

NAME = "receiver.example"


@pytest.fixture(autouse=True)
def _nobody_to_talk_to() -> None:
    """Let these tests talk to the loopback, and to nobody else (the mark above)."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a certificate for receiver.example, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = tmp_path_factory.mktemp("tls") / "receiver.pem"
    path.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture(autouse=True)
def _resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(_: str, port: int, *__: Any, **___: Any) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(http, "_tls", lambda: context)


@pytest.fixture
def receiver(certificate: Path) -> Iterator[Receiver]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with receiving(answering(answer("200 OK", b"ok")), context) as made:
        yield made


def send(host: str, port: int, seconds: float = 5.0) -> http.Response:
    return post(f"https://{host}:{port}/SECRET", b"{}", {}, allow_local=True, seconds=seconds)


@pytest.mark.usefixtures("trusted")
def test_the_certificate_is_verified_for_the_name_though_the_address_is_connected_to(
    receiver: Receiver,
) -> None:
    assert send(NAME, receiver.port).body == "ok"


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("host", ["other.example", "127.0.0.1"])
def test_a_certificate_for_another_name_is_refused(receiver: Receiver, host: str) -> None:
    with pytest.raises(UnreachableError, match="certificate is not valid"):
        send(host, receiver.port)


def test_a_certificate_that_nobody_vouches_for_is_refused(receiver: Receiver) -> None:
    with pytest.raises(UnreachableError, match="certificate is not valid: self-signed"):
        send(NAME, receiver.port)


def test_a_server_without_tls_is_unreachable() -> None:
    def behave(connected: socket.socket) -> None:
        connected.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        until_gone(connected)

    with receiving(behave) as plain, pytest.raises(UnreachableError, match="TLS connection fail"):
        send(NAME, plain.port)


def test_a_server_that_hangs_in_the_handshake_is_given_up() -> None:
    with receiving(until_gone) as silent, pytest.raises(UnreachableError, match="no answer within"):
        send(NAME, silent.port, 0.15)
