"""What in a resource is ours: the marker's property, and our part of the description between two visible lines."""

from __future__ import annotations

MARKER = "X-CALSYNC"
PRODID = "-//calsync//calsync//EN"

_OPEN = "[appointment]"
_CLOSE = "[/appointment]"


def our_description(text: str) -> str:
    """Return our part of a description, "" when it has none (or a person broke its borders)."""
    parts = _split(text)
    return parts[1] if parts else ""


def with_our_description(text: str, ours: str) -> str:
    """Return a description with our part exchanged for `ours` ("" takes it away) and every other character kept."""
    before, _, after = _split(text) or ("", "", f"\n{text}" if text else "")
    if not ours:
        return (before + after.removeprefix("\n") if not before else before.removesuffix("\n") + after).strip("\n")
    return f"{before}{_OPEN}\n{ours}\n{_CLOSE}{after}"


def _split(text: str) -> tuple[str, str, str] | None:
    before, opened, rest = text.partition(f"{_OPEN}\n")
    ours, closed, after = rest.partition(f"\n{_CLOSE}")
    return (before, ours, after) if opened and closed else None
