"""A real Radicale."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.servers.process import Server, free_port

_CONFIG = """\
[server]
hosts = 127.0.0.1:{port}
max_content_length = 10000000
[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
delay = 0
[storage]
filesystem_folder = {folder}/collections
[rights]
type = owner_only
[logging]
level = warning
"""


def radicale(folder: Path, users: int = 4) -> Server:
    """Return a Radicale, not yet started, with users user1 to userN."""
    port = free_port()
    (folder / "users").write_text("".join(f"user{n}:user{n}\n" for n in range(1, users + 1)))
    (folder / "config").write_text(_CONFIG.format(port=port, folder=folder))
    command = [sys.executable, "-m", "radicale", "--config", str(folder / "config")]
    return Server("radicale", command, port, folder, "/{user}/", users)
