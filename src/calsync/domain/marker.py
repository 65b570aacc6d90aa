"""How calsync knows that an event is its own: a signed marker, and ids derived from the link. Pure; keys are given."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

FORMAT = "1"


@dataclass(frozen=True, slots=True)
class MarkerKeys:
    """Keys by id; `signing` names the one that signs, all of them verify (R-26)."""

    signing: str
    keys: Mapping[str, bytes]
    installation: str


@dataclass(frozen=True, slots=True)
class Marker:
    """What a genuine marker says: which link and generation wrote the event, and a hash of what was written.

    `place` binds installation and calendar; compare it with `place_of` the link's calendar before believing it.
    """

    link: str
    generation: int
    content: str
    place: str


def place_of(keys: MarkerKeys, calendar: str) -> str:
    """Return the short tag that binds a marker to this installation and one calendar."""
    return sha256(f"{keys.installation}\n{calendar}".encode()).hexdigest()[:16]


def sign_marker(keys: MarkerKeys, marker: Marker) -> str:
    """Return the marker's text, to be carried by an event in a private property."""
    body = ".".join((FORMAT, keys.signing, marker.link, str(marker.generation), marker.content, marker.place))
    return f"{body}.{_signature(keys.keys[keys.signing], body)}"


def verify_marker(keys: MarkerKeys, text: str) -> Marker | None:
    """Return what the text says if one of our keys signed it, else None: altered, foreign and broken look alike."""
    parts = text.split(".")
    if len(parts) != 7 or parts[0] != FORMAT or parts[1] not in keys.keys or not parts[3].isdecimal():
        return None
    body = ".".join(parts[:6])
    expected = _signature(keys.keys[parts[1]], body)
    if not hmac.compare_digest(expected.encode(), parts[6].encode("utf-8", "replace")):
        return None
    return Marker(link=parts[2], generation=int(parts[3]), content=parts[4], place=parts[5])


def derived_link_id(keys: MarkerKeys, calendar: str, subject: str) -> str:
    """Return the id of the link that ties a subject (`kind:id`) to a calendar.

    It is derived, so that events whose books were lost are recognised by their markers (F-4).
    """
    return "L" + sha256(f"{keys.installation}\n{calendar}\n{subject}".encode()).hexdigest()[:24]


def derived_remote_id(keys: MarkerKeys, link: str, generation: int) -> str:
    """Return the id under which a link's event is created: the same for every repeat, and not to be guessed (R-27)."""
    return hmac.new(keys.keys[keys.signing], f"remote-id\n{link}\n{generation}".encode(), sha256).hexdigest()[:32]


def _signature(key: bytes, body: str) -> str:
    return hmac.new(key, body.encode(), sha256).hexdigest()[:32]
