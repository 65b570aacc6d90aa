"""Where a redirect may lead: on the same host, never out of https, at most from http up into https of that host."""

from __future__ import annotations

from urllib.parse import urljoin

from calsync.connector.errors import Malformed
from calsync_caldav.client import Answer
from calsync_caldav.guard import AddressRefused, origin_of

REDIRECTS = {301, 302, 303, 307, 308}
MOVED_FOR_GOOD = {301, 308}


def next_hop(url: str, answer: Answer) -> str:
    """Return the URL that an answer redirects to; Malformed where it may not be followed."""
    try:
        target = urljoin(url, answer.headers.get("location", ""))
        here, there = origin_of(url), origin_of(target)
    except (AddressRefused, ValueError):
        raise Malformed("a redirect to what is no web address is refused") from None
    if target == url:
        raise Malformed("a redirect to itself")
    upgrade = (here.scheme, there.scheme) == ("http", "https")
    if here.host != there.host or (here.scheme == "https" and there.scheme == "http"):
        raise Malformed("a redirect to another host or out of https is refused")
    if here.port != there.port and not upgrade:
        raise Malformed("a redirect to another port is refused")
    return target
