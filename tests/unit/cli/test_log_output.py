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
    ],
)
def test_what_looks_like_a_secret_is_blotted_out(
    log: structlog.typing.FilteringBoundLogger, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    log.error("seen", because=text)
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
    log.error("seen", because="monkey: 5, exit code: 3")
    assert "monkey: 5, exit code: 3" in capsys.readouterr().err


def test_json_stays_json(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging({"INVOCATION_ID": "x"})
    structlog.get_logger("test").error("seen", at=5, ids=["a", "b"])
    assert json.loads(capsys.readouterr().err)["ids"] == ["a", "b"]
    structlog.reset_defaults()
