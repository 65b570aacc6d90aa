"""iCalendar text to a tree of components and back (RFC 5545 3.1), with limits checked before anything is parsed.

A tree keeps every content line as it was received, so that what we do not own goes back unchanged. Nothing here knows
what a property means; no value is interpreted and nothing is cached between files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

MAX_BYTES = 1 << 20
MAX_LINES = 10_000
MAX_DEPTH = 5
MAX_PARAMETERS = 100
MAX_EXTRA_DATES = 500
MAX_OVERRIDES = 200

_NAME = re.compile(r"[A-Za-z0-9-]+")
_PARAMETER = re.compile(r';([A-Za-z0-9-]+)=((?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*)')
_PARAMETER_VALUE = re.compile(r'"([^"]*)"|([^",]+)')
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class IcsRefused(Exception):
    """A resource cannot be understood. The message is the name of the rule that it breaks, never its content."""

    @property
    def reason(self) -> str:
        """The rule's name, stable, for records."""
        return str(self)


@dataclass(frozen=True, slots=True)
class Line:
    """One unfolded content line. `name` and parameter names are upper case; `value` is the raw text after the colon."""

    name: str
    value: str
    params: tuple[tuple[str, tuple[str, ...]], ...] = ()
    raw: str = ""

    def param(self, name: str) -> str:
        """Return the first value of a parameter, "" without it."""
        return next((values[0] for key, values in self.params if key == name and values), "")

    def text(self) -> str:
        """Return the line as it is to be written, unfolded: as received, or put together from its parts."""
        if self.raw:
            return self.raw
        params = "".join(f";{key}={','.join(_quoted(value) for value in values)}" for key, values in self.params)
        return f"{self.name}{params}:{self.value}"


@dataclass(slots=True)
class Component:
    """BEGIN to END: the content lines, then the components inside, each in the order received."""

    name: str
    lines: list[Line] = field(default_factory=list)
    children: list[Component] = field(default_factory=list)

    def all(self, name: str) -> list[Line]:
        """Return every line of that name."""
        return [line for line in self.lines if line.name == name]

    def first(self, name: str) -> Line | None:
        """Return the first line of that name."""
        return next((line for line in self.lines if line.name == name), None)

    def one(self, name: str) -> Line | None:
        """Return the only line of that name; two are refused (RFC 5545 3.6.1: MUST NOT occur more than once)."""
        found = self.all(name)
        if len(found) > 1:
            raise IcsRefused(f"two-{name.lower()}")
        return found[0] if found else None

    def put(self, name: str, *lines: Line) -> None:
        """Put these lines in the place of all lines of that name (at the end where there was none)."""
        at = next((i for i, line in enumerate(self.lines) if line.name == name), len(self.lines))
        kept = [line for line in self.lines if line.name != name]
        self.lines = [*kept[:at], *lines, *kept[at:]]

    def named(self, name: str) -> list[Component]:
        """Return the components of that name directly inside."""
        return [child for child in self.children if child.name == name]


def parse(body: bytes) -> Component:
    """Return the VCALENDAR of a resource; IcsRefused for anything that is not exactly one whole calendar in UTF-8."""
    if len(body) > MAX_BYTES:
        raise IcsRefused("too-large")
    if not body.strip():
        raise IcsRefused("empty")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise IcsRefused("not-utf-8") from None
    if body.count(b"\n") > MAX_LINES:
        raise IcsRefused("too-many-lines")
    root = _tree(_lines(text))
    if root.name != "VCALENDAR":
        raise IcsRefused("not-a-calendar")
    return root


def _lines(text: str) -> Iterator[str]:
    held: list[str] = []
    for physical in text.replace("\r\n", "\n").split("\n"):
        if physical[:1] in {" ", "\t"} and held:
            held.append(physical[1:])
            continue
        if held:
            yield "".join(held)
        held = [physical] if physical.strip() else []
    if held:
        yield "".join(held)


def _tree(lines: Iterator[str]) -> Component:
    root: Component | None = None
    open_now: list[Component] = []
    for text in lines:
        line = split_line(text)
        if line.name == "BEGIN":
            if root is not None and not open_now:
                raise IcsRefused("two-calendars")
            component = Component(line.value.strip().upper())
            if open_now:
                open_now[-1].children.append(component)
            root = root or component
            open_now.append(component)
            if len(open_now) > MAX_DEPTH:
                raise IcsRefused("too-deep")
        elif not open_now:
            raise IcsRefused("not-a-calendar")
        elif line.name == "END":
            if open_now.pop().name != line.value.strip().upper():
                raise IcsRefused("bad-nesting")
        else:
            open_now[-1].lines.append(line)
    if root is None or open_now:
        raise IcsRefused("truncated")
    return root


def split_line(text: str) -> Line:
    """Split one unfolded content line into name, parameters and value."""
    name = _NAME.match(text)
    if name is None:
        raise IcsRefused("bad-line")
    at = name.end()
    params: list[tuple[str, tuple[str, ...]]] = []
    while text[at : at + 1] == ";":
        found = _PARAMETER.match(text, at)
        if found is None or len(params) == MAX_PARAMETERS:
            raise IcsRefused("bad-parameter")
        values = tuple(quoted or plain for quoted, plain in _PARAMETER_VALUE.findall(found[2]))
        params.append((found[1].upper(), values))
        at = found.end()
    if text[at : at + 1] != ":":
        raise IcsRefused("bad-line")
    return Line(name[0].upper(), text[at + 1 :], tuple(params), text)


def serialise(root: Component) -> bytes:
    """Return the tree as text with CRLF line ends, folded at 75 octets without cutting a character."""
    out: list[str] = []
    _write(root, out)
    return ("\r\n".join(out) + "\r\n").encode("utf-8")


def _write(component: Component, out: list[str]) -> None:
    out.append(f"BEGIN:{component.name}")
    out.extend(_fold(line.text()) for line in component.lines)
    for child in component.children:
        _write(child, out)
    out.append(f"END:{component.name}")


def _fold(text: str) -> str:
    if len(text) <= 75 and text.isascii():
        return text
    parts: list[str] = []
    part: list[str] = []
    width = 0
    for character in text:
        size = len(character.encode("utf-8"))
        if width + size > 75:
            parts.append("".join(part))
            part, width = [], 1
        part.append(character)
        width += size
    parts.append("".join(part))
    return "\r\n ".join(parts)


def text_line(name: str, value: str) -> Line:
    """Return a property of type TEXT (RFC 5545 3.3.11): escaped, so that no value can begin a line of its own."""
    clean = _CONTROL.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))
    clean = clean.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")
    return Line(name, clean)


def shown_text(value: str) -> str:
    """Return a TEXT value as a person reads it; invisible and direction-turning characters are spelled out."""
    plain = _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", plain)


def _quoted(value: str) -> str:
    clean = _CONTROL.sub("", value.replace('"', "'").replace("\n", " "))
    return f'"{clean}"' if any(mark in clean for mark in ",;:") else clean
