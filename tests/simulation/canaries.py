"""Made-up words that people in histories write, and that must turn up in no log line and no mail (I8)."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

import structlog

# What people type into events of their own and into ours.
TYPED = ("Dentist", "bring forms", "Mine")
# Whom the events are about.
NAMES = ("Zelda", "Farquhar", "zelda@")
# The keys that markers and tokens are made with, as they would look in a text.
KEYS = ("00000000000000000000000000000000", "11111111111111111111111111111111")


def found_in(text: str, *, names: bool) -> Iterator[str]:
    """Those that stand in a text; `names` of clients are looked for as well."""
    for canary in (*TYPED, *KEYS, *(NAMES if names else ())):
        if canary in text:
            yield canary


class Listener:
    """Takes the place of the log: each line is searched, and dropped."""

    def __init__(self) -> None:
        self.lines = 0
        self.found: list[str] = []

    def __call__(self, _logger: object, name: str, event: MutableMapping[str, Any]) -> Any:
        """Called by structlog for each line."""
        self.lines += 1
        text = repr(event)
        self.found += [f"{canary!r} in {event.get('event')}" for canary in found_in(text, names=True)]
        raise structlog.DropEvent
