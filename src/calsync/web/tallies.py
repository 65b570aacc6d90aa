"""What this process has counted since it began: hooks by how they were taken, requests that were turned away."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tallies:
    """Counters. Lost counts under load would not matter: nothing is decided by them."""

    hooks: Counter[tuple[str, str]] = field(default_factory=Counter)  # service and ending
    tokens: Counter[str] = field(default_factory=Counter)  # how bearer tokens ended
    actions: Counter[tuple[str, str]] = field(default_factory=Counter)  # kind and ending
