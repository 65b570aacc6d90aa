"""What every room of the HTTP face is handed, and how it gets it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import Request

from calsync.connector.registry import Registry
from calsync.ports import Clock, Ids
from calsync.settings.model import Settings
from calsync.settings.secrets import KeyRing
from calsync.store.database import Database
from calsync.web.bell import Bell
from calsync.web.hook_targets import HookTargets, NoTargets
from calsync.web.tallies import Tallies
from calsync.worker.progress import Progress


@dataclass(frozen=True, slots=True)
class Site:
    """One installation, as its HTTP face sees it. `progress` is None where no worker runs in this process."""

    database: Database
    settings: Settings
    clock: Clock
    ids: Ids
    keys: Callable[[], KeyRing]
    progress: Progress | None = None
    targets: HookTargets = field(default_factory=NoTargets)
    tallies: Tallies = field(default_factory=Tallies)
    bell: Bell = field(default_factory=Bell)
    registry: Registry = field(default_factory=Registry)


def site_of(request: Request) -> Site:
    """The installation that a request is for."""
    site = request.app.state.site
    assert isinstance(site, Site)
    return site
