"""Where the connector may connect to: the host of the admin's own config, and public addresses (face.md, Config).

Every address that a name resolves to is checked, at each connect, and the connection goes to a checked address, so
that a name which changes its answer between look and connect gains nothing. Python's `is_global` calls several private
or tunnelled ranges public, so the list is our own.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

Resolve = Callable[[str, int], "list[str]"]
Network = IPv4Network | IPv6Network

_REFUSED: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        # IPv6: unspecified, loopback and IPv4-compatible (::/96), mapped, translated, Teredo and 6to4 tunnels,
        # documentation, unique local, link local, site local, multicast.
        *("::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32"),
        *("2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"),
    )
)
_WEB_PORTS = {80, 443, 5232, 8008, 8080, 8443}
_BAD_IN_URL = re.compile(r"[\x00-\x20\x7f\\]")


class AddressRefused(Exception):
    """The connection was not made. The message says which rule and names no address."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, lower-case host and port of a URL."""

    scheme: str
    host: str
    port: int


@lru_cache(maxsize=1024)
def origin_of(url: str) -> Origin:
    """Return where a URL leads; AddressRefused for other schemes, a user in the URL, blanks, backslashes, no host."""
    if _BAD_IN_URL.search(url):
        raise AddressRefused("the URL contains characters that a URL cannot have")
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        raise AddressRefused("the URL cannot be understood") from None
    if parts.scheme not in {"http", "https"}:
        raise AddressRefused("only http and https are spoken here")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused("a URL must not contain a user or a password")
    if not host:
        raise AddressRefused("the URL names no host")
    return Origin(parts.scheme, host.rstrip("."), port or (443 if parts.scheme == "https" else 80))


def _system_resolve(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class Guard:
    """Says to which addresses a host and port may be connected.

    `trusted`: hosts and ports of the admin's own config, connected to whatever they resolve to. `allowed`: networks
    that `connectors.caldav.allow_networks` lists.
    """

    trusted: frozenset[tuple[str, int]] = frozenset()
    allowed: tuple[Network, ...] = ()
    resolve: Resolve = field(default=_system_resolve)

    def addresses(self, host: str, port: int, *, plain: bool = False) -> list[str]:
        """Return the addresses to try, in order; AddressRefused if any is private, OSError if the name has none.

        `plain`: for a connection without TLS, which leaves this machine for the listed networks only.
        """
        found = self._resolved(host, port)
        if plain and not all(is_loopback(address) or self._listed(address) for address in found):
            raise AddressRefused(
                "a password goes under TLS only: write https, or list its network in connectors.caldav.allow_networks"
            )
        if (host.lower(), port) in self.trusted:
            return found
        permitted = all(self._listed(address) for address in found)
        if port not in _WEB_PORTS and not permitted:
            raise AddressRefused("port is not one of the web's")
        if any(not self._listed(address) and is_private(address) for address in found):
            raise AddressRefused("private address")
        return found

    def _resolved(self, host: str, port: int) -> list[str]:
        try:
            found = self.resolve(host, port)
        except (UnicodeError, ValueError):
            raise AddressRefused("the host's name cannot be a name") from None
        if not found:
            raise OSError("the name has no address")
        return found

    def _listed(self, address: str) -> bool:
        ip = ip_address(address.partition("%")[0])
        return any(ip.version == network.version and ip in network for network in self.allowed)


def is_private(address: str) -> bool:
    """Tell whether an address is one that no public calendar server has."""
    ip = ip_address(address.partition("%")[0])
    return any(ip.version == network.version and ip in network for network in _REFUSED)


def is_loopback(address: str) -> bool:
    """Tell whether an address is this machine itself."""
    return ip_address(address.partition("%")[0]).is_loopback


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return networks from their texts (`10.0.0.0/8`, `fd00::/8`, one address); ValueError names the first bad one."""
    return tuple(ip_network(text) for text in texts)
