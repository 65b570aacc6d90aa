"""What of an event is ours: two private properties, and our part of the description between two visible lines.

The web page may save a description as HTML, so the borders are recognised beside `<br>`, too.
"""

from __future__ import annotations

import re

MARKER = "calsync"
UID = "calsyncUid"

_BREAK = r"(?:\n|<br\s*/?>)"
_PART = re.compile(rf"\[appointment\]{_BREAK}(.*?){_BREAK}\[/appointment\]", re.DOTALL)


def our_description(text: str) -> str:
    """Return our part of a description, "" when it has none (or a person broke its borders)."""
    found = _PART.search(text)
    return re.sub(r"<br\s*/?>", "\n", found[1]) if found else ""


def with_our_description(text: str, ours: str) -> str:
    """Return a description with our part exchanged for `ours` ("" takes it away) and every other character kept."""
    part = f"[appointment]\n{ours}\n[/appointment]" if ours else ""
    found = _PART.search(text)
    if found is None:
        return f"{part}\n{text}" if part and text else part or text
    before, after = text[: found.start()], text[found.end() :]
    if not part:
        return (before.removesuffix("\n") + after if before else after.removeprefix("\n")).strip("\n")
    return before + part + after
