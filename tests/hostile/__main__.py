"""`python -m tests.hostile [--crowd N]`: print the register; or hold N slow connections open on a server of its own."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from calsync.store.database import open_database
from calsync.store.upgrade import upgrade
from calsync.web.server import WebServer
from tests.hostile.crowd import crowd, serve_one
from tests.hostile.register import entries, missing
from tests.unit.web.conftest import House


def main(arguments: list[str]) -> int:
    """1 if something that the register names is missing, or the client among the crowd was not served."""
    parser = argparse.ArgumentParser(prog="./dev hostile", description=__doc__)
    parser.add_argument(
        "--crowd", type=int, metavar="N", help="how many slow and idle connections (the list asks for 10,000)"
    )
    asked = parser.parse_args(arguments)
    return _register() if asked.crowd is None else _crowd(asked.crowd)


def _register() -> int:
    gone = 0
    for one in entries():
        lost = set(missing(one))
        gone += len(lost)
        print(f"{one.number or '':>3} {one.what}: {one.answer}")
        for name in (*one.files, *one.proof):
            print(f"      {'MISSING ' if name in lost else ''}{name}")
    return 1 if gone else 0


def _crowd(number: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'calsync.db'}"
        upgrade(url)
        database = open_database(url)
        server = WebServer(House(database).app, ("127.0.0.1", 0))
        server.start()
        try:
            with crowd(server.address[1], number):
                served = serve_one(server.address[1], 50)
        finally:
            server.stop()
            database.dispose()
    print(f"{number} connections held open; {served.requests} requests beside them, the slowest {served.slowest:.3f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
