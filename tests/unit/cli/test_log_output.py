"""The process's own log under hostile values (reliability tests 136 and 137)."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import structlog

from calsync.cli.log_output import set_up_logging


@pytest.fixture(params=[{}, {"INVOCATION_ID": "x"}], ids=["person", "systemd"])
def log(request: pytest.FixtureRequest) -> Iterator[structlog.typing.FilteringBoundLogger]:
    """A log as a person or as systemd gets it."""
    set_up_logging(request.param)
    yield structlog.get_logger("test")
    structlog.reset_defaults()


@pytest.mark.parametrize("value", ["a\nb", "a\r\nb", "\x1b[31mred", "a\u2028b", "%s %d {}", "\x00"])
def test_a_value_stays_on_one_line(
    log: structlog.typing.FilteringBoundLogger, capsys: pytest.CaptureFixture[str], value: str
) -> None:
    log.error("seen", value=value)
    written = capsys.readouterr().err
    assert len(written.splitlines()) == 1
    assert "\x1b" not in written
    assert "\x00" not in written


@pytest.mark.parametrize("value", ["x" * 1_000_000, ["x" * 1_000_000], {"k": "x" * 1_000_000}])
def test_a_megabyte_is_cut(
    log: structlog.typing.FilteringBoundLogger, capsys: pytest.CaptureFixture[str], value: object
) -> None:
    log.error("seen", value=value)
    assert len(capsys.readouterr().err) < 3000


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://calsync:S3CRET@host/db",
        "https://x.example.org/?access_token=S3CRET&y=1",
        "Authorization: Bearer S3CRET",
        "{'password': 'S3CRET'}",
        "client_secret=S3CRET",
        "https://calsync.example.org/a/S3CRET",
        "https://x.example.org/back?code=S3CRET",
        "postgresql://calsync:one/S3CRET@host/db",
        "postgresql://calsync:one@S3CRET@host/db",
        "refresh_token=1//0one/S3CRET-two",
        "Authorization: Basic S3CRET",
        "Set-Cookie: __Host-calsync=S3CRET; Path=/",
        "https://calsync.example.org/connect/S3CRET",
        "https://x.example.org/back?x=1&state=S3CRET",
        '{"clientState": "S3CRET"}',
        "a bearer S3CRET in a sentence",
        "taken: ya29.a0AfB_byC-S3CRET-0123456789",
        "taken: calsync_0123456789S3CRET0123456789",
        "taken: whsec_0123456789/S3CRET0123456789",
    ],
)
def test_what_looks_like_a_secret_is_blotted_out(
    log: structlog.typing.FilteringBoundLogger, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    log.error("seen", because=text)
    assert "S3CRET" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "value", [["password=S3CRET"], {"password": "S3CRET"}, ("Authorization: Bearer S3CRET",), b"token=S3CRET"]
)
def test_nor_does_it_pass_inside_another_value(
    log: structlog.typing.FilteringBoundLogger, capsys: pytest.CaptureFixture[str], value: object
) -> None:
    log.error("seen", because=value)
    assert "S3CRET" not in capsys.readouterr().err


def test_nor_under_a_name_of_its_own(
    log: structlog.typing.FilteringBoundLogger, capsys: pytest.CaptureFixture[str]
) -> None:
    log.error("seen", password="S3CRET", client_secret=b"S3CRET", token=["S3CRET"])
    assert "S3CRET" not in capsys.readouterr().err


def test_an_exception_is_told_by_its_place_alone(
    log: structlog.typing.FilteringBoundLogger, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise ValueError("https://u:S3CRET@host")

    try:
        fail()
    except ValueError:
        log.exception("failed")
    written = capsys.readouterr().err
    assert "S3CRET" not in written
    assert "test_log_output.py" in written


def test_harmless_words_stay(log: structlog.typing.FilteringBoundLogger, capsys: pytest.CaptureFixture[str]) -> None:
    because = "monkey: 5, exit code: 3; see /connect/return/google; basics"
    log.error("seen", because=because, tokens=3)
    written = capsys.readouterr().err
    assert because in written
    assert "3" in written.partition("tokens")[2]


def test_json_stays_json(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging({"INVOCATION_ID": "x"})
    structlog.get_logger("test").error("seen", at=5, ids=["a", "b"])
    assert json.loads(capsys.readouterr().err)["ids"] == ["a", "b"]
    structlog.reset_defaults()
