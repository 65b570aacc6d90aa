"""Every code by which the book refuses a command is explained to those who rely on it."""

from __future__ import annotations

import re
from pathlib import Path

from calsync.booking.rules import _DOING
from calsync.domain.appointment import AppointmentStatus

ROOT = Path(__file__).parents[2]
_RAISED = re.compile(r'refuse\(\s*f?"([^"]+)"|code="([a-z-]+)"|code = "([a-z-]+)" if .* else "([a-z-]+)"')
_DONE = [status.value for status in AppointmentStatus if status is not AppointmentStatus.SCHEDULED]
# Of one session in a list that is completed, and of commands that are refused for several reasons at once.
_NO_RULES = {"no-such-appointment", "refused"}


def test_every_code_is_explained() -> None:
    explained = set(re.findall(r"`([a-z-]+)`", (ROOT / "docs" / "policies.md").read_text(encoding="utf-8")))
    raised: set[str] = set()
    for path in (ROOT / "src" / "calsync" / "booking").glob("*.py"):
        for found in _RAISED.findall(path.read_text(encoding="utf-8")):
            raised |= {code for code in found if code}
    raised |= {f"already-{status}" for status in _DONE} | {f"who-may-{act}" for act in _DOING}
    plain = {code for code in raised if "{" not in code} - _NO_RULES
    assert len(plain) > 40
    assert plain - explained == set()
