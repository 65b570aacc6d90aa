"""The whole evening: server, files, worker, the acts, the claims and the report. Called by the command alone."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from calsync.demo.caldav_server import CaldavServer, running_server
from calsync.demo.google_server import GoogleDesk, running_google
from calsync.demo.outlook_server import OutlookDesk, running_outlook
from calsync.demo.practice import PROVIDERS, ZONE, Practice, write_practice
from calsync.demo.stage import Stage, running_worker
from calsync.errors import UserError
from calsync.store.database import open_database
from calsync.system_ports import StopEvent, SystemClock, SystemIds, SystemSleep

MIRRORED = 20  # events that the demo's records make; a series is one
FOREVER_S = 10.0**7

Run = Callable[[Sequence[str]], int]
Desks = Mapping[str, GoogleDesk | OutlookDesk]


def perform(run: Run, *, keep: bool) -> None:
    """Play the demo from start to end. `run` carries out a `calsync` command line and returns its exit code."""
    sleep, clock = SystemSleep(), SystemClock()
    with (
        _folder(keep=keep) as folder,
        running_server(folder / "server", list(PROVIDERS), sleep) as server,
        running_google(clock, "dora@example.org", ZONE) as google,
        running_outlook(clock, "emil@example.org", ZONE) as outlook,
    ):
        desks: Desks = {"dora": google, "emil": outlook}
        practice = write_practice(folder, server, clock.now(), SystemIds(), others=desks)
        click.echo(f"A real CalDAV server listens at {server.home_of('')}, stand-ins for Google and Outlook beside it.")
        click.echo(f"All files are in {folder}")
        terminal = Terminal(run, practice.config)
        _prepare(terminal, practice)
        _play(terminal, practice, (server, desks), keep=keep)


class Terminal:
    """Types commands as a person would, and shows them."""

    def __init__(self, run: Run, config: Path) -> None:
        self._run = run
        self._config = config

    def type(self, *line: str, fine: tuple[int, ...] = (0,)) -> None:
        """Run one command; UserError if it ends with another code than `fine`."""
        click.secho(f"$ calsync {' '.join(line)}", fg="cyan")
        code = self._run([*line, "--config", str(self._config)])
        if code not in fine:
            raise UserError.of(f"`calsync {line[0]}` ended with {int(code)}", str(self._config.parent))


def _prepare(terminal: Terminal, practice: Practice) -> None:
    terminal.type("db", "upgrade")
    terminal.type("appointments", "import", str(practice.appointments), "--by", "support:demo")
    terminal.type("blocks", "add", "--provider", "ben", "--start", practice.day_off, "--end", practice.day_off_end)


def _play(terminal: Terminal, practice: Practice, places: tuple[CaldavServer, Desks], *, keep: bool) -> None:
    config = practice.config
    database = open_database(f"sqlite:///{config.parent / 'calsync.db'}")
    server, desks = places
    stage = Stage(server, practice, database, SystemClock(), SystemSleep(), desks)
    with running_worker(config, config.parent / "worker.log"):
        click.echo("\nThe worker runs: it makes a calendar for each provider and shows the sessions there …")
        stage.wait_until_mirrored(MIRRORED)
        click.echo(f"{MIRRORED} events are in place. Now people edit them, with an ordinary calendar client.")
        stage.play()
        stage.release("cleo", terminal.type)
        click.secho("\nMay the claims go?", bold=True)
        terminal.type("claims", "check", "4822", "4823", "4821", fine=(0, 3))
        click.secho("\nThe report:", bold=True)
        terminal.type("report", fine=(0, 3))
        _say_what_next(config)
        if keep:
            _wait_for_ctrl_c()
    database.dispose()


def _say_what_next(config: Path) -> None:
    click.secho("\nTry next:", bold=True)
    click.echo("  calsync demo --keep      leaves all of this running, to look around with:")
    for line in ("drifts list --open", "calendars list", "appointments explain 4821", "drifts resolve ID --as stands"):
        click.echo(f"  calsync {line} --config {config}")
    click.echo("  README.md                from here to your own calendar in ten minutes")


def _wait_for_ctrl_c() -> None:
    click.echo("\nEverything keeps running. End it with Ctrl-C.")
    try:
        SystemSleep().wait(StopEvent(), FOREVER_S)
    except KeyboardInterrupt:
        click.echo("Ended.")


@contextmanager
def _folder(*, keep: bool) -> Iterator[Path]:
    if keep:
        yield Path(tempfile.mkdtemp(prefix="calsync-demo-"))
        return
    with tempfile.TemporaryDirectory(prefix="calsync-demo-", ignore_cleanup_errors=True) as name:
        yield Path(name)
