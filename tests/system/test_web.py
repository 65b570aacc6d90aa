"""The HTTP face alone and beside the worker; keys and tokens by command; a mail that really leaves."""

from __future__ import annotations

import resource
import signal
import socket
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiosmtpd.controller import Controller

from calsync.settings.secrets import KeyRing, create_key_file
from calsync.store import outbox
from calsync.store.database import open_database
from calsync.system_ports import SystemIds
from tests.servers.process import free_port
from tests.system.site import Site
from tests.waiting import until


class House(Site):
    """A site without calendars, on a free port."""

    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ready(self) -> httpx.Response:
        return httpx.get(f"{self.url}/readyz", timeout=2)


@pytest.fixture
def house(tmp_path: Path) -> House:
    site = House(tmp_path)
    site.port = free_port()
    site.calendars.append(
        '[[providers]]\nid = "ada"\nname = "Dr. Ada"\nemail = "ada@example.org"\nzone = "America/New_York"\n'
        f'[web]\nlisten = "127.0.0.1:{site.port}"\npublic_url = "https://calsync.example.org"\n'
    )
    return site


def stopped(process: subprocess.Popen[bytes]) -> int:
    """Its exit code after SIGTERM, within ten seconds."""
    process.send_signal(signal.SIGTERM)
    return process.wait(10)


@pytest.mark.parametrize("command", ["run", "serve"])
def test_it_answers_and_ends_when_asked(house: House, command: str) -> None:
    house.set_up()
    with house.running(command) as process:
        assert until(house.ready).json() == {"ready": True, "problems": []}
        with httpx.Client() as kept:
            kept.get(f"{house.url}/healthz")
            assert stopped(process) == 0
    with pytest.raises(httpx.ConnectError):
        house.ready()


def test_serve_ends_with_a_sentence_when_its_port_is_taken(house: House) -> None:
    house.set_up()
    with socket.create_server(("127.0.0.1", house.port)):
        answer = house.calsync("serve")
    assert answer.code == 1
    assert f"cannot listen on 127.0.0.1:{house.port} (address already in use)" in answer.err


def test_the_worker_goes_on_without_the_web(house: House) -> None:
    house.set_up()
    log = house.folder / "process.log"
    with socket.create_server(("127.0.0.1", house.port)), house.running("run") as process:
        until(lambda: "The worker runs; the web is tried again" in log.read_text())
        assert process.poll() is None
        assert stopped(process) == 0


def test_idle_and_slow_connections_keep_nobody_out(house: House) -> None:
    house.set_up()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    files = 4096 if hard == resource.RLIM_INFINITY else min(4096, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(1024, files), hard))  # what a service gets if nobody says more
    with house.running("serve") as process:
        until(house.ready)
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
        idle = [socket.create_connection(("127.0.0.1", house.port)) for _ in range(min(1500, files - 500))]
        for number, one in enumerate(idle):
            if number % 2:
                one.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        began = time.monotonic()
        for _ in range(20):
            assert httpx.get(f"{house.url}/healthz", timeout=5).status_code == 200
        assert time.monotonic() - began < 5
        for one in idle:
            one.close()
        assert stopped(process) == 0


def test_a_command_line_token_opens_the_interface_until_it_is_revoked(house: House) -> None:
    house.set_up()
    made = house.calsync("tokens", "add", "--role", "billing", "--name", "claims job", "--json").json
    headers = {"Authorization": f"Bearer {made['token']}"}
    listed = house.calsync("tokens", "list", "--json")
    assert made["token"] not in listed.out
    assert [(one["id"], one["role"], one["name"]) for one in listed.json] == [(made["id"], "billing", "claims job")]
    with house.running("serve"):
        until(house.ready)
        url = f"{house.url}/api/v1/claims/4821"
        assert httpx.get(url, headers=headers).status_code == 404
        assert house.calsync("tokens", "revoke", made["id"]).code == 0
        assert httpx.get(url, headers=headers).status_code == 401
    assert house.calsync("tokens", "revoke", made["id"]).code == 1
    assert house.calsync("tokens", "add", "--role", "king").code == 2
    assert made["token"] not in (house.folder / "process.log").read_text()


def test_keys_are_rotated_by_command_and_a_wrong_key_file_starts_nothing(house: House) -> None:
    house.set_up()
    assert house.calsync("sync").code in (0, 3)
    key = house.folder / "calsync.key"
    first = KeyRing.read(key)
    answer = house.calsync("secrets", "rotate")
    assert answer.code == 0
    assert KeyRing.read(key).keys[1:] == first.keys
    assert house.calsync("sync").code in (0, 3)
    assert house.calsync("audit", "verify").code == 0
    key.unlink()
    assert house.calsync("serve").code == 2
    create_key_file(key, SystemIds())
    for command in ("serve", "run", "sync"):
        refused = house.calsync(command)
        assert refused.code == 2
        assert "Put it back from its copy" in refused.err


# --- a mail that leaves ----------------------------------------------------------------------------------------------


class Box:
    """Keeps what it takes."""

    def __init__(self) -> None:
        self.taken: list[Any] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.taken.append(envelope)
        return "250 taken"


def test_the_worker_sends_what_is_owed(house: House) -> None:
    box, port = Box(), free_port()
    house.calendars.append(
        f'[mail]\nsmtp_url = "smtp://127.0.0.1:{port}"\nsender = "calendars@example.org"\n'
        'support = "support@example.org"\n'
    )
    house.set_up()
    database = open_database(f"sqlite:///{house.folder / 'calsync.db'}")
    at = datetime.now(UTC) - timedelta(minutes=20)
    with database.transaction() as conn:
        outbox.put(conn, "k", "mails-held", "support", {"limit": 7}, now=at, due_at=at)
    with house.running("worker") as process:
        # The server comes up later than the mail is due: it is tried again.
        until(lambda: "mail_server_away" in (house.folder / "process.log").read_text())
        with database.transaction() as conn:
            outbox.hold(conn, ["k"], datetime.now(UTC))
        controller = Controller(box, hostname="127.0.0.1", port=port)
        controller.start()
        try:
            until(lambda: box.taken)
        finally:
            controller.stop()
        assert stopped(process) == 0
    assert len(box.taken) == 1
    assert box.taken[0].rcpt_tos == ["support@example.org"]
    with database.reading() as conn:
        item = outbox.get(conn, "k")
    assert item is not None
    assert item.state == "sent"
    assert item.message_id is not None
    assert item.message_id.encode() in box.taken[0].content
    database.dispose()
