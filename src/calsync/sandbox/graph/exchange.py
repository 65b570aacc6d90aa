"""A request and an answer of the stand-in, apart from HTTP."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from calsync.sandbox.graph.faults import bad
from calsync.sandbox.graph.weather import Storm

Json = dict[str, Any]

ROOT = "/v1.0"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: method, path with query, headers in lower case, body."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def path(self) -> list[str]:
        """The decoded segments behind the root."""
        return [unquote(part) for part in urlsplit(self.target).path.removeprefix(ROOT).strip("/").split("/")]

    @property
    def query(self) -> dict[str, str]:
        """The query options."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    def json(self) -> Json:
        """The body; a Fault for anything that is no object."""
        try:
            value = json.loads(self.body or b"{}")
        except ValueError:
            raise bad("UnableToDeserializePostBody", "were unable to deserialize") from None
        if not isinstance(value, dict):
            raise bad("UnableToDeserializePostBody")
        return value


@dataclass(slots=True)
class Answer:
    """What is sent back. `route` is the name that weather and tests use."""

    status: int
    content: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    route: str = ""
    damage: Storm | None = None
