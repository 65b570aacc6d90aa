"""How long a service asks to be left alone, in all the forms that services say it in."""

from __future__ import annotations

import pytest

from calsync.connector.retry_after import LONGEST_WAIT, retry_after

TEN = "Sun, 22 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "120"}, 120),
        ({"retry-after": "99999999999999999999"}, LONGEST_WAIT),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "1e9"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "１２"}, None),
        ({}, None),
        ({"retry-after": "Sun, 22 Nov 2026 10:01:30 GMT", "date": TEN}, 90),
        ({"retry-after": "Sun, 22 Nov 2026 09:00:00 GMT", "date": TEN}, 0),
        ({"retry-after": "Sun, 22 Nov 2026 10:01:30 GMT"}, None),
    ],
)
def test_retry_after_in_all_its_forms(headers: dict[str, str], expected: float | None) -> None:
    assert retry_after(headers) == expected
