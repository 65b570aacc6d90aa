"""A server in a process of its own with a crowd before it: row 104 at full size."""

from __future__ import annotations

import multiprocessing
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path

from calsync.store.database import open_database
from calsync.store.upgrade import upgrade
from calsync.web.server import WebServer
from tests.hostile.crowd import Served, crowd, serve_one
from tests.unit.web.conftest import House

_PROCESSES = multiprocessing.get_context("spawn")


def crowded(number: int) -> Served:
    """Hold that many slow connections open on a server of our own, and ask it fifty times."""
    # The server is a process of its own, as it is in use: either side needs a file for each connection.
    here, there = _PROCESSES.Pipe()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'calsync.db'}"
        upgrade(url)
        process = _PROCESSES.Process(target=_serve, args=(url, there))
        process.start()
        try:
            port = here.recv()
            with crowd(port, number):
                served = serve_one(port, 50)
        finally:
            here.send("stop")
            process.join(20)
    return served


def _serve(url: str, pipe: Connection) -> None:
    database = open_database(url)
    server = WebServer(House(database).app, ("127.0.0.1", 0))
    server.start()
    pipe.send(server.address[1])
    pipe.recv()
    server.stop()
    database.dispose()
