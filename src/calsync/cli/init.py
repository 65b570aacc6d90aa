"""`calsync init`: a first configuration that observes and changes nothing."""

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

import click

from calsync.cli.context import App, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.errors import Problem, Refused
from calsync.settings.render import render_config, render_practice
from calsync.settings.secrets import create_key_file

_SYSTEM: Final = Path("/etc")
_STATE: Final = Path("/var/lib/calsync")
_GROUP: Final = "calsync"


def register(app: click.Group) -> None:
    """Add the command."""
    app.add_command(init)


@click.command()
@click.argument("folder", metavar="[DIR]", default="config", type=click.Path(path_type=Path, file_okay=False))
@click.option("--act", is_flag=True, help="Put edits back and hold claims from the start, instead of observing.")
@pass_app
def init(app: App, folder: Path, *, act: bool) -> int:
    """Write a first configuration into DIR (default: config).

    It observes only, unless --act: records are mirrored and edits recorded, but nothing is put back and no claim held.
    """
    config = folder / "calsync.toml"
    if config.exists():
        remedy = "Edit it, or name another folder"
        raise Refused([Problem("there is a configuration already, and nothing was changed", str(config), remedy)])
    mode = "act" if act else "observe"
    _write(folder / "practices" / "default.toml", render_practice())
    _make_private(folder / "secrets")
    key_file = folder / "calsync.key"
    if not key_file.exists():
        create_key_file(key_file, app.ids)
    if _is_system(folder):
        _let_the_service_read(folder / "secrets", key_file)
    chosen = {"sync.mode": mode, "secrets.key_file": key_file.name, "database.url": _database_for(folder)}
    _write(config, render_config(app.connectors, chosen))
    _print_next_steps(folder, config, mode)
    return ExitCode.FINE


def _database_for(folder: Path) -> str:
    """Where the books go: beside the config, but for a config under /etc, which services cannot write to."""
    return f"sqlite:///{_STATE / 'calsync.db'}" if _is_system(folder) else "sqlite:///calsync.db"


def _is_system(folder: Path) -> bool:
    return folder.absolute().is_relative_to(_SYSTEM)


def _let_the_service_read(folder: Path, file: Path) -> None:
    """What root writes for the service belongs to root and is read by the service's group, if there is one yet."""
    with suppress(KeyError, PermissionError, LookupError):
        for path, mode in ((folder, 0o750), (file, 0o640)):
            shutil.chown(path, group=_GROUP)
            path.chmod(mode)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_text(text, encoding="utf-8")


def _make_private(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)


def _print_next_steps(folder: Path, config: Path, mode: str) -> None:
    option = "" if folder == Path("config") else f" --config {config}"
    click.echo(f"Wrote {config} (mode: {mode}), {folder / 'practices/default.toml'} and {folder / 'calsync.key'}.")
    click.echo(f"Keep a copy of {folder / 'calsync.key'} apart from the database.\n")
    if _is_system(folder):
        click.echo("Next, as the service's account (runuser -u calsync -- calsync ...), after docs/start.md:")
    else:
        click.echo("Next:")
    click.echo(f"  1. Add your providers and their calendars at the end of {config};")
    click.echo(f"     put passwords into files in {folder / 'secrets'} (chmod 600).")
    click.echo(f"  2. calsync config check{option}")
    click.echo(f"  3. calsync db upgrade{option}")
    click.echo(f"  4. calsync run{option}")
    if mode == "observe":
        click.echo('\nIt observes only. To act on edits later, set mode = "act" under [sync].')
