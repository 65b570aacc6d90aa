"""What a command may ask for: settings, clock, ids, keys. Made when first asked for, so `--help` needs nothing."""

from __future__ import annotations

import getpass
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from calsync.connector.protocol import Connector
from calsync.connector.registry import Registry
from calsync.errors import ConfigError, Problem, UserError
from calsync.ports import Clock, Ids, Sleep
from calsync.settings import Settings, load
from calsync.settings.secrets import KeyRing, complete_database_url
from calsync.system_ports import FixedClock, StopEvent, SystemIds, SystemSleep, choose_clock, process_is_alive

if TYPE_CHECKING:
    from calsync.store.database import Database
    from calsync.worker.wiring import Wired

CONFIG_VARIABLE: Final = "CALSYNC_CONFIG"
CONFIG_PLACES: Final = (Path("config/calsync.toml"), Path("/etc/calsync/calsync.toml"))

_AFTER_RESTART: Final = ("database", "engine", "secrets", "testing")


@dataclass
class App:
    """One run of a command. The options that every command has are kept here, wherever they stood on the line."""

    config_path: Path | None = None
    as_json: bool = False
    by: str | None = None
    note: str | None = None

    @property
    def actor(self) -> str:
        """Who does it: `--by`, else `support:` and the name of the logged-in user."""
        return self.by or f"support:{_user_name()}"

    @cached_property
    def registry(self) -> Registry:
        """The connectors installed here."""
        return Registry()

    @cached_property
    def connectors(self) -> Mapping[str, Connector]:
        """Those of them that can be loaded, by name."""
        return self.registry.usable()

    @property
    def settings(self) -> Settings:
        """The configuration. Raises ConfigError with everything that is wrong in it."""
        return self._in_force[0]

    @property
    def clock(self) -> Clock:
        """The host's clock, or the fixed one of a test installation."""
        return self._in_force[1]

    @property
    def clock_is_fixed(self) -> bool:
        """Whether it stands still, so that no other clock says anything about it."""
        return isinstance(self.clock, FixedClock)

    @cached_property
    def _in_force(self) -> tuple[Settings, Clock]:
        # Together: every command refuses a forgotten variable that fixes the clock, whether it asks the time or not.
        settings = load(find_config(self.config_path), self.connectors, unusable=_find_unusable(self.registry))
        return settings, choose_clock(may_be_fixed=settings.testing.clock)

    def reloaded(self) -> tuple[App, list[str]]:
        """The same command on the configuration as it is now, and which of its keys wait for a restart.

        Raises ConfigError with everything that is wrong in it; nothing has changed then.
        """
        fresh = App(self.config_path, self.as_json, self.by, self.note)
        before, after = self.settings, fresh.settings
        kept = [name for name in _AFTER_RESTART if getattr(before, name) != getattr(after, name)]
        if before.web.listen != after.web.listen:
            kept.append("web.listen")
        as_it_was = {name: getattr(before, name) for name in _AFTER_RESTART}
        as_it_was["web"] = after.web.model_copy(update={"listen": before.web.listen})
        # The clock and the books of a process are for life; everything else is made anew from the new settings.
        fresh.__dict__["_in_force"] = (after.model_copy(update=as_it_was), self.clock)
        fresh.__dict__["database"] = self.database
        return fresh, kept

    @cached_property
    def ids(self) -> Ids:
        """Fresh ids and tokens."""
        return SystemIds()

    @cached_property
    def sleep(self) -> Sleep:
        """Real waiting."""
        return SystemSleep()

    @cached_property
    def stop(self) -> StopEvent:
        """Set by signals; long work looks at it."""
        return StopEvent()

    @cached_property
    def database_url(self) -> str:
        """The database's address, with its password read from the file that the config names."""
        return complete_database_url(self.settings.database)

    @cached_property
    def database(self) -> Database:
        """The database. Whether it can be used shows at the first transaction."""
        # Commands that need no books, such as --help and init, start without loading what the books need.
        from calsync.store.database import open_database  # noqa: PLC0415

        database = open_database(self.database_url)
        if (command := click.get_current_context(silent=True)) is not None:
            command.find_root().call_on_close(database.dispose)
        return database

    @cached_property
    def books(self) -> Database:
        """The database with the config's providers and calendars on the books, for commands that change records."""
        from calsync.worker.config_sync import register  # noqa: PLC0415 - see `database`

        with self.database.transaction() as conn:
            register(conn, self.settings, self.clock.now())
        return self.database

    @cached_property
    def wired(self) -> Wired:
        """The worker's parts, with the config's providers and calendars on the books. Close its opener at the end."""
        from calsync.worker.wiring import Ports, wire  # noqa: PLC0415 - see `database`

        pid = os.getpid()
        ports = Ports(self.clock, self.ids, self.sleep, self.stop, pid, process_is_alive, self.clock_is_fixed)
        return wire(self.settings, self.database, self.keys, ports, host=platform.node())

    @cached_property
    def keys(self) -> KeyRing:
        """The installation's keys. Raises StartRefusedError if the key file is gone."""
        return KeyRing.read(self.settings.secrets.key_file)


pass_app = click.make_pass_decorator(App, ensure=True)
"""Decorator that hands the `App` to a command as its first argument."""


def find_config(given: Path | None, environ: Mapping[str, str] = os.environ) -> Path:
    """The config file to use: the one given, else $CALSYNC_CONFIG, else ./config/, else /etc/calsync/.

    Raises ConfigError if none of them is there, naming where it looked.
    """
    if given is not None:
        return given
    if named := environ.get(CONFIG_VARIABLE):
        return Path(named)
    for path in CONFIG_PLACES:
        if path.exists():
            return path
    raise ConfigError.of(
        "there is no configuration",
        where=" or ".join(str(path) for path in CONFIG_PLACES),
        remedy=f"Make one with `calsync init`, or name yours with --config or ${CONFIG_VARIABLE}",
    )


def _find_unusable(registry: Registry) -> dict[str, Problem]:
    """Why installed connectors cannot be loaded, by name."""
    problems: dict[str, Problem] = {}
    for name in registry.names:
        try:
            registry.get(name)
        except UserError as error:
            problems[name] = error.problems[0]
    return problems


def _user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
