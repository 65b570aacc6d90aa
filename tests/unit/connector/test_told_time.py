"""The time that a service tells with its answers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from calsync.connector.told_time import told_time

SEEN = datetime(2026, 11, 23, 4, 5, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    "header",
    ["Mon, 23 Nov 2026 04:05:06 GMT", "Mon, 23 Nov 2026 04:05:06 -0000", "Mon, 23 Nov 2026 05:05:06 +0100"],
)
def test_a_date_is_an_instant(header: str) -> None:
    assert told_time(header) == SEEN


@pytest.mark.parametrize("header", [None, "", "yesterday", "Mon, 99 Nov 2026 04:05:06 GMT", "2026-11-23T04:05:06Z"])
def test_what_is_no_date_tells_nothing(header: str | None) -> None:
    assert told_time(header) is None
