"""Files that hold what nobody else on the machine may read: their owner's alone, whatever the process's umask says."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, TextIO

PRIVATE: Final = 0o600


def open_private(path: Path, *, newline: str | None = None) -> TextIO:
    """Open a file to be written anew, as UTF-8.

    One that is made now can be read by its owner alone; one that stands there keeps the mode that somebody gave it.
    Raises OSError.
    """
    flags = os.O_WRONLY | os.O_CREAT
    try:
        number = os.open(path, flags | os.O_EXCL, PRIVATE)
    except FileExistsError:
        number = os.open(path, flags | os.O_TRUNC, PRIVATE)
    else:
        os.fchmod(number, PRIVATE)  # a umask may have taken more away than is good for its owner
    return os.fdopen(number, "w", encoding="utf-8", newline=newline)


def write_private(path: Path, text: str) -> None:
    """Write a whole text so. Raises OSError."""
    with open_private(path) as file:
        file.write(text)
