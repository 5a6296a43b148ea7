import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitals.delivery.addresses import RefusedAddressError, check_url, is_refused, parse_url

PUBLIC = ("1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1")
PRIVATE = (
    "0.0.0.0",  # noqa: S104 - refused, not bound to
    "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.8.9.1",
    "169.254.169.254", "169.254.0.1", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1",
    "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1",
    "239.1.1.1", "240.0.0.1", "255.255.255.255",
)  # fmt: skip
PRIVATE_6 = (
    "::", "::1", "fd00:ec2::254", "fc00::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
    "ff0e::1", "2001:db8::1", "3fff::1", "5f00::1", "100::1", "64:ff9b:1::1", "::127.0.0.1",
    "2002:7f00:1::1", "2002:808:808::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
)  # fmt: skip


@pytest.mark.parametrize("text", [*PUBLIC, "2606:4700:4700::1111", "2a00:1450:4001:80b::200e"])
@pytest.mark.parametrize("allow_local", [False, True])
def test_a_public_address_is_allowed(text: str, allow_local: bool) -> None:
    assert not is_refused(ip_address(text), allow_local)


@pytest.mark.parametrize("text", [*PRIVATE, *PRIVATE_6])
def test_an_address_that_is_not_public_is_refused(text: str) -> None:
    assert is_refused(ip_address(text), allow_local=False)


@pytest.mark.parametrize("text", [*PRIVATE, *PRIVATE_6])
def test_locally_loopback_alone_is_allowed_too(text: str) -> None:
    loopback = text in {"127.0.0.1", "127.8.9.1", "::1"}
    assert is_refused(ip_address(text), allow_local=True) is not loopback


@pytest.mark.parametrize("prefix", ["::ffff:", "64:ff9b::"])
@pytest.mark.parametrize("text", [*PUBLIC, *PRIVATE])
def test_an_ipv6_address_is_judged_by_the_ipv4_one_that_it_stands_for(
    prefix: str, text: str
) -> None:
    assert is_refused(IPv6Address(prefix + text), False) is is_refused(IPv4Address(text), False)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/services/T0/B0/x?y=z",
        "https://hooks.example.com:8443/",
        "https://hooks.example.com",
        "https://1.1.1.1/x",
        "https://[2606:4700:4700::1111]/x",
        "https://bücher.example/x",
        "https://localhost.example.com/",
    ],
)
def test_a_public_https_url_may_be_saved(url: str) -> None:
    check_url(url, allow_local=False)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://hooks.example.com/x", "https://"),
        ("ftp://hooks.example.com/x", "https://"),
        ("hooks.example.com/x", "https://"),
        ("", "https://"),
        ("https://user@hooks.example.com/", "user name"),
        ("https://user:pass@hooks.example.com/", "user name"),
        ("https://@hooks.example.com/", "user name"),
        ("https://hooks.example.com:25/", "port 25"),
        ("https://hooks.example.com:22/", "port 22"),
        ("https://hooks.example.com:0/", "port 0"),
        ("https://hooks.example.com:99999/", "malformed"),
        ("https://hooks.example.com:x/", "malformed"),
        ("https://[::1/", "malformed"),
        ("https:///x", "no valid host"),
        ("https://a..b/x", "no valid host"),
        ("https://ex%61mple.com/x", "no valid host"),
        ("https://[v1.x]/", "not an address"),
        ("https://hooks.example.com/x y", "blank"),
        ("https://hooks.example.com/\r\nHost: x", "control"),
        ("https://hooks.example.com\\@10.0.0.1/", "backslash"),
        ("https://localhost/x", "localhost is not"),
        ("https://LOCALHOST./x", "localhost is not"),
        ("https://app.localhost/x", "app.localhost is not"),
        ("https://169.254.169.254/latest/meta-data", "169.254.169.254 is not"),
        ("https://10.0.0.1/", "10.0.0.1 is not"),
        ("https://127.1/", "127.1 is not"),
        ("https://2130706433/", "2130706433 is not"),
        ("https://0x7f000001/", "0x7f000001 is not"),
        ("https://017700000001/", "017700000001 is not"),
        ("https://\uff11\uff12\uff17.0.0.1/", "127.0.0.1 is not"),
        ("https://[::1]/", "::1 is not"),
        ("https://[fd00:ec2::254]/", "is not"),
        ("https://[::ffff:10.0.0.1]/", "is not"),
        ("https://[fe80::1%25eth0]/", "is not"),
    ],
)
def test_any_other_url_is_refused_with_the_reason(url: str, reason: str) -> None:
    with pytest.raises(RefusedAddressError, match=reason):
        check_url(url, allow_local=False)


@pytest.mark.parametrize("url", ["http://localhost:9000/x", "http://127.0.0.1:9000/x"])
def test_the_local_cloud_may_save_http_and_loopback(url: str) -> None:
    check_url(url, allow_local=True)
    with pytest.raises(RefusedAddressError):
        check_url(url, allow_local=False)


def test_the_local_cloud_refuses_other_private_addresses() -> None:
    with pytest.raises(RefusedAddressError):
        check_url("http://169.254.169.254/", allow_local=True)


def test_a_url_is_checked_without_a_question_to_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", None)
    check_url("https://hooks.example.com/", allow_local=False)


@given(st.text(st.characters()))
def test_a_refusal_never_shows_the_path(path: str) -> None:
    with pytest.raises(RefusedAddressError) as raised:
        check_url(f"https://10.0.0.1/SECRET{path}", allow_local=False)
    assert "SECRET" not in str(raised.value)


@given(st.text(st.characters()))
def test_any_text_is_a_url_or_refused(text: str) -> None:
    for url in (text, f"https://{text}", f"https://example.com/{text}"):
        try:
            endpoint = parse_url(url, allow_local=True)
        except RefusedAddressError:
            continue
        endpoint.authority.encode("ascii")
        assert endpoint.target.startswith("/")
        assert not set(endpoint.target) & set("\r\n ")


def test_a_host_header_names_the_port_where_it_is_not_the_schemes_own() -> None:
    urls = {
        "https://a.example": "a.example",
        "https://a.example:443/": "a.example",
        "https://a.example:80/": "a.example:80",
        "http://a.example:8080/": "a.example:8080",
        "https://[2606:4700::1]:8443/": "[2606:4700::1]:8443",
    }
    for url, host in urls.items():
        assert parse_url(url, allow_local=True).authority == host
