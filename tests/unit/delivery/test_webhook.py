import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from vitals.delivery.webhook import new_secret, signature_headers

NEW, OLD = new_secret(bytes(range(32))), new_secret(bytes(range(24)))
SECRET_BYTES = st.binary(min_size=24, max_size=64)


@given(secrets=st.lists(SECRET_BYTES, min_size=1, max_size=3), said=st.text())
def test_an_independent_verifier_accepts_every_secret_that_signs(
    secrets: list[bytes], said: str
) -> None:
    body = json.dumps({"said": said}, ensure_ascii=False).encode()
    written = [new_secret(each) for each in secrets]
    headers = signature_headers("msg_1", datetime.now(UTC), body, written)
    for secret in written:
        assert Webhook(secret).verify(body, headers) == {"said": said}


def test_another_secret_or_another_body_is_not_accepted() -> None:
    headers = signature_headers("msg_1", datetime.now(UTC), b"{}", [NEW])
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(b"{}", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(b"[]", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(b"{}", {**headers, "webhook-id": "msg_2"})


def test_an_old_signature_is_not_accepted() -> None:
    headers = signature_headers("msg_1", datetime.now(UTC) - timedelta(minutes=6), b"{}", [NEW])
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(NEW).verify(b"{}", headers)


def test_while_a_secret_rotates_the_newest_signs_first() -> None:
    at = datetime(2026, 12, 1, 9, tzinfo=UTC)
    both, new, old = (
        signature_headers("msg_1", at, b"{}", secrets)["webhook-signature"]
        for secrets in ([NEW, OLD], [NEW], [OLD])
    )
    assert both == f"{new} {old}"


def test_the_headers_are_those_of_the_specification() -> None:
    at = datetime(2026, 12, 1, 9, 0, 0, 999_000, tzinfo=UTC)
    headers = signature_headers("msg_1", at, b"{}", [NEW])
    assert headers.pop("webhook-signature").startswith("v1,")
    assert headers == {"webhook-id": "msg_1", "webhook-timestamp": "1796115600"}


def test_a_secret_is_its_bytes_in_base64() -> None:
    raw = bytes(range(32))
    assert new_secret(raw) == "whsec_" + base64.b64encode(raw).decode()


@pytest.mark.parametrize("length", [0, 23, 65])
def test_a_secret_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="24 to 64"):
        new_secret(bytes(length))


@pytest.mark.parametrize("secret", ["", "AAAA", "whsec_***"])
def test_what_is_no_secret_does_not_sign(secret: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - base64 words the last one
        signature_headers("msg_1", datetime(2026, 12, 1, tzinfo=UTC), b"{}", [secret])
