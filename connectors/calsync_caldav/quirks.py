"""What particular servers do otherwise than the standards say: one named function each, with its source.

Sources: the CalDAV contract sheet's sections (measured on running servers, or read in the profiles of the `caldav`
package, `compatibility_hints.py`). Everything else in this package follows the RFCs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from email.utils import parsedate_to_datetime

from calsync_caldav.guard import Origin

UID_CONFLICTS = {"no-uid-conflict", "unique-scheduling-object-resource"}


def ignores_preconditions(url: str, headers: Mapping[str, str]) -> bool:
    """SOGo overwrites on If-None-Match: * and deletes on a stale If-Match (sheet 3.3, 3.4); Zimbra overwrites too.

    There, what is about to be written over or deleted is read right before.
    """
    server = headers.get("server", "").lower()
    return "/sogo/" in url.lower() or "sogo" in server or "zimbra" in server


def makes_missing_calendars(url: str) -> bool:
    """DAViCal makes a calendar that is not there when something is written into it, and answers 500 then (measured).

    There, a calendar that its owner removed must be asked for before each batch of writes.
    """
    return "/caldav.php/" in url.lower()


def closes_unannounced(url: str) -> bool:
    """SOGo without a web server before it ends each connection after the answer and does not say so (measured).

    A write that meets the end of such a connection would be of unknown effect for nothing.
    """
    return "/sogo/" in url.lower()


def says_nothing_certain(status: int) -> bool:
    """Nextcloud told of deletions by 418 in a sync answer (python-caldav/caldav issue 183): a GET of it decides."""
    return status == 418


def strong_form(etag: str) -> str:
    """Proxies that compress mark an ETag as weak (`W/`); a weak one never matches in If-Match (RFC 9110 13.1.1).

    The opaque part is the same, so it is what versions are made of, everywhere.
    """
    return etag.strip().removeprefix("W/")


def token_refused(status: int, conditions: Collection[str]) -> bool:
    """A sync token that the server no longer takes (sheet 5.2).

    403, 409 or 412 with `valid-sync-token` (Radicale, Cyrus, Xandikos), or a bare 400, 404, 409, 410 or 412 on the
    REPORT, which a calendar that is gone answers as well.
    """
    if "valid-sync-token" in conditions or "supported-report" in conditions:
        return True
    return status in {400, 404, 409, 410, 412}


def names_uid_conflict(conditions: Collection[str]) -> bool:
    """The UID lies elsewhere: 409 (Radicale), 412 (Xandikos) or 403 (Cyrus), told by the element (sheet 3.5)."""
    return not UID_CONFLICTS.isdisjoint(conditions)


def may_be_uid_conflict(status: int) -> bool:
    """SOGo answers a UID conflict with a bare 409 (sheet 3.5); a query for the UID decides."""
    return status == 409


def in_this_second(ctag: str, headers: Mapping[str, str]) -> bool:
    """SOGo's CTag is a Unix second (sheet 5.4): one that is not over yet by the server's own clock proves nothing."""
    if not ctag.isascii() or not ctag.isdecimal() or len(ctag) > 12:
        return False
    try:
        now = parsedate_to_datetime(headers.get("date", "")).timestamp()
    except (TypeError, ValueError, OverflowError):
        return False
    return now - int(ctag) < 2 and int(ctag) - now < 60


def accepted_silently(listed: int, unchanged: int) -> bool:
    """DAViCal and SOGo answer a token they do not know with all members and no word of deletions (sheet 5.2).

    `listed`: known events in the answer; `unchanged`: those whose version is the known one. A true change feed hardly
    ever lists an event at the version that was confirmed.
    """
    return unchanged > 0 and unchanged >= 0.9 * listed


def same_service(one: Origin, other: Origin) -> bool:
    """ICloud answers hrefs on `caldav.icloud.com` from partition hosts `pNN-caldav.icloud.com` (sheet 1.1)."""
    same_port = (one.scheme, one.port) == (other.scheme, other.port)
    return same_port and all(host.endswith("caldav.icloud.com") for host in (one.host, other.host))


def well_known_roots(url_path: str) -> tuple[str, ...]:
    """Where servers keep their DAV root when neither the URL given nor `.well-known` leads on (sheet 1.1)."""
    roots = ("/.well-known/caldav", "/remote.php/dav/", "/dav.php/", "/dav/", "/caldav.php/", "/SOGo/dav/", "/")
    return tuple(root for root in roots if root != url_path)
