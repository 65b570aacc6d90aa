"""`calsync demo`: everything on one machine, in about a minute."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.ports import Sleep
from calsync.store.database import open_database
from calsync.system_ports import StopEvent, SystemClock, SystemIds, SystemSleep

if TYPE_CHECKING:
    from calsync.demo.caldav_server import CaldavServer
    from calsync.demo.practice import Practice

MIRRORED = 15  # events that the demo's records make; a series is one


def register(app: click.Group) -> None:
    """Add the command."""
    app.add_command(demo)


@click.command()
@click.option("--keep", is_flag=True, help="Leave server and worker running, and the files in place, until Ctrl-C.")
@pass_app
def demo(app: App, keep: bool) -> int:
    """A real CalDAV server, a small practice, people who edit their calendars, and what calsync makes of it."""
    # The demo brings a server and a calendar client of its own, which an ordinary installation need not have.
    from calsync.demo.caldav_server import running_server
    from calsync.demo.practice import PROVIDERS, write_practice

    clock, sleep = SystemClock(), SystemSleep()
    with _folder(keep) as folder, running_server(folder / "server", list(PROVIDERS), sleep) as server:
        practice = write_practice(folder, server, clock.now(), SystemIds())
        click.echo(f"A real CalDAV server listens at {server.home_of('')}; all files are in {folder}.")
        _prepare(practice.config, practice.appointments)
        _play(server, practice, sleep, keep=keep)
    return ExitCode.FINE


def _prepare(config: Path, appointments: Path) -> None:
    _calsync("db", "upgrade", "--config", str(config))
    _calsync("appointments", "import", str(appointments), "--config", str(config), "--by", "support:demo")
    _calsync(
        *("blocks", "add", "--provider", "ben", "--start", "2027-01-04T09:00", "--end", "2027-01-04T17:00"),
        *("--config", str(config), "--by", "provider:ben"),
    )


def _play(server: CaldavServer, practice: Practice, sleep: Sleep, *, keep: bool) -> None:
    from calsync.demo.stage import Stage, running_worker

    config = practice.config
    database = open_database(f"sqlite:///{config.parent / 'calsync.db'}")
    clock = SystemClock()
    stage = Stage(server, practice, database, clock, sleep)
    with running_worker(config, config.parent / "worker.log"):
        click.echo("The worker runs. It makes a calendar for each provider and shows the sessions there …")
        stage.wait_until_mirrored(MIRRORED)
        click.echo(f"{MIRRORED} events are in place. Now people edit them, with an ordinary calendar client.")
        stage.play()
        stage.release("cleo", lambda *line: _calsync(*line, "--config", str(config)))
        click.secho("\nAnd the claims?", bold=True)
        _calsync("claims", "check", "4822", "4823", "4821", "--config", str(config), fine=(0, 3))
        click.secho("\nThe report:", bold=True)
        _calsync("report", "--config", str(config), fine=(0, 3))
        _say_what_next(config)
        if keep:
            _wait_for_ctrl_c(sleep)
    database.dispose()


def _calsync(*line: str, fine: tuple[int, ...] = (0,)) -> int:
    """Run one command as a person would type it, and show it."""
    from calsync.cli.main import run

    shown = [word for word in line if word != "--config"]
    click.secho(f"$ calsync {' '.join(word for word in shown if not word.endswith('calsync.toml'))}", fg="cyan")
    code = run(line)
    if code not in fine:
        raise click.ClickException(f"that ended with {code}")
    return code


def _say_what_next(config: Path) -> None:
    click.secho("\nTry next:", bold=True)
    click.echo("  calsync demo --keep      leave all of this running, and look around:")
    for line in ("drifts list --open", "calendars list", "appointments explain 4821", "drifts resolve ID --as stands"):
        click.echo(f"  calsync {line} --config {config}")
    click.echo("  README.md                from here to your own calendar in ten minutes")


def _wait_for_ctrl_c(sleep: Sleep) -> None:
    click.echo("\nEverything keeps running. End it with Ctrl-C.")
    stop = StopEvent()
    try:
        sleep.wait(stop, 10.0**7)
    except KeyboardInterrupt:
        click.echo("Ended.")


@contextmanager
def _folder(keep: bool) -> Iterator[Path]:
    if keep:
        yield Path(tempfile.mkdtemp(prefix="calsync-demo-"))
        return
    with tempfile.TemporaryDirectory(prefix="calsync-demo-", ignore_cleanup_errors=True) as name:
        yield Path(name)
