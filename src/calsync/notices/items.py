"""The parts of a mail: each tells one thing, and has the buttons by which it is answered."""

from __future__ import annotations

from dataclasses import dataclass

from calsync.notices.invitation import Invitation


@dataclass(frozen=True, slots=True)
class Button:
    """Something to press, in HTML, or to open, in plain text. `hint` says what comes of it."""

    label: str
    url: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One of the things that a mail tells.

    `asks`: it wants an answer, by a button or, without any, by mail to support; `quote` is the number to name then.
    """

    subject: str
    body: str
    buttons: tuple[Button, ...] = ()
    asks: bool = False
    once: bool = False  # the buttons can be used by the recipient alone, and once
    quote: str | None = None
    for_people: bool = True
    invitations: tuple[Invitation, ...] = ()
