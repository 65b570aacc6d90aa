"""Puts a process together: database, keys, connectors, ports. Wiring only; decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256

from sqlalchemy import Connection

from calsync.connector.registry import Registry
from calsync.connector.wrappers import WrapPorts
from calsync.ports import Clock, Ids, Sleep, Stop
from calsync.settings.key_file import KeyFile, LiveMarkerKeys
from calsync.settings.model import Settings
from calsync.settings.secrets import KeyRing
from calsync.store import installation, work
from calsync.store.credentials import Credentials
from calsync.store.database import Database
from calsync.worker.config_sync import register
from calsync.worker.context import WorkerContext
from calsync.worker.opening import ConfiguredOpener
from calsync.worker.watching import PushPlan


@dataclass(frozen=True, slots=True)
class Ports:
    """What enters from outside: time, chance, waiting, and the wish to end."""

    clock: Clock
    ids: Ids
    sleep: Sleep
    stop: Stop | None = None
    pid: int = 0
    is_alive: Callable[[int], bool] = lambda _pid: True
    clock_is_fixed: bool = False


@dataclass(frozen=True, slots=True)
class Wired:
    """A process's worker and the opener that must be closed at its end."""

    worker: WorkerContext
    opener: ConfiguredOpener


def wire(settings: Settings, database: Database, keys: KeyRing, ports: Ports, *, host: str) -> Wired:
    """Build the worker and bring the config's providers and calendars onto the books.

    Raises StartRefusedError when the database belongs to another installation's host or keys (R-26), UserError when it
    cannot be used.
    """
    with database.transaction() as conn:
        name = installation.ensure(conn, installation_of(keys), host, ports.clock.now())
        Credentials(lambda: keys, ports.ids).require_own_keys(conn)
        register(conn, settings, ports.clock.now())
        _free_leases_of_the_dead(conn, host, ports)
    file = KeyFile(settings.secrets.key_file)
    marker_keys = replace(keys.marker_keys(name), keys=LiveMarkerKeys(file))
    wrap_ports = WrapPorts(ports.clock, ports.ids, ports.sleep, ports.stop)
    credentials = Credentials(file, ports.ids)
    opener = ConfiguredOpener(settings, Registry(), database, marker_keys, wrap_ports, credentials)
    worker = WorkerContext(
        database=database,
        clock=ports.clock,
        ids=ports.ids,
        sleep=ports.sleep,
        keys=marker_keys,
        opener=opener,
        stop=ports.stop,
        reads_busy=True,
        heeds_services=not ports.clock_is_fixed,
        push=PushPlan(settings.web.public_url) if settings.web.public_url else None,
        owner=f"{host}/{ports.pid}/{ports.ids.new_id('worker')}",
    )
    return Wired(worker, opener)


def _free_leases_of_the_dead(conn: Connection, host: str, ports: Ports) -> None:
    """Take back the leases of this host's processes that are gone, so that a restart goes on at once after a crash.

    A process that merely sleeps is alive and keeps its leases until they run out; its fence does the rest.
    """
    for owner in work.owners(conn):
        machine, _, rest = owner.partition("/")
        pid = rest.partition("/")[0]
        if machine == host and pid.isdecimal() and int(pid) != ports.pid and not ports.is_alive(int(pid)):
            work.give_back_all(conn, owner)


def installation_of(keys: KeyRing) -> str:
    """The name of a new installation: bound to its oldest key, so that books made anew recognise their events (F-4)."""
    return sha256(b"installation" + keys.keys[-1].derive("installation")).hexdigest()[:16]
