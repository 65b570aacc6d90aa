"""The `calsync` command: gathers the command groups, and turns every error into sentences and an exit code."""

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
from calsync.errors import CalsyncError, UserError
from calsync.system_ports import SystemIds

GROUPS: Final = (
    "init",
    "config",
    "db",
    "run",
    "sync",
    "demo",
    "providers",
    "calendars",
    "appointments",
    "drifts",
    "claims",
    "report",
)
"""Modules of this package that bring commands, in the order of `--help`; each has `register(app: click.Group)`."""

_log = structlog.get_logger(__name__)


class OrderedGroup(click.Group):
    """A group that lists its commands in the order in which they were added."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names of the commands, as added."""
        return list(self.commands)


def build_app() -> click.Group:
    """The whole command tree."""

    @click.group(cls=OrderedGroup, context_settings={"help_option_names": ["-h", "--help"]})
    @click.version_option(__version__, prog_name="calsync")
    @config_option
    @json_option
    @actor_options
    def calsync() -> None:
        """Keeps calendars in step with appointment records, and wrong dates out of claims."""

    for name in GROUPS:
        if find_spec(f"calsync.cli.{name}") is not None:
            import_module(f"calsync.cli.{name}").register(calsync)
    add_config_option(calsync)
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


def _tell_unexpected(error: Exception) -> int:
    log_id = SystemIds().new_id("error")
    frames = describe_frames(error.__traceback__)
    _log.error("unexpected_error", log_id=log_id, error=type(error).__name__, frames=frames)
    click.echo(f"calsync met something it was not made for. Please report it with log id {log_id}.", err=True)
    return exit_code_of(error)
