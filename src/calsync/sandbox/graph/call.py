"""One request to a mailbox, with what it wishes of the answer: zone, kind of id, properties, size of a page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from calsync.sandbox.graph.exchange import Asked
from calsync.sandbox.graph.resources import Look
from calsync.sandbox.graph.state import GraphState, Mailbox
from calsync.sandbox.graph.zones import zone_of

_EXPAND_PROPERTIES = re.compile(r"singleValueExtendedProperties\(\$filter=([^)]*)\)")
_PREFER = re.compile(r'([A-Za-z.\-]+)=("[^"]*"|[^,]*)')


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was let in. `root` is the address under which the stand-in is reached."""

    asked: Asked
    box: Mailbox
    look: Look
    page_size: int
    root: str


def call_of(asked: Asked, box: Mailbox, state: GraphState, root: str) -> Call:
    """The request with its wishes read."""
    return Call(asked, box, _look(asked, state), _page_size(asked, state), root)


def instant_of(text: str) -> datetime:
    """An instant as the query options write it, UTC where they name no offset; ValueError for anything else."""
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo is not None else at.replace(tzinfo=UTC)


def wishes(asked: Asked) -> dict[str, str]:
    """What the `Prefer` header asks for, by name."""
    return {name: value.strip('"') for name, value in _PREFER.findall(asked.headers.get("prefer", ""))}


def _page_size(asked: Asked, state: GraphState) -> int:
    wish = wishes(asked).get("odata.maxpagesize")
    return min(int(wish), 1000) if wish else state.knobs.page_size


def _look(asked: Asked, state: GraphState) -> Look:
    prefer, query = wishes(asked), asked.query
    zone = prefer.get("outlook.timezone", "UTC")
    expand = query.get("$expand", "")
    listed = _EXPAND_PROPERTIES.search(expand)
    properties = re.findall(r"id eq '([^']+)'", listed[1]) if listed else []
    return Look(
        immutable=prefer.get("IdType") == "ImmutableId",
        zone=zone,
        tz=zone_of(zone),
        text=prefer.get("outlook.body-content-type") == "text",
        select=tuple(part for part in query.get("$select", "").split(",") if part),
        properties=tuple(properties),
        expand_exceptions="exceptionOccurrences" in expand and not state.knobs.government,
        government=state.knobs.government,
    )
