"""HIPAA's technical safeguards (45 CFR 164.312), as far as software can hold them.

TLS and the end of idle sessions are in `test_lines` and `test_accounts`, encryption at rest in `test_rotation` and
`test_canaries`, the fields that each role sees in `test_roles`.
"""

from __future__ import annotations

import ast
import re
from datetime import timedelta
from pathlib import Path

import pytest

from calsync.settings.model import Web
from calsync.store import audit
from calsync.store.database import open_database
from calsync.store.errors import StoreUnavailable
from tests.system.site import NOW, Site, at, row

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "calsync"
WHO = re.compile(r"system|import|(provider|client|support|token):\S+")


@pytest.fixture
def practice(tmp_path: Path) -> Site:
    site = Site(tmp_path, NOW)
    site.calendars.append(
        '[[providers]]\nid = "P-1"\nname = "Dr. One"\nemail = "one@example.org"\nzone = "America/New_York"\n'
    )
    site.set_up()
    people = tmp_path / "clients.csv"
    people.write_text("id,name,email,zone\nK-1,Zelda Quist,zelda@example.org,UTC\n")
    assert site.calsync("clients", "import", str(people)).code == 0
    site.import_rows([row("A-1", "P-1", at(2), client="K-1"), row("A-2", "P-1", at(90), client="K-1")])
    return site


def noted(site: Site) -> list[audit.AuditRow]:
    database = open_database(f"sqlite:///{site.folder / 'calsync.db'}")
    with database.reading() as conn:
        found = list(audit.rows(conn))
    database.dispose()
    return found


class TestEmergencyAccess:
    def test_it_needs_no_page_and_leaves_a_row_with_name_and_reason(self, practice: Site) -> None:
        told = practice.calsync("emergency", "--by", "support:ann", "--note", "the platform is down")
        assert told.code == 0
        assert "2026-11-18 10:00 America/New_York  P-1  K-1  Zelda Quist  zelda@example.org" in told.out
        assert "A-2" not in told.out
        last = noted(practice)[-1]
        assert (last.actor, last.what, last.subject) == ("support:ann", "emergency-access", "installation")
        assert last.detail == {"note": "the platform is down", "days": 7}
        assert practice.calsync("audit", "verify").code == 0

    def test_without_a_reason_nothing_is_shown(self, practice: Site) -> None:
        before = len(noted(practice))
        told = practice.calsync("emergency", "--json")
        assert told.code == 1
        assert "Zelda" not in told.out + told.err
        assert len(noted(practice)) == before

    def test_the_row_stands_before_anything_is_shown(self, practice: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        def die(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("calsync.cli.emergency._rows", die)
        practice.calsync("emergency", "--note", "looking", "--provider", "P-1")
        assert noted(practice)[-1].what == "emergency-access"
        assert noted(practice)[-1].subject == "provider:P-1"

    def test_the_page_about_security_tells_of_it(self) -> None:
        assert "calsync emergency" in (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


class TestNames:
    def test_every_row_names_somebody(self, practice: Site) -> None:
        practice.calsync("appointments", "cancel", "A-2", "--reason", "ill", "--by", "client:K-1")
        practice.calsync("tokens", "add", "--role", "billing")
        practice.calsync("secrets", "rotate")
        rows = noted(practice)
        assert len(rows) > 3
        assert [one for one in rows if not WHO.fullmatch(one.actor)] == []

    def test_copying_the_books_and_going_back_to_a_copy_are_somebodys_acts(self, practice: Site) -> None:
        copy = practice.folder / "copy.db"
        assert practice.calsync("backup", str(copy), "--by", "support:ann").code == 0
        assert (noted(practice)[-1].actor, noted(practice)[-1].what) == ("support:ann", "copied")
        assert practice.calsync("db", "restore", str(copy), "--by", "support:bob").code == 0
        assert (noted(practice)[-1].actor, noted(practice)[-1].what) == ("support:bob", "restored")
        assert practice.calsync("audit", "verify").code == 0

    def test_a_copy_of_books_that_cannot_be_written_is_made_all_the_same(
        self, practice: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(_conn: object) -> None:
            raise StoreUnavailable.of("the disk is full", where="calsync.db", remedy="Make room")

        monkeypatch.setattr("calsync.store.database.audit.write_notes", full)
        told = practice.calsync("backup", str(practice.folder / "copy.db"))
        assert told.code == 0
        assert (practice.folder / "copy.db").exists()
        assert "could not be noted" in told.err


class TestTheLogStays:
    def test_nothing_in_the_program_takes_away_or_changes_a_row(self) -> None:
        own = {SOURCE / "store" / "audit.py", SOURCE / "store" / "schema_effects.py"}
        for path in SOURCE.rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"(?i)(delete from|update|drop table|truncate) +\"?audit\b", text), path
            uses = {
                node.func.attr
                for node in ast.walk(ast.parse(text))
                if isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id in ("audit", "audit_head")
                and node.func.attr in ("delete", "update", "drop")
            }
            assert path in own or not uses, path
            assert "schema_effects import audit" not in text or path in own, path
        assert "audit.delete" not in (SOURCE / "store" / "audit.py").read_text(encoding="utf-8")

    def test_after_twenty_years_of_forgetting_it_is_whole(self, practice: Site) -> None:
        before = noted(practice)
        practice.now = NOW + timedelta(days=20 * 366)
        assert practice.calsync("purge").code == 0
        assert noted(practice)[: len(before)] == before
        assert practice.calsync("audit", "verify").code == 0

    def test_evidence_is_kept_longer_than_six_years_unless_somebody_decides_otherwise(self) -> None:
        # The default stands in the shipped config.
        shipped = (ROOT / "config" / "calsync.toml").read_text(encoding="utf-8")
        assert '# retention = "7y"' in shipped


def test_an_idle_session_ends_after_a_quarter_of_an_hour_and_never_later_than_after_one() -> None:
    assert Web().session_idle == timedelta(minutes=15)
    with pytest.raises(ValueError, match="less than or equal to"):
        Web(session_idle="2h")
