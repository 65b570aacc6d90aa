"""Whose event is it? Every item that a calendar mentions is one of a link's, or foreign and left alone (I3).

The remote id speaks first: it is on our books. Otherwise only a marker that we signed, for this very calendar and the
link's current generation, makes an event ours. Pure; called by the worker after reading, before deciding. The items are
the connector's; nothing but `remote_id` and `marker` is looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from calsync.domain.link import Link
from calsync.domain.marker import Marker, MarkerKeys, place_of, verify_marker


class Item(Protocol):
    """Anything that a calendar mentions. Items that show content also have `marker`, the raw text or None."""

    @property
    def remote_id(self) -> str:
        """The service's name of the event."""


I = TypeVar("I", bound=Item)  # noqa: E741 - the usual letter of an item


class Role(StrEnum):
    """What an item is to its link."""

    OWN = "own"  # under the remote id that is on our books
    RENAMED = "renamed"  # the link's event under another name: its own is gone
    COPY = "copy"  # carries the link's marker while the link's own event stands


@dataclass(frozen=True, slots=True)
class Match(Generic[I]):
    """An item with its link. `marker` is the verified marker of this very link, None when it is lost or another's."""

    link: Link
    role: Role
    item: I
    marker: Marker | None


@dataclass(frozen=True, slots=True)
class Matches(Generic[I]):
    """Items told apart, each list in the order of the items."""

    ours: tuple[Match[I], ...]
    foreign: tuple[I, ...]


def match_items(
    items: Iterable[I],
    links_by_remote_id: Mapping[str, Link],
    *,
    links_by_id: Mapping[str, Link],
    keys: MarkerKeys,
    gone: Collection[str] = frozenset(),
) -> Matches[I]:
    """Tell whose each item is. `gone`: remote ids that the service reports as removed.

    The first item that carries the marker of a link whose own event is gone is that event under another name; further
    ones are copies. Markers that are altered, of another installation, calendar or generation make an item foreign.
    """
    ours: list[Match[I]] = []
    foreign: list[I] = []
    mentioned = list(items)
    # One that was missing and is mentioned again under its own name has come back.
    back = {item.remote_id for item in mentioned}
    homeless = {
        link.id
        for link in links_by_id.values()
        if link.remote_id in gone or (link.absent and link.remote_id not in back)
    }
    for item in mentioned:
        own = links_by_remote_id.get(item.remote_id)
        if own is not None:
            ours.append(Match(own, Role.OWN, item, genuine_marker(_marker_text(item), own, keys)))
            continue
        marker = verify_marker(keys, _marker_text(item) or "")
        link = links_by_id.get(marker.link) if marker is not None else None
        if marker is None or link is None or not _fits(marker, link, keys):
            foreign.append(item)
            continue
        role = Role.RENAMED if link.id in homeless else Role.COPY
        homeless.discard(link.id)
        ours.append(Match(link, role, item, marker))
    return Matches(tuple(ours), tuple(foreign))


def genuine_marker(text: str | None, link: Link, keys: MarkerKeys) -> Marker | None:
    """Return the marker that a text says, if we signed it for this link, calendar and generation; else None."""
    marker = verify_marker(keys, text or "")
    return marker if marker is not None and marker.link == link.id and _fits(marker, link, keys) else None


def is_strangers(uid: str, marker: str | None, link: Link, keys: MarkerKeys) -> bool:
    """Tell whether what stands under our name is somebody else's: under a UID that is not ours, and without our marker.

    For services alone that keep the UID which we give; elsewhere a UID says nothing. Ours are the one that we gave, and
    that of an event which was known for ours, whatever became of its marker since.
    """
    known = (event.uid for event in (link.baseline, link.observed) if event is not None)
    return uid not in (link.uid, *known) and genuine_marker(marker, link, keys) is None


def _fits(marker: Marker, link: Link, keys: MarkerKeys) -> bool:
    return marker.place == place_of(keys, link.calendar) and marker.generation == link.generation


def _marker_text(item: Item) -> str | None:
    text = getattr(item, "marker", None)
    return text if isinstance(text, str) else None
