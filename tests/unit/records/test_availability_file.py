"""Working times from files: what they mean, and everything that is wrong with them at once."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from calsync.domain.working_times import Hours, WorkingTimes
from calsync.errors import Refused
from calsync.records.availability_file import availability_text, read_availability

TOML = """
every = "30m"
gap = "10m"
[weekly]
monday = ["09:00-12:30", "13:30-17:00"]
fri = [{ hours = "9:00-24:00", formats = ["video", "phone"] }]
[dates]
2026-12-24 = []
"2026-12-30/2026-12-31" = ["10:00-12:00"]
"""
CSV = (
    "day,start,end,formats\nmonday,09:00,12:30,\nMonday,13:30,17:00,\nfri,9:00,24:00,phone;video\n"
    "2026-12-24,,,\n2026-12-30/2026-12-31,10:00,12:00,\n"
)
MEANT = WorkingTimes(
    ((Hours(540, 750), Hours(810, 1020)), (), (), (), (Hours(540, 1440, ("phone", "video")),), (), ()),
    {
        date(2026, 12, 24): (),
        date(2026, 12, 30): (Hours(600, 720),),
        date(2026, 12, 31): (Hours(600, 720),),
    },
    30,
    10,
)


def write(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text)
    return folder / name


def test_toml_and_csv_say_the_same(tmp_path: Path) -> None:
    assert read_availability(write(tmp_path, "a.toml", TOML)) == MEANT
    before = WorkingTimes(every=30, gap=10)
    assert read_availability(write(tmp_path, "a.csv", CSV), before) == MEANT


def test_what_is_shown_can_be_set_again(tmp_path: Path) -> None:
    assert read_availability(write(tmp_path, "a.toml", availability_text(MEANT))) == MEANT


def refused(path: Path) -> str:
    with pytest.raises(Refused) as refusal:
        read_availability(path)
    assert refusal.value.code == "import-refused"
    return str(refusal.value)


def test_everything_wrong_with_toml_is_told_at_once(tmp_path: Path) -> None:
    text = (
        'every = "0s"\ngap = "90s"\nhours = 5\n[weekly]\nfunday = []\nmonday = "09:00-10:00"\n'
        'tuesday = ["10:00-09:00", "25:00-26:00", "9-10", {hours = "09:00-10:00", room = 1}]\n'
        'wednesday = ["09:00-11:00", "10:00-12:00"]\n[dates]\n"24.12.2026" = []\n"2026-12-24/2026-12-01" = []\n'
    )
    said = refused(write(tmp_path, "a.toml", text))
    for part in (
        "hours: there is no such key",
        "gap: not whole minutes",
        "weekly.funday: not a day of the week",
        "weekly.monday: not a list",
        "10:00 to 09:00 is no time of one day",
        "'25:00' is not a time of day",
        "'9' is not a time of day",
        'only "hours" and "formats"',
        "weekly.wednesday: 10:00-12:00 overlaps",
        "24.12.2026",
        "lies before the first",
    ):
        assert part in said
    assert ".toml:5: weekly.funday" in said


def test_everything_wrong_with_csv_is_told_at_once(tmp_path: Path) -> None:
    text = "day,start,end,formats\nmonday,,,\n2026-02-30,09:00,10:00,\ntuesday,09:00,10:00,\ntuesday,09:30,11:00,a&b\n"
    said = refused(write(tmp_path, "a.csv", text))
    assert all(f"row {number}" in said for number in (2, 3, 5))
    assert "row 4" not in said


@pytest.mark.parametrize(
    "text", ["weekly = 5", "[weekly]\nmonday = [5]", "every = 30", "x", "[weekly]\nmon=[]\nmon=[]"]
)
def test_odd_files_are_refused(tmp_path: Path, text: str) -> None:
    assert "a.toml" in refused(write(tmp_path, "a.toml", text))
