"""Which URLs and addresses a message may go to."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address, IPv6Network, ip_address
from ipaddress import ip_network as network
from urllib.parse import SplitResult, quote, urlsplit

Address = IPv4Address | IPv6Address

STANDARD_PORTS = {"https": 443, "http": 80}
FIRST_OPEN_PORT = 1024
"""Below it only 80 and 443 are allowed: the rest are other services, like mail's 25."""

# Not global whatever a Python version's own table says of them: shared by carriers, 6to4 and its
# relays, Teredo, the old site-local, segment routing, documentation.
_REFUSED = tuple(
    network(text)
    for text in (
        "100.64.0.0/10", "192.88.99.0/24",
        "2002::/16", "2001::/32", "fec0::/10", "5f00::/16", "3fff::/20",
    )
)  # fmt: skip
_NAT64 = IPv6Network("64:ff9b::/96")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")
_BLANK_OR_CONTROL = re.compile(r"[\x00-\x20\x7f\\]")


class RefusedAddressError(ValueError):
    """A URL or its address is one that messages must not go to; says why, without the path."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A URL taken apart: *host* as it is resolved and verified, *target* as it is requested."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == STANDARD_PORTS[self.scheme] else f"{host}:{self.port}"


def check_url(url: str, allow_local: bool) -> None:
    """Refuse a URL that can be refused without asking what its name resolves to.

    Raises RefusedAddressError, worded for the person who saves it. Names are checked when they
    are connected to, each time.
    """
    host = parse_url(url, allow_local).host
    address = _literal(host)
    local = host == "localhost" or host.endswith(".localhost")
    if (local and not allow_local) or (address is not None and is_refused(address, allow_local)):
        raise RefusedAddressError(f"{host} is not on the public internet")


def parse_url(url: str, allow_local: bool) -> Endpoint:
    """Return the parts of an https URL, or with *allow_local* of an http one.

    Raises RefusedAddressError.
    """
    if _BLANK_OR_CONTROL.search(url):
        raise RefusedAddressError("the URL holds a blank, a backslash or a control character")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise RefusedAddressError("the URL is malformed") from None
    if parts.scheme not in STANDARD_PORTS or (parts.scheme == "http" and not allow_local):
        raise RefusedAddressError("the URL does not start with https://")
    if "@" in parts.netloc:
        raise RefusedAddressError("the URL holds a user name or a password")
    port = STANDARD_PORTS[parts.scheme] if port is None else port
    if port < FIRST_OPEN_PORT and port not in STANDARD_PORTS.values():
        raise RefusedAddressError(f"port {port} is not 80, 443, or 1024 or higher")
    return Endpoint(parts.scheme, _host(parts), port, _target(parts))


def _host(parts: SplitResult) -> str:
    """Return the host in ASCII, without the dot that may end it."""
    name = parts.hostname or ""
    if "[" in parts.netloc:
        try:
            return str(IPv6Address(name))
        except AddressValueError:
            raise RefusedAddressError("the URL's host is not an address") from None
    try:
        ascii_name = name.encode("idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError:
        ascii_name = ""
    if not _HOST.fullmatch(ascii_name):
        raise RefusedAddressError("the URL has no valid host")
    return ascii_name


def _target(parts: SplitResult) -> str:
    query = f"?{parts.query}" if parts.query else ""
    return quote((parts.path or "/") + query, safe="/%:?#[]@!$&'()*+,;=~", errors="replace")


def _literal(host: str) -> Address | None:
    """Return the address that *host* spells, also as 127.1, 0x7f000001 or 2130706433."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def is_refused(address: Address, allow_local: bool) -> bool:
    """Tell whether *address* is not one of the public internet.

    Private, shared, link-local (where clouds keep their metadata), loopback, multicast, reserved
    and unspecified ones, and an IPv6 one that stands for such an IPv4 one. With *allow_local*,
    loopback is not refused.
    """
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return True
        embedded = _embedded(address)
        if embedded is not None:
            return is_refused(embedded, allow_local)
    if address.is_loopback:
        return not allow_local
    return (
        not address.is_global
        or address.is_multicast
        or address.is_reserved
        or any(address in each for each in _REFUSED)
    )


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that a mapped or a NAT64 one leads to."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped
