"""Whatever calsync writes is its owner's alone, on a machine whose umask hides nothing and on one that hides too much.

Secret files that others may read or write are refused by every command that would use them (reliability test 128).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from calsync.cli.connect import _keep_in_file
from calsync.settings.private_files import open_private, write_private
from calsync.store.database import open_database
from calsync_outlook.access import keep_in
from tests.system.site import NOW, Site, at, row

GIVEN = ("calsync.toml", "rows.csv", "claims.csv")  # what the test itself puts there

CLAIMS = "appointment,provider,client,date,code\nA-1,P-1,k-A-1,2026-11-17,90834\n"


@pytest.fixture(params=[0o000, 0o177], ids=["open", "tight"])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    """The permissions of every file of calsync's making below a folder."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in GIVEN]
    return {str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode) for path in files}


@pytest.mark.usefixtures("umask")
def test_everything_that_is_written_is_its_owners_alone(tmp_path: Path) -> None:
    site = Site(tmp_path, NOW)
    site.calendars.append(
        f'[records]\ndrop_folder = "{tmp_path}/drop"\n'
        '[[providers]]\nid = "P-1"\nname = "Dr. One"\nemail = "one@example.org"\nzone = "UTC"\n'
    )
    drop = tmp_path / "drop"
    drop.mkdir(mode=0o700)
    site.set_up()
    site.import_rows([row("A-1", "P-1", at(1))])
    (tmp_path / "claims.csv").write_text(CLAIMS)
    wanted = ("copy.db", "report.html", "report.csv", "proof.html", "held.csv")
    copy, report, table, proof, held = (str(tmp_path / name) for name in wanted)
    site.calsync("backup", copy)
    site.calsync("report", "--format", "html", "-o", report)
    site.calsync("report", "--format", "csv", "-o", table)
    site.calsync("claims", "proof", "A-1", "-o", proof)
    site.calsync("claims", "check", "--file", str(tmp_path / "claims.csv"), "--held", held)
    site.calsync("secrets", "rotate")
    bad = drop / "bad.csv"
    bad.write_text("id,provider\nA-9,nobody\n")
    os.utime(bad, (0, 0))
    bad.chmod(0o600)
    assert site.calsync("records", "drop").code == 3
    with site_open(site):
        found = modes(tmp_path)
    assert {*wanted, "calsync.db", "calsync.key", "calsync.db-wal", "drop/failed/bad.csv.report.txt"} <= found.keys()
    assert found == dict.fromkeys(found, 0o600)


@contextmanager
def site_open(site: Site) -> Iterator[None]:
    """The database is open, so that its log stands beside it."""
    database = open_database(f"sqlite:///{site.folder / 'calsync.db'}")
    with database.transaction():
        yield
    database.dispose()


@pytest.mark.usefixtures("umask")
def test_tokens_that_services_renew_are_kept_so_too(tmp_path: Path) -> None:
    stale = tmp_path / ".google.token.new"
    stale.touch(mode=0o644)
    stale.chmod(0o644)
    _keep_in_file(tmp_path / "google.token", "one")
    keep_in(tmp_path / "outlook.token", "two")
    assert modes(tmp_path) == {"google.token": 0o600, "outlook.token": 0o600}


def test_a_mode_that_somebody_chose_stays(tmp_path: Path) -> None:
    chosen = tmp_path / "report.html"
    chosen.write_text("an older and longer one")
    chosen.chmod(0o640)
    write_private(chosen, "new")
    with open_private(tmp_path / "fresh") as file:
        file.write("x")
    assert chosen.read_text() == "new"
    assert modes(tmp_path) == {"report.html": 0o640, "fresh": 0o600}


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        *(("key", mode) for mode in (0o604, 0o602, 0o646)),
        *((kind, 0o604) for kind in ("calendar", "mail", "database", "webhook", "google", "outlook")),
    ],
)
def test_a_secret_file_that_others_may_read_or_write_is_refused(tmp_path: Path, kind: str, mode: int) -> None:
    site = Site(tmp_path, NOW)
    secret = tmp_path / "some.secret"
    tables = {
        "key": "",
        "calendar": "",
        "mail": '[mail]\nusername = "u"\npassword_file = "some.secret"\n',
        "database": '[database]\nurl = "postgresql://calsync@localhost/calsync"\npassword_file = "some.secret"\n',
        "webhook": '[[webhooks]]\nid = "w"\nurl = "https://x.example.org/"\nsecret_file = "some.secret"\n',
        "google": '[connectors.google]\nclient_id = "c"\nclient_secret_file = "some.secret"\n',
        "outlook": '[connectors.outlook]\nclient_id = "c"\ntenant = "t"\nclient_secret_file = "some.secret"\n',
    }
    site.add_provider("P-1", "https://dav.example.org/", "one")
    if kind != "database":
        site.set_up(more="")
    else:
        (tmp_path / "calsync.key").touch(mode=0o600)
    config = tmp_path / "calsync.toml"
    config.write_text((config.read_text() if config.exists() else "") + "\n" + tables[kind])
    if tables[kind]:
        secret.write_text("S3CRET")
        at_fault = secret
    else:
        at_fault = tmp_path / {"key": "calsync.key", "calendar": "P-1.password"}[kind]
    at_fault.chmod(mode)
    answer = site.calsync("sync")
    assert answer.code == 2, answer
    assert "open to every user" in answer.err
    assert at_fault.name in answer.err
    assert "S3CRET" not in answer.err
