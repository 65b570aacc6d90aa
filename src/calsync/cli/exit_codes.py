"""What a command's exit code means. The only place that decides it; scripts rely on these four."""

from enum import IntEnum

import click

from calsync.errors import ConfigError, StartRefusedError


class ExitCode(IntEnum):
    """How a command ended."""

    FINE = 0
    """Done; nothing needs anybody."""
    FAILED = 1
    """Failed, or refused by a rule; what it says on the error output is why."""
    USAGE = 2
    """The command line or the configuration cannot be used; nothing was started."""
    NEEDS_PERSON = 3
    """Done, and something needs a person."""


def exit_code_of(error: BaseException) -> ExitCode:
    """The code for a command that ended with this error."""
    if isinstance(error, ConfigError | StartRefusedError | click.UsageError):
        return ExitCode.USAGE
    return ExitCode.FAILED
