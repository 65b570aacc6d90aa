"""Hrefs: which event of a collection one names. Compared decoded, since servers spell `@` both ways (sheet 3.2)."""

from __future__ import annotations

from urllib.parse import quote, unquote, urljoin, urlsplit

from calsync_caldav.guard import AddressRefused, origin_of
from calsync_caldav.quirks import same_service

LONGEST = 1024
_SAFE = "@!$&'()*+,;=:-._~"


def href_of(collection: str, remote_id: str) -> str:
    """Return the URL of an event in a collection (a URL that ends in a slash)."""
    return collection + quote(remote_id, safe=_SAFE)


def path_of(url: str) -> str:
    """Return the path of a URL as the server wrote it."""
    return urlsplit(url).path or "/"


def member_of(collection: str, href: str) -> str | None:
    """Return the remote id of an href that lies directly in a collection; "" for the collection itself; None otherwise.

    None covers another host, a path that climbs (`..`), a folder inside the collection, and names that no URL can hold.
    """
    place = located(collection, href)
    if place is None:
        return None
    inside, path = unquote(urlsplit(collection).path), unquote(urlsplit(place).path)
    if path.rstrip("/") == inside.rstrip("/"):
        return ""
    name = path.removeprefix(inside)
    plain = 0 < len(name) <= LONGEST and "/" not in name and name not in {".", ".."}
    return name if path.startswith(inside) and plain and name.isprintable() else None


def located(base: str, href: str) -> str | None:
    """Return the absolute URL of an href in an answer from `base`; None where it leaves the service or climbs."""
    href = href.strip()
    if not href or len(href) > 4 * LONGEST or "/../" in f"{unquote(urlsplit_path(href))}/":
        return None
    try:
        url = urljoin(base, href)
        ours, theirs = origin_of(base), origin_of(url)
    except (AddressRefused, ValueError):
        return None
    if ours == theirs:
        return url
    if same_service(ours, theirs):
        return urljoin(base, path_of(url))
    return None


def urlsplit_path(href: str) -> str:
    """Return the path of an href, "/../" (which nobody accepts) where it cannot be understood."""
    try:
        return urlsplit(href).path
    except ValueError:
        return "/../"


def as_collection(url: str) -> str:
    """Return a URL without query and fragment that ends in a slash."""
    bare = url.partition("#")[0].partition("?")[0]
    return bare if bare.endswith("/") else f"{bare}/"
