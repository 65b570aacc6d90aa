"""A world whose service rings at the real hook, and what the books and the worker then have to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from fastapi.testclient import TestClient

from calsync.settings.model import Settings
from calsync.store import watches, work
from calsync.web.app import make_app
from calsync.web.hook_targets import OpenChannels
from calsync.web.site import Site
from calsync.worker.dispatch import EmbeddedDispatch
from calsync.worker.watching import PushPlan
from tests.system.service_world import ServiceWorld

PUBLIC: Final = "https://calsync.example"


class HookedWorld(ServiceWorld):
    """To be mixed into the world of a service that pushes; it listens from `listen` on."""

    def listen(self, folder: Path) -> None:
        """Have the worker ask for pushes, and the pages there to take them."""
        self.worker = replace(self.worker, push=PushPlan(PUBLIC))
        self.site = Site(
            self.database, Settings(path=folder / "calsync.toml"), self.clock, self.ids, lambda: None,  # type: ignore[arg-type, return-value]
            targets=OpenChannels(self.database, self.clock),
        )  # fmt: skip
        self.web = TestClient(make_app(self.site))

    def close(self) -> None:
        """Take everything down."""
        self.web.close()
        super().close()

    def be_quiet(self) -> None:
        """Forget what was rung for: no burst is under way any more."""
        self.site.bell._bursts.clear()

    def channels(self) -> list[watches.WatchRow]:
        """The open ones on our books."""
        with self.database.reading() as conn:
            return [one for one in watches.of_calendar(conn, self.calendar) if one.state == watches.OPEN]

    def due(self) -> bool:
        """Whether the worker would take the calendar up now."""
        with self.database.transaction() as conn:
            leases = work.claim(conn, "probe", 1, self.clock.now(), timedelta(seconds=1))
            for lease in leases:
                work.give_back(conn, lease)
        return bool(leases)

    def dispatch(self) -> int:
        """Let the dispatcher run what is due."""
        dispatch = EmbeddedDispatch(self.worker, threads=1)
        started = dispatch.dispatch()
        assert dispatch.drain(20)
        return started
