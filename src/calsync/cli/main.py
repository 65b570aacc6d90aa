"""The `calsync` command: gathers the command groups, and turns every error into sentences and an exit code."""

import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Final

import click
import structlog

from calsync import __version__
from calsync.cli.exit_codes import ExitCode, exit_code_of
from calsync.cli.log_output import describe_frames, set_up_logging
from calsync.cli.options import actor_options, add_config_option, config_option, json_option
from calsync.errors import CalsyncError, Refused, UserError
from calsync.system_ports import SystemIds

COMMANDS: Final = {
    "init": "init",
    "config": "config",
    "db": "db",
    "run": "run",
    "worker": "run",
    "serve": "run",
    "sync": "sync",
    "doctor": "doctor",
    "demo": "demo",
    "connect": "connect",
    "connections": "connections",
    "providers": "providers",
    "clients": "clients",
    "calendars": "calendars",
    "appointments": "appointments",
    "series": "series",
    "blocks": "blocks",
    "fees": "fees",
    "packages": "packages",
    "availability": "availability",
    "slots": "availability",
    "links": "links",
    "drifts": "drifts",
    "claims": "claims",
    "report": "report",
    "fleet": "fleet",
    "audit": "audit",
    "records": "records",
    "webhooks": "webhooks",
    "tokens": "tokens",
    "users": "users",
    "secrets": "secrets",
    "backup": "backup",
    "emergency": "emergency",
    "purge": "purge",
}
"""Top-level commands in the order of `--help`, and the module of this package that brings each.

A module has `register(app: click.Group)` and is imported when one of its commands is asked for.
"""

_log = structlog.get_logger(__name__)

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


class CommandTable(click.Group):
    """The root group. It loads only the module of the command that runs, so that each starts fast and alone."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names of all commands whose module is there."""
        return [name for name, module in COMMANDS.items() if self._load(module) and name in self.commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name, its module loaded; None if there is none."""
        if cmd_name not in self.commands and cmd_name in COMMANDS:
            self._load(COMMANDS[cmd_name])
        return self.commands.get(cmd_name)

    def _load(self, module: str) -> bool:
        name = f"calsync.cli.{module}"
        if find_spec(name) is None:
            return False
        if all(self.commands.get(command) is None for command, home in COMMANDS.items() if home == module):
            import_module(name).register(self)
            add_config_option(self)
        return True


def build_app() -> click.Group:
    """The whole command tree."""

    @click.group(cls=CommandTable, context_settings={"help_option_names": ["-h", "--help"]})
    @click.version_option(__version__, prog_name="calsync")
    @config_option
    @json_option
    @actor_options
    def calsync() -> None:
        """Keeps calendars in step with appointment records, and wrong dates out of claims."""

    return calsync


def main() -> None:
    """Entry point of the `calsync` command."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Carry out one command line and return its exit code. Whatever goes wrong is told in sentences."""
    set_up_logging()
    try:
        result = build_app().main(list(arguments), prog_name="calsync", standalone_mode=False)
    except click.ClickException as error:
        error.show(sys.stderr)
        return exit_code_of(error)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return ExitCode.FAILED
    except CalsyncError as error:
        _tell(error)
        return exit_code_of(error)
    except BrokenPipeError:
        # The reader (`head`, say) has seen enough. Python would complain once more while closing its output.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.FAILED
    except Exception as error:  # noqa: BLE001 - the last border: a person gets a sentence, the log gets the place
        return _tell_unexpected(error)
    return int(result or ExitCode.FINE)


def _tell(error: CalsyncError) -> None:
    problems = error.problems if isinstance(error, UserError) else (error,)
    for problem in problems:
        click.echo(str(problem), err=True)
    if len(problems) > 1:
        click.echo(f"{len(problems)} problems; nothing was changed.", err=True)
    if isinstance(error, Refused):
        click.echo(f"Rule: {error.code}", err=True)


def _tell_unexpected(error: Exception) -> int:
    if isinstance(error, OSError) and error.errno in _NO_SPACE:
        click.echo(
            "No space is left where the output, or a temporary file, was written. Free some and repeat.", err=True
        )
        return ExitCode.FAILED
    log_id = SystemIds().new_id("error")
    frames = describe_frames(error.__traceback__)
    _log.error("unexpected_error", log_id=log_id, error=type(error).__name__, frames=frames)
    click.echo(f"calsync met something it was not made for. Please report it with log id {log_id}.", err=True)
    return exit_code_of(error)
