"""A whole installation in a folder: config, keys, database; driven through the command line, as other programs do."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from caldav.davclient import DAVClient

from calsync.cli.main import run
from calsync.settings.secrets import create_key_file
from calsync.system_ports import SystemIds
from tests.system.programs import Program

ZONE = "America/New_York"
# A Monday, nine in the morning in that zone.
NOW = datetime(2026, 11, 16, 14, 0, tzinfo=UTC)
COLUMNS = ("id", "provider", "client", "start", "end", "zone", "kind", "status", "series", "rule", "code")


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its output as JSON."""
        return json.loads(self.out)


@dataclass(slots=True)
class Site:
    """One installation. `now` fixes its clock; None is the real one."""

    folder: Path
    now: datetime | None = None
    calendars: list[str] = field(default_factory=list)

    def set_up(self, *, settle: str = "90s", brakes: str = "", more: str = "") -> None:
        """Write config, keys and calendars, and make the database. `brakes`: further keys of `[drift]`."""
        create_key_file(self.folder / "calsync.key", SystemIds())
        head = f'[drift]\nsettle = "{settle}"\n{brakes}\n[testing]\nclock = true\n\n{more}\n'
        (self.folder / "calsync.toml").write_text(head + "".join(self.calendars), encoding="utf-8")
        assert self.calsync("db", "upgrade").code == 0

    def add_provider(self, provider: str, url: str, user: str, password: str | None = None) -> None:
        """Plan a provider with one calendar, named after the provider with `-cal`."""
        secret = self.folder / f"{provider}.password"
        secret.touch(mode=0o600)
        secret.write_text((password or user) + "\n", encoding="utf-8")
        self.calendars.append(
            f'[[providers]]\nid = "{provider}"\nname = "Dr. {provider}"\nemail = "{provider}@example.org"\n'
            f'zone = "{ZONE}"\npractice = "default"\n[[providers.calendars]]\nid = "{provider}-cal"\n'
            f'connector = "caldav"\nurl = "{url}"\nusername = "{user}"\npassword_file = "{provider}.password"\n\n'
        )

    def calsync(self, *line: str) -> Answer:
        """Run a command of this installation in this process, as the command line would."""
        return self.calsync_as_typed(*line, "--config", str(self.folder / "calsync.toml"))

    def calsync_as_typed(self, *line: str) -> Answer:
        """Run a command exactly as it is typed."""
        out, err = _capture(), _capture()
        before = os.environ.get("CALSYNC_NOW")
        if self.now is not None:
            os.environ["CALSYNC_NOW"] = self.now.isoformat()
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = run(line)
        finally:
            if self.now is not None:
                os.environ.pop("CALSYNC_NOW", None)
            if before is not None:
                os.environ["CALSYNC_NOW"] = before
        return Answer(code, _captured(out), _captured(err))

    def start(self, *line: str) -> subprocess.Popen[bytes]:
        """Start a command as a process of its own, with the real clock."""
        environ = {name: value for name, value in os.environ.items() if name != "CALSYNC_NOW"}
        command = [sys.executable, "-m", "calsync", *line, "--config", str(self.folder / "calsync.toml")]
        with (self.folder / "process.log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, env=environ)

    @contextlib.contextmanager
    def running(self, *line: str) -> Iterator[subprocess.Popen[bytes]]:
        """The same for as long as a test needs it; then it is killed, if it has not ended."""
        process = self.start(*line)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def fork(self, *line: str) -> Program:
        """The same, ready at once: forked from a process that has read calsync's code already."""
        environ = {name: value for name, value in os.environ.items() if name != "CALSYNC_NOW"}
        command = (*line, "--config", str(self.folder / "calsync.toml"))
        return Program(command, self.folder / "process.log", environ)

    def sync(self, *line: str) -> dict[str, Any]:
        """`calsync sync --json`."""
        answer = self.calsync("sync", "--json", *line)
        assert answer.code in (0, 3), answer
        result: dict[str, Any] = answer.json
        return result

    def drifts(self, *line: str) -> list[dict[str, Any]]:
        """`calsync drifts list --json`."""
        answer = self.calsync("drifts", "list", "--json", *line)
        assert answer.code == 0, answer
        rows: list[dict[str, Any]] = answer.json
        return rows

    def import_rows(self, rows: list[dict[str, str]]) -> Answer:
        """Import appointments from a file."""
        path = self.folder / "rows.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
        return self.calsync("appointments", "import", str(path))

    def mirror(self, rows: list[dict[str, str]]) -> None:
        """Import appointments and have them written."""
        answer = self.import_rows(rows)
        assert answer.code == 0, answer
        self.sync()

    def settle(self) -> dict[str, Any]:
        """Let the quiet time after an edit pass, and look again."""
        self.later(seconds=95)
        return self.sync()

    def check(self, *appointments: str) -> dict[str, dict[str, Any]]:
        """`calsync claims check --json`, by appointment."""
        return {row["appointment"]: row for row in self.calsync("claims", "check", *appointments, "--json").json}

    def later(self, **by: float) -> None:
        """Let the fixed clock move on."""
        assert self.now is not None
        self.now += timedelta(**by)


def _capture() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)


def _captured(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


def row(number: str, provider: str, start: datetime, *, minutes: int = 50, **more: str) -> dict[str, str]:
    """One line of an appointment file; `start` is wall time."""
    return {
        "id": number,
        "provider": provider,
        "client": f"k-{number}",
        "start": start.isoformat(timespec="minutes"),
        "end": (start + timedelta(minutes=minutes)).isoformat(timespec="minutes"),
        "zone": ZONE,
        "kind": "follow-up",
        "status": "scheduled",
        "code": "90834",
    } | more


def at(days: int, hour: int = 10, minute: int = 0) -> datetime:
    """A wall time, in days from the Monday that `NOW` is in."""
    return datetime(2026, 11, 16, hour, minute) + timedelta(days=days)


def client_calendar(url: str, user: str, *, name: str = "Appointments") -> Any:
    """The calendar that calsync made, opened with an ordinary client."""
    client = DAVClient(url, username=user, password=user, auth_type="basic", timeout=30, enable_rfc6764=False)
    calendars: Any = client.get_principal().get_calendars()
    return next(c for c in calendars if c.get_display_name() == name)
