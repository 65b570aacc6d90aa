"""From a mail address to the URL of its calendar service: SRV and TXT records (RFC 6764 3-6), over TLS only.

DNS answers can be forged, and a password follows them. A service on the address's own domain is therefore gone to at
once; one elsewhere is named to the admin, who may write it into the config (RFC 6764 8 asks for just that).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import dns.exception
import dns.name
import dns.resolver
from dns.rdtypes.ANY.TXT import TXT
from dns.rdtypes.IN.SRV import SRV

from calsync_caldav.guard import AddressRefused, origin_of

_SERVICE = "_caldavs._tcp"
_ADDRESS = re.compile(r"[^@\s/:\\]{1,64}@([A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+)")
_MOST_RECORDS = 5


@dataclass(frozen=True, slots=True)
class Service:
    """Where a domain's calendars are. `own`: on the domain itself or below it."""

    url: str
    own: bool


def domain_of(address: str) -> str | None:
    """Return the domain of a mail address, lower case; None for anything else."""
    found = _ADDRESS.fullmatch(address.strip())
    return found[1].lower() if found else None


def services_of(domain: str, resolver: dns.resolver.Resolver, seconds: float) -> Iterator[Service]:
    """Yield the services that a domain names, best first, then its own host name; at most six.

    A domain whose one record points to "." offers none (RFC 2782), and nothing is yielded.
    """
    records = sorted(_srv(domain, resolver, seconds), key=lambda record: (record.priority, -record.weight))
    if [record.target for record in records] == [dns.name.root]:
        return
    path = _path(domain, resolver, seconds) if records else None
    for record in records[:_MOST_RECORDS]:
        host = record.target.to_text(omit_final_dot=True).lower()
        port = "" if record.port == 443 else f":{record.port}"
        url = f"https://{host}{port}{path or '/'}"
        if _is_url(url):
            yield Service(url, own=host == domain or host.endswith(f".{domain}"))
    yield Service(f"https://{domain}/", own=True)


def _srv(domain: str, resolver: dns.resolver.Resolver, seconds: float) -> list[SRV]:
    return [record for record in _records(domain, "SRV", resolver, seconds) if isinstance(record, SRV)]


def _path(domain: str, resolver: dns.resolver.Resolver, seconds: float) -> str | None:
    for record in _records(domain, "TXT", resolver, seconds):
        text = b"".join(record.strings).decode("utf-8", "replace") if isinstance(record, TXT) else ""
        if text.startswith("path=/"):
            return text.removeprefix("path=")
    return None


def _records(domain: str, kind: str, resolver: dns.resolver.Resolver, seconds: float) -> list[object]:
    try:
        answer = resolver.resolve(f"{_SERVICE}.{domain}.", kind, lifetime=seconds, search=False)
    except dns.exception.DNSException:
        return []  # no such record, or no answer: the domain's own name is tried
    return list(answer)


def _is_url(url: str) -> bool:
    try:
        origin_of(url)
    except AddressRefused:
        return False
    return not urlsplit(url).query and not urlsplit(url).fragment
