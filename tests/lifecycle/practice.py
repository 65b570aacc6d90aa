"""One practice with the rules of a shipped file, driven by its public commands, with a clock that the test sets."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

from calsync.settings.secrets import create_key_file
from calsync.store.database import open_database
from calsync.store.schema import metadata
from calsync.system_ports import SystemIds
from tests.system.hands import Hands
from tests.system.site import Answer, Site

ZONE = "America/New_York"
RULES = Path(__file__).parents[2] / "config" / "practices"
SUPPORT = "support:sam"
PROVIDER = "provider:P-1"
CLIENT = "client:C-1"
CLIENTS = "id,name,email\nC-1,Cleo Made,c1@example.org\nC-2,Ada Up,c2@example.org\n"


def wall(told: str) -> datetime:
    """A wall time of the practice's zone as an instant."""
    return datetime.fromisoformat(told).replace(tzinfo=ZoneInfo(ZONE)).astimezone(UTC)


@dataclass(slots=True)
class Practice:
    """An installation with providers P-1 and P-2 and clients C-1 and C-2."""

    site: Site
    hands: Hands | None = None
    url: str = ""  # of books that are not in its folder

    def set_up(self, rules: str, database: Path, *, more: str = "", changed: tuple[str, str] = ("", "")) -> None:
        """Make it: the rules of a shipped file, with one text in it changed, and `more` in the config."""
        folder = self.site.folder
        (folder / "practices").mkdir()
        said = (RULES / f"{rules}.toml").read_text(encoding="utf-8")
        assert changed[0] in said
        said = said.replace(*changed) if changed[0] else said
        (folder / "practices" / f"{rules}.toml").write_text(said, encoding="utf-8")
        create_key_file(folder / "calsync.key", SystemIds())
        (folder / "calsync.toml").write_text(
            f'[testing]\nclock = true\n[claims]\nunlinked = "clear"\n{more}\n{self._people(rules)}', encoding="utf-8"
        )
        if self.url:
            self.do("db", "upgrade")
        else:
            shutil.copy(database, folder / "calsync.db")
        (folder / "clients.csv").write_text(CLIENTS, encoding="utf-8")
        self.do("clients", "import", str(folder / "clients.csv"))
        self.do("providers", "list")  # which takes those of the config on the books

    def _people(self, rules: str) -> str:
        people = "".join(
            f'[[providers]]\nid = "{key}"\nname = "Dr. {key}"\nemail = "{key.lower()}@example.org"\nzone = "{ZONE}"\n'
            f'practice = "{rules}"\n{self._calendar(key)}'
            for key in ("P-2", "P-1")
        )
        return people.replace("\n\n", "\n")

    def _calendar(self, provider: str) -> str:
        if self.hands is None or provider != "P-1":
            return ""
        secret = self.site.folder / "P-1.password"
        secret.touch(mode=0o600)
        secret.write_text(self.hands.user, encoding="utf-8")
        return (
            f'[[providers.calendars]]\nid = "P-1-cal"\nconnector = "caldav"\nurl = "{self.hands.home}"\n'
            f'username = "{self.hands.user}"\npassword_file = "P-1.password"\n'
        )

    # --- time ------------------------------------------------------------------------------------------------------

    def at(self, told: str, **plus: float) -> None:
        """Set the clock to a wall time of the practice."""
        self.site.now = wall(told)
        if plus:
            self.site.later(**plus)

    def passes(self) -> dict[str, Any]:
        """Let time do its work: requests end, calendars follow."""
        return self.site.sync()

    # --- commands --------------------------------------------------------------------------------------------------

    def ask(self, *line: str, by: str | None = None, note: str | None = None) -> Answer:
        """Any command."""
        said = [*line]
        said += ["--by", by] if by is not None else []
        said += ["--note", note] if note is not None else []
        return self.site.calsync(*said)

    def do(self, *line: str, by: str | None = None, note: str | None = None, code: int = 0) -> Answer:
        """A command that must end with this code."""
        answer = self.ask(*line, by=by, note=note)
        assert answer.code == code, answer
        return answer

    def json(self, *line: str, by: str | None = None, note: str | None = None, code: int = 0) -> Any:
        """The same, and what it says to programs."""
        return self.do(*line, "--json", by=by, note=note, code=code).json

    def refused(self, rule: str, *line: str, by: str | None = None, note: str | None = None) -> str:
        """A command that a rule must refuse: it names the rule, changes nothing, and says what can be done instead."""
        before = self.dump()
        answer = self.ask(*line, by=by, note=note)
        assert answer.code == 1, answer
        assert answer.err.splitlines()[-1] == f"Rule: {rule}", answer
        assert self.dump() == before
        first = next(line for line in answer.err.splitlines() if not line.startswith("timestamp="))
        assert ". " in first, f"nothing is said of what can be done instead: {first}"
        return answer.err

    def book(self, key: str, start: str, *more: str, client: str = "C-1", by: str | None = SUPPORT) -> Any:
        """Book a session of 50 minutes with P-1."""
        line = ("--provider", "P-1", "--client", client, "--start", start, "--minutes", "50", "--id", key, *more)
        return self.json("appointments", "book", *line, by=by)

    def weekly(self, key: str, start: str, count: int = 6) -> Any:
        """Book a weekly series of C-1 with P-1."""
        line = ("--provider", "P-1", "--client", "C-1", "--start", start, "--minutes", "50", "--id", key)
        return self.json("series", "book", *line, "--rule", f"FREQ=WEEKLY;COUNT={count}", by=SUPPORT)

    def cancel(self, key: str, *more: str, by: str = PROVIDER, note: str | None = None, code: int = 0) -> Any:
        """Cancel a session."""
        return self.json("appointments", "cancel", key, *more, by=by, note=note, code=code)

    def move(self, key: str, start: str, *more: str, by: str = PROVIDER, note: str | None = None) -> Any:
        """Move a session."""
        return self.json("appointments", "reschedule", key, "--start", start, *more, by=by, note=note)

    # --- what can be seen ------------------------------------------------------------------------------------------

    def show(self, key: str) -> dict[str, Any]:
        """An appointment as programs see it."""
        row: dict[str, Any] = self.json("appointments", "show", key)
        return row

    def status(self, key: str) -> str:
        """What became of a session."""
        return str(self.show(key)["status"])

    def start(self, key: str) -> str:
        """When a session is, by the clocks of its zone."""
        return str(self.show(key)["start"])[:16]

    def statuses(self, series: str) -> dict[str, str]:
        """Day and status of all sessions of a series."""
        members = self.json("series", "show", series)["appointments"]
        return {str(one["start"])[:10]: str(one["status"]) for one in members}

    def fees(self) -> list[dict[str, Any]]:
        """All fees."""
        rows: list[dict[str, Any]] = self.json("fees", "list")
        return rows

    def history(self, key: str) -> list[dict[str, Any]]:
        """Every change of a session."""
        rows: list[dict[str, Any]] = self.json("appointments", "history", key)
        return rows

    def claim(self, key: str) -> dict[str, Any]:
        """How the gate answers for a session."""
        (row,) = self.site.calsync("claims", "check", key, "--json").json
        answer: dict[str, Any] = row
        return answer

    def codes(self, key: str) -> list[str]:
        """The gate's reasons for a session."""
        return [reason["code"] for reason in self.claim(key)["reasons"]]

    def owed(self, kind: str) -> list[tuple[str, dict[str, Any]]]:
        """Mails of a kind that are owed: for whom, and about what."""
        rows = self.rows(f"SELECT recipient, payload FROM outbox WHERE kind = '{kind}' ORDER BY created_at, key")
        return [(recipient, json.loads(payload)) for recipient, payload in rows]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the books say, where no command shows it."""
        database = open_database(self.url or f"sqlite:///{self.site.folder}/calsync.db")
        with database.reading() as conn:
            found = [tuple(row) for row in conn.execute(text(query))]
        database.dispose()
        return found

    def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table."""
        assert {"fees", "requests", "outbox"} <= set(metadata.tables)
        database = open_database(self.url or f"sqlite:///{self.site.folder}/calsync.db")
        with database.reading() as conn:
            found = {
                name: sorted((tuple(row) for row in conn.execute(table.select())), key=repr)
                for name, table in metadata.tables.items()
            }
        database.dispose()
        return found

    def seen(self) -> list[str]:
        """What the provider's calendar shows, after calsync has brought it into step: wall times, sorted."""
        assert self.hands is not None
        if not self.hands.calendar:
            self.hands.find()
        return self.hands.starts()

    def settled(self) -> list[str]:
        """Bring calendars into step, and see that what a command changed never comes back as an edit."""
        self.site.later(minutes=2)
        self.passes()
        again = self.passes()
        assert (again["written"], again["drifts"], self.site.drifts()) == (0, 0, [])
        return self.seen()
