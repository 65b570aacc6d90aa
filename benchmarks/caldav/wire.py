"""A process between a client and the server that counts requests and bytes in both directions.

Command: `python -m benchmarks.caldav.wire PORT`. It prints the port it listens on; each line on its standard input is
answered by the counts since the last one, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

_REQUEST = re.compile(rb"^(?:GET|PUT|DELETE|PROPFIND|REPORT|OPTIONS|MKCALENDAR|HEAD|PROPPATCH|MOVE) \S+ HTTP/1\.1\r\n")


@dataclass(frozen=True, slots=True)
class Traffic:
    """What passed: requests, and bytes with all headers."""

    requests: int
    sent: int
    received: int

    @property
    def total(self) -> int:
        """Bytes both ways."""
        return self.sent + self.received


class Wire:
    """The process, as its user sees it."""

    def __init__(self, target_port: int) -> None:
        command = [sys.executable, "-m", "benchmarks.caldav.wire", str(target_port)]
        self._process: Any = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self._process.stdout.readline())

    def take(self) -> Traffic:
        """What passed since the last call."""
        self._process.stdin.write("take\n")
        self._process.stdin.flush()
        return Traffic(**json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        """End it."""
        self._process.stdin.close()
        self._process.wait(10)


async def _main(target_port: int) -> None:
    counts = {"requests": 0, "sent": 0, "received": 0}

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str) -> None:
        try:
            while data := await reader.read(1 << 16):
                counts[name] += len(data)
                if name == "sent" and _REQUEST.match(data):
                    counts["requests"] += 1
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", target_port)
        await asyncio.gather(pump(reader, there_writer, "sent"), pump(there_reader, writer, "received"))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(counts), flush=True)
        counts.update(requests=0, sent=0, received=0)


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
