"""Hostile and careless configs: each ends with sentences, quickly, and never with a traceback or a shown secret."""

import os
import stat
from pathlib import Path

import pytest

from tests.unit.settings.configs import ADA, ADAS_CALENDAR, load_text, problems_of, sentences_of, write_config


def test_a_doubled_key_is_told_with_both_lines_and_hides_nothing_else(tmp_path: Path) -> None:
    assert sentences_of(tmp_path, "[sync]\nworkers = 1\nworkers = 2\n[drift]\nsetle = 1\n") == [
        "calsync.toml:3: sync.workers: is set twice, first in line 2. Keep one of them",
        'calsync.toml:5: drift.setle: is not a known key. Did you mean "settle"?',
    ]


def test_a_doubled_table_is_told(tmp_path: Path) -> None:
    assert sentences_of(tmp_path, "[sync]\nworkers = 1\n[drift]\n[sync]\nworkers = 2\n")[0] == (
        "calsync.toml:4: sync: is set twice, first in line 1. Keep one of them"
    )


def test_a_key_doubled_across_files_is_told(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d/a.toml").write_text("\n[sync]\nworkers = 2")
    [sentence] = sentences_of(tmp_path, "[sync]\nworkers = 1")
    assert sentence == "conf.d/a.toml:3: sync.workers: is set twice, first in calsync.toml:2. Keep one of them"


@pytest.mark.parametrize(
    "value", ['"5 minutes"', '"-5m"', '"inf"', "inf", "nan", "-1", "300", '"0s"', '"1e9s"', '"5m\\t"', "[]", "true"]
)
def test_an_interval_that_is_none_is_told_with_key_and_line(tmp_path: Path, value: str) -> None:
    [sentence] = sentences_of(tmp_path, f"[sync]\npoll_interval = {value}")
    assert sentence.startswith("calsync.toml:2: sync.poll_interval: ")


@pytest.mark.parametrize("value", ["inf", "nan", "-0.1", "0", "1.1", "true", '"a fifth"'])
def test_a_share_is_a_part_of_a_whole(tmp_path: Path, value: str) -> None:
    [sentence] = sentences_of(tmp_path, f"[drift]\nstampede_share = {value}")
    assert sentence.startswith("calsync.toml:2: drift.stampede_share: ")


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "true", '"8"', "inf", "9223372036854775807"])
def test_a_count_is_a_whole_number(tmp_path: Path, value: str) -> None:
    [sentence] = sentences_of(tmp_path, f"[sync]\nworkers = {value}")
    assert sentence.startswith("calsync.toml:2: sync.workers: ")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xef\xbb\xbf[sync]\n", "byte order mark"),
        ("[sync]\n".encode("utf-16"), "byte order mark"),
        (b"[sync]\n# \xff\n", "calsync.toml:2: is not UTF-8"),
        (b"[sync]\n\tworkers = 1\n", "calsync.toml:2: holds a tab"),
        (b"[sync]\nworkers = 1 # a\tb\nx\t= 1", "calsync.toml:3: holds a tab"),
        (b"[sync]\nworkers 1\n", "calsync.toml:2: is not valid TOML"),
        (b"[sync\n", "is not valid TOML"),
        (b'[mail]\nsender = "a\n', "is not valid TOML"),
        (b"\x00", "is not valid TOML"),
        (b"#" * (1024 * 1024 + 1), "larger than 1 MiB"),
        (b"a." * 20_000 + b"a = 1", "nested deeper than 100"),
        (b"[" + b"a." * 20_000 + b"a]", "nested deeper than 100"),
        (b"a = " + b"[" * 20_000, "nested deeper than 100"),
        (b"a = " + b"{a=" * 20_000, "nested deeper than 100"),
    ],
)
def test_a_file_that_is_no_config_is_told(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "calsync.toml"
    path.write_bytes(content)
    assert any(said in str(problem) for problem in problems_of(path))


@pytest.mark.parametrize("table", ["database", "mail"])
def test_a_secret_in_the_config_is_refused_with_the_key_to_use(tmp_path: Path, table: str) -> None:
    [sentence] = sentences_of(tmp_path, f'[{table}]\npassword = "hunter2"')
    assert sentence == (
        f"calsync.toml:2: {table}.password: a secret may not stand in the config. "
        "Put it into a file and name that: password_file"
    )


def test_a_calendars_secret_in_the_config_is_refused(tmp_path: Path) -> None:
    [sentence] = sentences_of(tmp_path, f'{ADA}{ADAS_CALENDAR}password = "hunter2"')
    assert "password_file" in sentence
    assert "hunter2" not in sentence


@pytest.mark.parametrize(
    "text",
    [
        f"{ADA}{ADAS_CALENDAR.replace('https://', 'https://ada:hunter2@')}",
        '[mail]\nsmtp_url = "smtp://ada:hunter2@mail.example.org"',
        '[database]\nurl = "postgresql+psycopg://ada:hunter2@db/x"',
    ],
)
def test_a_password_in_a_url_is_refused(tmp_path: Path, text: str) -> None:
    [sentence] = sentences_of(tmp_path, text)
    assert "password_file" in sentence
    assert "hunter2" not in sentence


def test_a_database_password_may_stand_in_a_config_that_is_closed_to_others(tmp_path: Path) -> None:
    path = write_config(tmp_path, '[database]\nurl = "postgresql+psycopg://ada:hunter2@db/x"')
    path.chmod(0o640)
    text = path.read_text()
    assert load_text(tmp_path, text).database.url.endswith("@db/x")


@pytest.mark.parametrize(
    ("mode", "is_fine"), [(0o600, True), (0o640, True), (0o604, False), (0o602, False), (0o666, False)]
)
def test_a_secret_file_open_to_others_is_refused(tmp_path: Path, mode: int, *, is_fine: bool) -> None:
    secret = tmp_path / "pw"
    secret.write_text("hunter2")
    secret.chmod(mode)
    text = f'{ADA}{ADAS_CALENDAR}password_file = "pw"'
    if is_fine:
        load_text(tmp_path, text)
    else:
        [sentence] = sentences_of(tmp_path, text)
        assert sentence.startswith("calsync.toml:12: providers[1].calendars[1].password_file: ")
        assert "chmod o=" in sentence
    assert stat.S_IMODE(secret.stat().st_mode) == mode


def test_an_open_key_file_is_refused_even_if_it_is_the_default_one(tmp_path: Path) -> None:
    (tmp_path / "calsync.key").touch()
    (tmp_path / "calsync.key").chmod(0o644)
    [sentence] = sentences_of(tmp_path, "")
    assert "open to every user" in sentence


@pytest.mark.parametrize("path", ["missing", ".", "a" * 5000])
def test_a_secret_file_that_cannot_be_read_is_told(tmp_path: Path, path: str) -> None:
    [sentence] = sentences_of(tmp_path, f'[mail]\npassword_file = "{path}"')
    assert sentence.startswith("calsync.toml:2: mail.password_file: ")


def test_one_provider_twice(tmp_path: Path) -> None:
    [sentence] = sentences_of(tmp_path, ADA + ADA)
    assert sentence.startswith('calsync.toml:9: providers[2].id: the provider "ada" stands here a second time.')
    assert sentence.endswith("The first is calsync.toml:3: providers[1].id")


def test_one_calendar_id_twice_even_while_other_keys_are_wrong(tmp_path: Path) -> None:
    bob = ADA.replace("ada", "bob").replace("Europe/Berlin", "Mars")
    found = sentences_of(tmp_path, f"{ADA}{ADAS_CALENDAR}{bob}{ADAS_CALENDAR.replace('/ada/', '/bob/')}")
    assert any('the calendar "ada-paper" stands here a second time' in sentence for sentence in found)
    assert any("not a known time zone" in sentence for sentence in found)


@pytest.mark.parametrize(
    "url",
    [
        "https://paper.example.org/ada",
        "https://PAPER.example.org/ada/",
        "https://paper.example.org:443//%61da/",
    ],
)
def test_two_providers_cannot_share_a_calendar(tmp_path: Path, url: str) -> None:
    bobs = ADAS_CALENDAR.replace("ada-paper", "bob-paper").replace("https://paper.example.org/ada/", url)
    bob = ADA.replace("ada", "bob")
    [sentence] = sentences_of(tmp_path, f"{ADA}{ADAS_CALENDAR}{bob}{bobs}")
    assert '"ada-paper" and "bob-paper" are the same one' in sentence
    load_text(tmp_path, f"{ADA}{ADAS_CALENDAR}{bob}{bobs}username = 'bob'")
    load_text(tmp_path, f"{ADA}{ADAS_CALENDAR}{bob}{bobs}placement = 'dedicated'")


@pytest.mark.parametrize(
    "zone",
    [
        "Europe",
        "Mars",
        "../x",
        "/etc/passwd",
        "",
        "E" * 5000,
        "Europe/Berlin\\n",
        "posix/../UTC",
        "\\u0000",
        "localtime",
    ],
)
def test_a_zone_that_is_none_is_refused(tmp_path: Path, zone: str) -> None:
    [sentence] = sentences_of(tmp_path, ADA.replace("Europe/Berlin", zone))
    assert sentence.startswith("calsync.toml:6: providers[1].zone: is not a known time zone")
    assert len(sentence) < 300


@pytest.mark.parametrize("email", ["", "ada", "a@b@c", "a@x.org,b@x.org", "Ada <a@x.org>", "a@x.org\\nBcc: b@x.org"])
def test_an_address_that_is_not_one_is_refused(tmp_path: Path, email: str) -> None:
    [sentence] = sentences_of(tmp_path, ADA.replace("ada@example.org", email))
    assert "providers[1].email" in sentence


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ('calendars = "none"', "needs a reason and a date"),
        ('calendars = "some"', 'Write "none"'),
        ('calendars_reason = "x"', 'only goes with calendars = "none"'),
        (f'calendars = "none"\ncalendars_reason = "x"\ncalendars_since = 2026-01-01{ADAS_CALENDAR}', "is set twice"),
        ('calendars = "none"\ncalendars_reason = "x"\ncalendars_since = "soon"', "calendars_since"),
    ],
)
def test_no_calendars_is_a_decision_with_reason_and_date(tmp_path: Path, extra: str, said: str) -> None:
    assert any(said in sentence for sentence in sentences_of(tmp_path, ADA + extra))


def test_an_unknown_connector_names_the_nearest(tmp_path: Path) -> None:
    [sentence] = sentences_of(tmp_path, f"{ADA}{ADAS_CALENDAR.replace('paper', 'papre')}")
    assert 'there is no connector "papre" here. Did you mean "paper"? Installed: paper' in sentence


def test_conf_d_may_be_no_trap(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d/loop.toml").symlink_to("loop.toml")
    (tmp_path / "conf.d/folder.toml").mkdir()
    (tmp_path / "conf.d/gone.toml").symlink_to("nowhere")
    found = sentences_of(tmp_path, "")
    assert [sentence.split(":")[0] for sentence in found] == [
        "conf.d/folder.toml",
        "conf.d/gone.toml",
        "conf.d/loop.toml",
    ]
    assert all("cannot be read" in sentence for sentence in found)


def test_conf_d_that_is_a_loop_itself_is_told(tmp_path: Path) -> None:
    (tmp_path / "conf.d").symlink_to("conf.d")
    [sentence] = sentences_of(tmp_path, "")
    assert sentence.startswith("conf.d: cannot be read")


def test_thousands_of_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    for number in range(1001):
        os.close(os.open(tmp_path / f"conf.d/{number}.toml", os.O_CREAT))
    [sentence] = sentences_of(tmp_path, "")
    assert "holds 1001 files, more than 1000" in sentence


def test_an_unreadable_file_is_told(tmp_path: Path) -> None:
    # Root reads everything, so the file is one that nobody can read.
    (tmp_path / "calsync.toml").mkdir()
    [problem] = problems_of(tmp_path / "calsync.toml")
    assert "cannot be read" in problem.what
