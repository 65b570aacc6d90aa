"""A small practice of made-up people: its config, its appointments. Writes files only."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from calsync.demo.caldav_server import CaldavServer
from calsync.demo.google_server import GoogleDesk
from calsync.demo.outlook_server import OutlookDesk
from calsync.domain.span import wall_time
from calsync.ports import Ids
from calsync.settings.secrets import create_key_file

ZONE = "America/New_York"
PROVIDERS = {"anna": "Dr. Anna Ash", "ben": "Ben Birch", "cleo": "Cleo Cedar"}
OTHERS = {"dora": "Dora Dill", "emil": "Emil Elder"}
"""One is on Google, one on Outlook."""


@dataclass(frozen=True, slots=True)
class Practice:
    """Where its files are."""

    config: Path
    appointments: Path
    day_off: str  # start and end of a block, wall time
    day_off_end: str


def write_practice(
    folder: Path, server: CaldavServer, now: datetime, ids: Ids, *, others: Mapping[str, GoogleDesk | OutlookDesk]
) -> Practice:
    """Write config, keys, password files and the appointment file into a folder. `others` are not on CalDAV."""
    create_key_file(folder / "calsync.key", ids)
    for provider in PROVIDERS:
        password = folder / f"{provider}.password"
        password.touch(mode=0o600)
        password.write_text(f"{provider}\n", encoding="utf-8")
    config = folder / "calsync.toml"
    elsewhere = [desk.write_config(folder, name, OTHERS[name]) for name, desk in others.items()]
    config.write_text("".join([_config(server), *elsewhere]), encoding="utf-8")
    appointments = folder / "appointments.csv"
    _write_appointments(appointments, now)
    day = wall_time(now, ZONE).date() + timedelta(days=30)
    return Practice(config, appointments, f"{day}T09:00", f"{day}T17:00")


def _config(server: CaldavServer) -> str:
    head = (
        "# Made by `calsync demo`: everything happens within seconds here.\n"
        '[sync]\npoll_interval = "1s"\n\n[drift]\nsettle = "2s"\n\n[claims]\nsettle = "0s"\nbackfilled = "clear"\n'
    )
    return head + "".join(
        f'\n[[providers]]\nid = "{provider}"\nname = "{name}"\nemail = "{provider}@example.org"\nzone = "{ZONE}"\n'
        f'[[providers.calendars]]\nid = "{provider}-calendar"\nconnector = "caldav"\n'
        f'url = "{server.home_of(provider)}"\nusername = "{provider}"\npassword_file = "{provider}.password"\n'
        for provider, name in PROVIDERS.items()
    )


def _write_appointments(path: Path, now: datetime) -> None:
    today = wall_time(now, ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = [
        _row("4821", "anna", "k-1", _at(today, 2, 10), status="scheduled", code="90834"),
        _row("4822", "anna", "k-2", _at(today, -3, 15), status="completed", code="90834"),
        _row("4823", "anna", "k-3", _at(today, -2, 9), status="completed", code="90837", minutes=60),
        _row("4830", "ben", "k-4", _at(today, 3, 11), status="scheduled", code="90837", minutes=60),
        _row("4831", "ben", "k-5", _at(today, 4, 16), status="scheduled", code="90834"),
        _row("5001", "ben", "k-6", _at(today, 1, 13), series="weekly-k6", rule="FREQ=WEEKLY;COUNT=8"),
        _row("5101", "anna", "k-7", _at(today, 5, 12), series="weekly-k7", rule="FREQ=WEEKLY;COUNT=10"),
    ]
    rows += [
        _row("7001", "dora", "k-31", _at(today, 2, 9)),
        _row("7002", "dora", "k-32", _at(today, 3, 9)),
        _row("7101", "emil", "k-41", _at(today, 3, 13)),
        _row("7102", "emil", "k-42", _at(today, 4, 13)),
    ]
    rows += [_row(str(6000 + n), "cleo", f"k-{20 + n}", _at(today, 1 + 2 * n, 9 + n % 5)) for n in range(8)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _at(today: datetime, days: int, hour: int) -> datetime:
    return today + timedelta(days=days, hours=hour)


def _row(number: str, provider: str, client: str, start: datetime, **more: object) -> dict[str, str]:
    minutes = int(str(more.pop("minutes", 45)))
    row = {
        "id": number,
        "provider": provider,
        "client": client,
        "start": start.isoformat(timespec="minutes"),
        "end": (start + timedelta(minutes=minutes)).isoformat(timespec="minutes"),
        "zone": ZONE,
        "kind": "follow-up",
        "status": "scheduled",
        "series": "",
        "rule": "",
        "code": "",
    }
    return row | {key: str(value) for key, value in more.items()}
