"""The gate's answers for people. Made from values; decides nothing."""

from __future__ import annotations

from calsync.claims.answer import Answer
from calsync.claims.reasons import Verdict


def answer_lines(one: Answer) -> list[str]:
    """An answer for people: the verdict, then why, then what else should be known."""
    if one.verdict is Verdict.CLEARED:
        assert one.date_of_service is not None
        lines = [f"{one.appointment}: cleared for {one.date_of_service:%a %d %b %Y}"]
    else:
        waits = f", waiting for {one.waiting_on}" if one.waiting_on not in (None, "nobody") else ""
        limit = f", file by {one.file_by:%a %d %b %Y}" if one.file_by is not None else ""
        lines = [f"{one.appointment}: {one.verdict}{waits}{limit}"]
    if one.state not in (one.verdict, "cleared"):
        lines[0] += f" ({one.state})"
    lines += [f"  {reason.text} [{reason.code}]" for reason in one.reasons]
    lines += [f"  Note: {advisory.text} [{advisory.code}]" for advisory in one.advisories]
    return lines
