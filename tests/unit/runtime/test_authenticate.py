import base64
from datetime import timedelta

import pytest
from tests.builders import NOW, a_key

from vitals.domain.errors import (
    ConflictingCredentialsError,
    ForbiddenError,
    UnauthenticatedError,
)
from vitals.runtime.api_keys import make_key
from vitals.runtime.authenticate import admitted, presented, require_scopes

KEY, OTHER = make_key(), make_key()


def basic(user: str, password: str) -> dict[str, str]:
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"authorization": f"Basic {pair}"}


@pytest.mark.parametrize(
    "headers",
    [
        {"x-api-key": KEY},
        {"x-api-key": f" {KEY} "},
        {"authorization": f"Bearer {KEY}"},
        {"authorization": f"bearer   {KEY} "},
        {"authorization": f"BEARER {KEY}"},
        basic(KEY, ""),
        basic("", KEY),
        basic(KEY, "x"),
        basic("api", KEY),
        basic("zapier", f" {KEY}"),
        basic(KEY, KEY),
        basic("user:with", f"colon:{KEY}") | {"x-api-key": KEY, "authorization": f"Bearer {KEY}"},
        {"x-api-key": KEY} | basic("", KEY),
        {"x-api-key": KEY, "authorization": ""},
        {"x-api-key": "", "authorization": f"Bearer {KEY}"},
        {"x-api-key": KEY, "authorization": "Negotiate abc"},
    ],
)
def test_the_key_is_found_in_any_carrier(headers: dict[str, str]) -> None:
    assert presented(headers) == KEY


@pytest.mark.parametrize(
    "headers",
    [
        {"x-api-key": KEY, "authorization": f"Bearer {OTHER}"},
        {"x-api-key": KEY} | basic(OTHER, ""),
        basic(KEY, OTHER),
        {"x-api-key": KEY, "authorization": "Bearer garbage"},
    ],
)
def test_two_different_keys_are_no_answer_to_who_calls(headers: dict[str, str]) -> None:
    with pytest.raises(ConflictingCredentialsError, match="two different keys"):
        presented(headers)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-api-key": ""},
        {"x-api-key": "  "},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer "},
        {"authorization": "Basic"},
        {"authorization": KEY},
        {"authorization": "Digest username=x"},
        basic("", ""),
    ],
)
def test_no_key_is_unauthenticated(headers: dict[str, str]) -> None:
    with pytest.raises(UnauthenticatedError, match="no API key"):
        presented(headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"x-api-key": "abc"},
        {"x-api-key": KEY[:-1]},
        {"x-api-key": KEY + "x"},
        {"authorization": "Bearer abc"},
        {"authorization": "Basic %%%"},
        {"authorization": "Basic /////w=="},  # no text in UTF-8
        basic("user", "password"),
        basic("vt_live_mistyped", "x"),
    ],
)
def test_a_mistyped_key_is_refused_without_a_read(headers: dict[str, str]) -> None:
    with pytest.raises(UnauthenticatedError, match="mistyped"):
        presented(headers)


def test_a_good_key_is_admitted_until_it_expires() -> None:
    key = a_key(expires_at=NOW + timedelta(seconds=1))
    assert admitted(key, NOW) is key
    with pytest.raises(UnauthenticatedError, match="expired"):
        admitted(key, NOW + timedelta(seconds=1))


def test_a_key_that_was_revoked_stays_so_whatever_the_clock_says() -> None:
    for now in (NOW, NOW - timedelta(seconds=1)):
        with pytest.raises(UnauthenticatedError, match="unknown or was revoked"):
            admitted(a_key(revoked_at=NOW), now)


def test_a_key_that_nobody_knows_is_refused() -> None:
    with pytest.raises(UnauthenticatedError, match="unknown or was revoked"):
        admitted(None, NOW)


def test_a_scope_that_the_key_lacks_is_named() -> None:
    key = a_key(scopes=("customers:read", "admin:*"))
    require_scopes(key, ())
    require_scopes(key, ("customers:read",))
    # admin:* implies nothing else.
    with pytest.raises(ForbiddenError, match="customers:write") as refused:
        require_scopes(key, ("customers:read", "customers:write"))
    assert refused.value.extra == {"scope": "customers:write"}
