"""`python -m calsync`, and the entry point of the `calsync` command."""

import sys

from calsync.cli.early import listen


def main() -> None:
    """Carry out the command line. Interrupted while the program is still being read, it says so in one word as well."""
    listen(sys.argv[1:])
    try:
        from calsync.cli.main import main as carry_out  # noqa: PLC0415 - most of the time before the first deed
    except KeyboardInterrupt:
        sys.exit("Interrupted.")
    carry_out()


if __name__ == "__main__":
    main()
