"""Files that a platform drops: taken when complete, put away, reported when refused, once only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from calsync.errors import UserError
from calsync.records.drop_folder import DropFolder
from calsync.records.file_import import ImportRequest
from calsync.store import import_rows, providers, records
from calsync.store.database import Database, open_database
from calsync.store.errors import StoreUnavailable
from calsync.store.providers import ProviderRow

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HEAD = "id,provider,client,start,end,zone\n"
GOOD = HEAD + "A-1,P-1,C-1,2026-11-24T10:00,2026-11-24T10:50,Europe/Berlin\n"


@pytest.fixture
def database(empty_books: Path, tmp_path: Path) -> Iterator[Database]:
    file = tmp_path / "books.db"
    file.write_bytes(empty_books.read_bytes())
    made = open_database(f"sqlite:///{file}")
    with made.transaction() as conn:
        providers.put(conn, ProviderRow("P-1", "Ada Example", "ada@example.org", "Europe/Berlin"))
    yield made
    made.dispose()


@pytest.fixture
def folder(database: Database, tmp_path: Path) -> DropFolder:
    path = tmp_path / "inbox"
    path.mkdir()
    request = ImportRequest(
        path=path, actor="import", now=NOW, window_future=timedelta(days=400), max_share_changed=0.2
    )
    return DropFolder(path, database, timedelta(seconds=10), request)


def put(folder: DropFolder, name: str, text: str, age: float = 60) -> Path:
    path = folder.path / name
    path.write_text(text)
    os.utime(path, (NOW.timestamp() - age, NOW.timestamp() - age))
    return path


def start_of(folder: DropFolder, number: str) -> str | None:
    with folder.database.reading() as conn:
        one = records.appointment(conn, number)
    return None if one is None else f"{one.span.start:%Y-%m-%d %H:%M}"


def missing(folder: DropFolder) -> list[str]:
    with folder.database.reading() as conn:
        return list(import_rows.all_missing(conn))


def names(folder: DropFolder, where: str = ".") -> list[str]:
    place = folder.path / where
    return sorted(one.name for one in place.iterdir() if one.is_file()) if place.is_dir() else []


def test_a_complete_file_is_imported_and_put_away(folder: DropFolder) -> None:
    put(folder, "a.csv", GOOD)
    (taken,) = folder.take_all(NOW)
    assert (taken.refused, start_of(folder, "A-1")) == (None, "2026-11-24 10:00")
    assert (names(folder), names(folder, "done"), names(folder, "working")) == ([], ["a.csv"], [])
    put(folder, "a.csv", GOOD.replace("T10", "T14"))
    folder.take_all(NOW)
    assert start_of(folder, "A-1") == "2026-11-24 14:00"
    assert len(names(folder, "done")) == 2, "a name that is taken is no reason to lose a file"


def test_a_file_that_is_still_being_written_waits(folder: DropFolder) -> None:
    put(folder, "a.csv", GOOD, age=3)
    put(folder, "b.csv.part", GOOD)
    put(folder, ".c.csv", GOOD)
    (folder.path / "d.csv").symlink_to(put(folder, "elsewhere.txt", GOOD))
    assert folder.take_all(NOW) == []
    assert len(folder.take_all(NOW + timedelta(seconds=8))) == 1


def test_a_bad_file_is_refused_whole_with_a_report_of_all_its_rows(folder: DropFolder) -> None:
    put(folder, "bad.csv", GOOD + "A-2,P-9,C-2,2026-11-24T10:00,2026-11-24T10:50,Europe/Berlin\nA-3,,,,,\n")
    put(folder, "good.csv", GOOD)
    first, second = folder.take_all(NOW)
    assert (first.refused, second.refused) == ("import-refused", None)
    assert names(folder, "failed") == ["bad.csv", "bad.csv.report.txt"]
    report = (folder.path / "failed" / "bad.csv.report.txt").read_text()
    assert "row 3, provider" in report
    assert "row 4" in report
    assert "C-2" not in report


def test_a_file_that_would_change_too_much_is_left_to_a_person(folder: DropFolder) -> None:
    rows = [f"A-{day},P-1,C-1,2026-12-{day:02}T10:00,2026-12-{day:02}T10:50,Europe/Berlin\n" for day in range(1, 11)]
    put(folder, "a.csv", HEAD + "".join(rows))
    folder.take_all(NOW)
    put(folder, "b.csv", HEAD + "".join(rows).replace("T10:", "T11:"))
    (taken,) = folder.take_all(NOW)
    assert (taken.refused, start_of(folder, "A-1")) == ("import-flood", "2026-12-01 10:00")
    assert len(missing(folder)) == 10, "nobody knows which is right"


def test_what_a_crash_left_behind_is_taken_again(folder: DropFolder) -> None:
    put(folder, "a.csv", GOOD)
    (folder.path / "working").mkdir()
    (folder.path / "a.csv").rename(folder.path / "working" / "a.csv")
    os.utime(folder.path / "working" / "a.csv", (NOW.timestamp(), NOW.timestamp()))
    assert folder.take_all(NOW) == []
    assert len(folder.take_all(NOW + timedelta(minutes=10))) == 1
    assert names(folder, "done") == ["a.csv"]


def test_a_file_stays_while_the_books_cannot_be_used(folder: DropFolder, tmp_path: Path) -> None:
    put(folder, "a.csv", GOOD)
    lost = DropFolder(
        folder.path, open_database(f"sqlite:///{tmp_path / 'no' / 'books.db'}"), folder.quiet, folder.request
    )
    with pytest.raises(StoreUnavailable):
        lost.take_all(NOW)
    assert names(folder) == ["a.csv"]
    assert len(folder.take_all(NOW)) == 1


def test_an_older_file_never_comes_after_a_newer_one(folder: DropFolder) -> None:
    put(folder, "s-10.csv", GOOD.replace("T10", "T15"), age=60)
    put(folder, "s-9.csv", GOOD, age=60)
    put(folder, "z.csv", GOOD.replace("T10", "T08"), age=120)
    assert [one.name for one in folder.take_all(NOW)] == ["z.csv", "s-9.csv", "s-10.csv"]
    assert start_of(folder, "A-1") == "2026-11-24 15:00"


def test_what_a_crash_left_behind_comes_before_what_came_since(folder: DropFolder) -> None:
    taken = folder.path / "working" / f"{NOW:%Y%m%dT%H%M%S%f}"
    taken.mkdir(parents=True)
    put(folder, "a.csv", GOOD, age=900).rename(taken / "a.csv")
    put(folder, "a.csv", GOOD.replace("T10", "T15"))
    assert folder.take_all(NOW + timedelta(minutes=5)) == [], "another process may be at work on the older one"
    assert len(folder.take_all(NOW + timedelta(minutes=10))) == 2
    assert start_of(folder, "A-1") == "2026-11-24 15:00"
    assert (len(names(folder, "done")), list((folder.path / "working").iterdir())) == (2, [])


def test_of_two_processes_at_once_the_later_file_waits(folder: DropFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, "b.csv", GOOD.replace("T10", "T15"), age=60)
    real = DropFolder._take

    def take(self: DropFolder, file: Path, name: str, now: datetime) -> Path | None:
        other = folder.path / "working" / f"{NOW - timedelta(seconds=1):%Y%m%dT%H%M%S%f}"
        other.mkdir(parents=True, exist_ok=True)
        put(folder, "a.csv", GOOD, age=120).rename(other / "a.csv")
        return real(self, file, name, now)

    monkeypatch.setattr(DropFolder, "_take", take)
    assert folder.take_all(NOW) == []
    assert (names(folder), start_of(folder, "A-1")) == (["b.csv"], None)


def test_a_file_that_goes_back_leaves_a_newer_one_of_its_name_alone(
    folder: DropFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, "a.csv", GOOD, age=90)

    def away(*_: object) -> None:
        put(folder, "a.csv", GOOD.replace("T10", "T15"))
        raise StoreUnavailable.of("the database is locked")

    with monkeypatch.context() as patch:
        patch.setattr("calsync.records.drop_folder.import_appointments", away)
        with pytest.raises(StoreUnavailable):
            folder.take_all(NOW)
    assert len(names(folder)) == 2
    assert len(folder.take_all(NOW)) == 2
    assert start_of(folder, "A-1") == "2026-11-24 15:00"


@pytest.mark.parametrize(
    "name", [b"a\xff.csv", b"a\x1b[2J\n.csv", b"a" * 251 + b".csv"], ids=["bytes", "signs", "long"]
)
@pytest.mark.parametrize("text", [GOOD, GOOD.replace("Europe/Berlin", "Mars")], ids=["good", "bad"])
def test_any_name_of_a_file_will_do(folder: DropFolder, name: bytes, text: str) -> None:
    put(folder, os.fsdecode(name), text)
    put(folder, "b.csv", GOOD)
    assert len(folder.take_all(NOW)) == 2
    assert names(folder) == []
    (kept,) = [one for room in ("done", "failed") for one in names(folder, room) if one != "b.csv"][:1]
    assert kept.isprintable()


def test_a_room_that_cannot_be_made_is_named_and_nothing_is_taken(folder: DropFolder) -> None:
    (folder.path / "done").write_text("")
    put(folder, "a.csv", GOOD)
    with pytest.raises(UserError, match="done/ cannot be made"):
        folder.take_all(NOW)
    assert "a.csv" in names(folder)


def test_a_file_that_calsync_was_not_made_for_keeps_no_other_waiting(
    folder: DropFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, "a.csv", GOOD, age=90)
    put(folder, "b.csv", GOOD)

    def fault(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr("calsync.records.drop_folder.import_appointments", fault)
        with pytest.raises(ZeroDivisionError):
            folder.take_all(NOW)
    assert names(folder, "failed") == ["a.csv", "a.csv.report.txt"]
    assert len(folder.take_all(NOW)) == 1


@pytest.mark.parametrize("more", ["A-9,P-1,C-9,never,never,Europe/Berlin\n", ""], ids=["bad row", "bad row of its own"])
def test_claims_of_what_a_refused_file_tells_otherwise_wait(folder: DropFolder, more: str) -> None:
    put(folder, "a.csv", GOOD + GOOD.replace(HEAD, "").replace("A-1", "A-2"))
    folder.take_all(NOW)
    changed = GOOD.replace("T10", "T15") if more else GOOD.replace("Europe/Berlin", "Mars")
    put(folder, "b.csv", changed + GOOD.replace(HEAD, "").replace("A-1", "A-2") + more)
    (taken,) = folder.take_all(NOW)
    assert (taken.refused, start_of(folder, "A-1")) == ("import-refused", "2026-11-24 10:00")
    assert missing(folder) == ["A-1"]
    assert "1 known session" in (folder.path / "failed" / "b.csv.report.txt").read_text()
    put(folder, "c.csv", GOOD.replace("T10", "T15"))
    folder.take_all(NOW)
    assert (start_of(folder, "A-1"), missing(folder)) == ("2026-11-24 15:00", [])
