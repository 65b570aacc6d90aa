"""Options that many commands share. Each may stand before or after the subcommand and ends up in the `App`."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from calsync.cli.context import App

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_ACTOR: Final = re.compile(r"system|(?:provider|client|support):[^\s:][^\r\n:]{0,127}")


def config_option(command: Decorated) -> Decorated:
    """`--config PATH`. Every command has it: `main` adds it where a command does not say so itself."""
    return click.option(
        "--config",
        metavar="PATH",
        type=click.Path(path_type=Path),
        expose_value=False,
        callback=_keep("config_path"),
        help="Config file. Default: $CALSYNC_CONFIG, ./config/calsync.toml, /etc/calsync/calsync.toml.",
    )(command)


def json_option(command: Decorated) -> Decorated:
    """`--json`, for a command that shows something; the command then prints `app.as_json`-dependent output."""
    return click.option(
        "--json", is_flag=True, expose_value=False, callback=_keep("as_json"), help="Print JSON, for programs."
    )(command)


def actor_options(command: Decorated) -> Decorated:
    """`--by ACTOR` and `--note TEXT`, for a command that changes something; see `app.actor` and `app.note`."""
    command = click.option(
        "--note", metavar="TEXT", expose_value=False, callback=_keep("note"), help="Why, for the audit log."
    )(command)
    return click.option(
        "--by",
        metavar="ACTOR",
        expose_value=False,
        callback=_keep_actor,
        help="provider:ID, client:ID, support:NAME or system. Default: support:$USER.",
    )(command)


def add_config_option(command: click.Command) -> None:
    """Give a command and all below it `--config`, unless it has one."""
    if not any(parameter.name == "config" for parameter in command.params):
        holder = click.Command("holder", params=[])
        config_option(holder)
        command.params += holder.params
    if isinstance(command, click.Group):
        for below in command.commands.values():
            add_config_option(below)


def _keep(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def keep(context: click.Context, _parameter: click.Parameter, value: Any) -> None:
        # The same option before the subcommand stays in force unless it is given again.
        if value not in (None, False):
            setattr(context.ensure_object(App), name, value)

    return keep


def _keep_actor(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    if value is not None and not _ACTOR.fullmatch(value):
        raise click.BadParameter("write provider:ID, client:ID, support:NAME or system", context, parameter)
    _keep("by")(context, parameter, value)
