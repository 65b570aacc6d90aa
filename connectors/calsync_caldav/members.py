"""What a listing or a sync answer says about a collection's members, before any of them is fetched."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from calsync.connector.errors import Malformed
from calsync_caldav.dav_xml import CALDAV, DAV
from calsync_caldav.hrefs import member_of
from calsync_caldav.multistatus import Multistatus, Response
from calsync_caldav.quirks import says_nothing_certain, strong_form


@dataclass(slots=True)
class Members:
    """Versions by id (None: to be fetched in any case), ids reported as removed, and ids listed in two versions."""

    versions: dict[str, str | None] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    doubled: set[str] = field(default_factory=set)

    def add(self, remote_id: str, version: str | None) -> None:
        """Note a member; one that is also reported as removed was made again (sheet 5.1), so the member wins."""
        if remote_id in self.versions and self.versions[remote_id] != version:
            self.doubled.add(remote_id)
        self.versions[remote_id] = version
        self.gone.discard(remote_id)


def members_of(url: str, answer: Multistatus) -> Members:
    """Return what a listing of the collection at `url` names; Malformed where it does not speak about it."""
    members = Members()
    own = False
    for row in answer.responses:
        remote_id = member_of(url, row.href)
        own = own or remote_id == ""
        if remote_id and _is_event(row) and row.status < 400:
            members.add(remote_id, _version(row))
    if not own and not members.versions:
        raise Malformed("the listing does not speak about the calendar")
    return members


def absorb(url: str, answer: Multistatus, members: Members) -> bool:
    """Add a sync answer to the members; return whether the server cut it (RFC 6578 3.6)."""
    cut = False
    for row in answer.responses:
        remote_id = member_of(url, row.href)
        if remote_id == "":
            cut = cut or row.status == 507
        elif remote_id is None:
            continue
        elif row.status in {404, 410}:
            if remote_id not in members.versions:
                members.gone.add(remote_id)
        elif row.status < 400 and _is_event(row):
            members.add(remote_id, _version(row))
        elif says_nothing_certain(row.status):
            members.add(remote_id, None)
        elif row.status >= 400:
            raise Malformed(f"a sync answer says {row.status} about an event")
    return cut


def _version(row: Response) -> str | None:
    return strong_form(row.etag) if row.etag else None


def _is_event(row: Response) -> bool:
    types: Iterable[str] = row.inner.get(f"{DAV}resourcetype", ())
    return f"{DAV}collection" not in types and f"{CALDAV}calendar" not in types
