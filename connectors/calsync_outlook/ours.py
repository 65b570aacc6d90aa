"""What of an event is ours: four extended properties, and our part of the body between two visible lines. Pure."""

from __future__ import annotations

import html
import re

_SET = "{7e1f4a2c-5d0b-4b6e-9a34-1c8d2f6b9e05}"
MARKER = f"String {_SET} Name calsync"
UID = f"String {_SET} Name calsyncUid"
ZONE = f"String {_SET} Name calsyncZone"
NAME = f"String {_SET} Name calsyncName"

EXPANSION = (
    "singleValueExtendedProperties($filter=" + " or ".join(f"id eq '{one}'" for one in (MARKER, UID, ZONE)) + ")"
)

_OPEN, _CLOSE = "[appointment]", "[/appointment]"
_PART = re.compile(r"\[appointment\]\n(.*?)\n\[/appointment\]", re.DOTALL)
_HTML_PART = re.compile(r"\[appointment\].*?\[/appointment\](?:<br\s*/?>\r?\n?)?", re.DOTALL)


def property_filter(name: str, value: str) -> str:
    """Return the `$filter` that finds events by one of our properties."""
    quoted = value.replace("'", "''")
    return f"singleValueExtendedProperties/Any(ep: ep/id eq '{name}' and ep/value eq '{quoted}')"


def our_description(text: str) -> str:
    """Return our part of a body as text, "" when it has none (or a person broke its borders)."""
    found = _PART.search(text)
    return found[1] if found else ""


def described(ours: str) -> str:
    """Return a body as text that holds our part alone."""
    return f"{_OPEN}\n{ours}\n{_CLOSE}" if ours else ""


def with_our_part(page: str, ours: str) -> str:
    """Return a body as HTML with our part exchanged and every other character kept; "" takes our part away."""
    lines = html.escape(described(ours), quote=False).replace("\n", "<br>\r\n")
    part = f"{lines}<br>\r\n" if lines else ""
    if _HTML_PART.search(page):
        return _HTML_PART.sub(lambda _: part, page, count=1)
    if not page.strip():
        return f"<html><body>{part}</body></html>"
    head, body, rest = re.split(r"(<body[^>]*>)", page, maxsplit=1, flags=re.IGNORECASE) if "<body" in page else (
        "", "", page
    )  # fmt: skip
    return f"{head}{body}{part}{rest}"
