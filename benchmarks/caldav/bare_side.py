"""The bare minimum: the requests that calsync sends, over the same HTTP library, with nothing around them.

Command: `python -m benchmarks.caldav.bare_side` with one JSON line on its standard input: port, user, and the requests
(method, path, headers, body) to send, how often. It prints CPU seconds and peak memory as JSON.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from http.client import HTTPConnection
from typing import Any

from benchmarks.caldav.memory import peak_mb

Order = dict[str, Any]


def send(port: int, user: str, requests: list[Order], *, times: int = 1) -> dict[str, float]:
    """Have them sent by a fresh process; CPU seconds in all, and peak memory."""
    order = {"port": port, "user": user, "requests": requests, "times": times}
    command = [sys.executable, "-m", "benchmarks.caldav.bare_side"]
    done = subprocess.run(command, input=json.dumps(order), text=True, capture_output=True, check=True)
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


def main() -> None:
    order = json.loads(sys.stdin.read())
    login = base64.b64encode(f"{order['user']}:{order['user']}".encode()).decode()
    headers = {"Authorization": f"Basic {login}", "User-Agent": "calsync", "Accept-Encoding": "gzip"}
    connection = HTTPConnection("127.0.0.1", order["port"])
    requests = [
        (one["method"], one["path"], one["body"].encode(), {**headers, **one["headers"]}) for one in order["requests"]
    ]
    began = time.process_time()
    for _ in range(order["times"]):
        for method, path, body, more in requests:
            connection.request(method, path, body, more)
            response = connection.getresponse()
            response.read()
            assert response.status in {200, 201, 204, 207}, (method, response.status)
    cpu = time.process_time() - began
    print(json.dumps({"cpu": cpu, "rss_mb": peak_mb()}))


if __name__ == "__main__":
    main()
