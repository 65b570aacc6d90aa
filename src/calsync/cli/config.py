"""`calsync config`: is it right, what is in force, and what may stand in it."""

import json

import click

from calsync.cli.context import App, find_config, pass_app
from calsync.cli.exit_codes import ExitCode
from calsync.cli.options import json_option
from calsync.errors import ConfigError
from calsync.notices.specimens import check_templates
from calsync.settings import Settings
from calsync.settings.claims import find_wider_keys
from calsync.settings.render import render_schema, write_value


def register(app: click.Group) -> None:
    """Add the group."""
    app.add_command(config)


@click.group()
def config() -> None:
    """Check and show the configuration."""


@config.command()
@json_option
@pass_app
def check(app: App) -> int:
    """Name every problem in the configuration, and every key that opens the claims gate wider than the default."""
    try:
        settings = app.settings
        _check_texts(settings)
    except ConfigError as error:
        if not app.as_json:
            raise
        rows = [{"what": each.what, "where": each.where, "remedy": each.remedy} for each in error.problems]
        click.echo(json.dumps({"problems": rows, "notes": []}, indent=2))
        return ExitCode.USAGE
    notes = _find_notes(settings)
    if app.as_json:
        click.echo(json.dumps({"problems": [], "notes": notes}, indent=2))
        return ExitCode.FINE
    for note in notes:
        click.echo(note)
    click.echo(
        f"{find_config(app.config_path)} is fine: {len(settings.providers)} providers, "
        f"{len(settings.calendars())} calendars, {len(settings.practices)} practices, mode {settings.sync.mode}."
    )
    return ExitCode.FINE


@config.command()
@json_option
@pass_app
def show(app: App) -> int:
    """Print the values in force, defaults included. Secrets are not among them, only the names of their files."""
    values = app.settings.as_toml_values()
    values["practices"] = {
        name: practice.model_dump(mode="json", exclude_none=True, by_alias=True)
        for name, practice in app.settings.practices.items()
    }
    if app.as_json:
        click.echo(json.dumps(values, indent=2))
    else:
        for line in _flatten(values):
            click.echo(line)
    return ExitCode.FINE


@config.command()
@pass_app
def schema(app: App) -> int:
    """Print a JSON schema of calsync.toml, for editors."""
    click.echo(render_schema(app.connectors), nl=False)
    return ExitCode.FINE


def _check_texts(settings: Settings) -> None:
    if faults := check_templates(settings.folder / "templates", sorted(settings.practices)):
        raise ConfigError(faults)


def _find_notes(settings: Settings) -> list[str]:
    notes = [f"claims.{key} opens the gate wider than the default." for key in find_wider_keys(settings.claims)]
    everywhere = set(find_wider_keys(settings.claims))
    for name in settings.practices:
        own = [key for key in find_wider_keys(settings.claims_for(name)) if key not in everywhere]
        notes += [f"Practice {name}: claims.{key} opens the gate wider than the default." for key in own]
    notes += [
        f'Practice {name} is in mode "{settings.mode_for(name)}", unlike calsync.toml.'
        for name in settings.practices
        if settings.mode_for(name) != settings.sync.mode
    ]
    notes += [
        f"Provider {provider.id} is declared without calendars: claims rest on the record and a person's word."
        for provider in settings.providers
        if provider.declared_without_calendars
    ]
    if not settings.secrets.key_file.exists():
        notes.append(f"There is no key file {settings.secrets.key_file} yet; calsync does not start without one.")
    if settings.testing.clock:
        notes.append("testing.clock allows a fixed clock: never in production.")
    return notes


def _flatten(values: object, path: str = "") -> list[str]:
    if isinstance(values, dict) and values:
        return [
            line for key, value in values.items() for line in _flatten(value, f"{path}.{key}" if path else str(key))
        ]
    if isinstance(values, list) and values and isinstance(values[0], dict):
        return [line for number, row in enumerate(values, 1) for line in _flatten(row, f"{path}[{number}]")]
    return [f"{path} = {write_value(values)}"]
