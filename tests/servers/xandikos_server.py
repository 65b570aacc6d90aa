"""A real Xandikos for several users, behind its own Basic authentication.

Its command line offers that only together with a certificate of its own, so this file, run as a program, puts the same
middleware before the same application on plain HTTP.
"""

from __future__ import annotations

import base64
import hashlib
import sys
from pathlib import Path

from tests.servers.process import Server, free_port


def xandikos(folder: Path, users: int = 4) -> Server:
    """Return a Xandikos, not yet started, with users user1 to userN."""
    port = free_port()
    names = [f"user{n}" for n in range(1, users + 1)]
    lines = (f"{name}:{{SHA}}{base64.b64encode(hashlib.sha1(name.encode()).digest()).decode()}\n" for name in names)
    (folder / "users").write_text("".join(lines))
    (folder / "data").mkdir(exist_ok=True)
    program = str(Path(__file__).with_name("xandikos_program.py"))
    command = [sys.executable, program, str(port), str(folder)]
    return Server("xandikos", command, port, folder, "/{user}/calendars/", users)
