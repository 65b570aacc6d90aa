"""What every command has in common: who asks for it, when and why; and what it answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from calsync.booking.rulebook import PERMISSIVE, PracticeRules, Rulebook
from calsync.booking.rules import check_owner
from calsync.domain.appointment import Appointment
from calsync.errors import Problem, Refused
from calsync.store import audit, outbox, record_changes, records
from calsync.store.known import known_provider


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A person's or the system's wish. `actor` is `provider:ID`, `client:ID`, `support:NAME` or `system`.

    `rulebook` holds the practices' rules: every face hands in `Rulebook.of_settings(settings)`.
    """

    actor: str
    now: datetime
    reason: str | None = None
    note: str | None = None
    rulebook: Rulebook = PERMISSIVE

    @property
    def role(self) -> str:
        """The kind of actor."""
        return self.actor.partition(":")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a command did: the appointments that it changed or made, the series it touched, and what it left alone.

    `refused` are members of a set that a rule protects, each with the reason, `codes` the same with the rule's code;
    the others were changed all the same. `fees`, `refunds` and `blocks` are ids of what was recorded with it,
    `packages` those that got a credit back. `rebook`: the practice offers to book again (GT-2, GT-10); `resources`:
    what the reason shows the client, text and address (GT-12).
    """

    appointments: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)
    fees: tuple[str, ...] = ()
    refunds: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    rebook: bool = False
    resources: tuple[tuple[str, str], ...] = ()


class Overtaken(Refused):
    """Another command changed the session after this one read it: asked again, it is judged by what is there now."""

    def __init__(self, appointments: Iterable[str]) -> None:
        remedy = "Look at it again, then repeat"
        told = "was changed by somebody else at the same moment"
        super().__init__([Problem(f"{one} {told}", remedy=remedy) for one in appointments], code="changed-meanwhile")


def rules_for(conn: Connection, command: Command, provider: str) -> PracticeRules:
    """Return the rules of a provider's practice; `NotFoundError` for a provider who is not on the books."""
    return command.rulebook.of(known_provider(conn, provider).practice)


def write(conn: Connection, command: Command, action: str, changed: Iterable[Appointment], **more: Any) -> list[str]:
    """Write appointments with their history; their versions grow by one. Returns the ids.

    `Overtaken` where another command has changed one of them since this one read it.
    """
    written = list(changed)
    check_owner(command.rulebook, [one.id for one in written])
    known = records.appointments_by_ids(conn, [one.id for one in written], lock=True)
    _check_unchanged(written, known)
    numbered = [replace(one, version=known[one.id].version + 1) if one.id in known else one for one in written]
    told: dict[str, Any] = {
        "now": command.now,
        "actor": command.actor,
        "action": action,
        "reason": command.reason,
        "note": command.note,
        **more,
    }
    record_changes.put_appointments(conn, numbered, **told)
    return [one.id for one in written]


def _check_unchanged(written: Iterable[Appointment], known: Mapping[str, Appointment]) -> None:
    # On PostgreSQL two commands may read one session at the same moment. The rules were asked about what was read.
    overtaken = [one.id for one in written if one.id in known and known[one.id].version != one.version]
    if overtaken:
        raise Overtaken(overtaken)


def note(conn: Connection, command: Command, what: str, subject: str, detail: Mapping[str, Any]) -> None:
    """Add one entry to the audit log, in the command's transaction."""
    told = {"reason": command.reason, "note": command.note}
    full = {name: value for name, value in {**told, **detail}.items() if value}
    audit.append(conn, at=command.now, actor=command.actor, what=what, subject=subject, detail=full)


def tell(conn: Connection, command: Command, kind: str, changed: list[Appointment], **more: Any) -> None:
    """Owe provider and client one message about everything that one command changed; `more` are ids and switches."""
    if not changed:
        return
    first = changed[0]
    payload = {"appointments": [one.id for one in changed], **more}
    versions = records.appointments_by_ids(conn, [first.id])
    version = versions[first.id].version if first.id in versions else 1
    for recipient in (f"provider:{first.provider}", f"client:{first.client}"):
        key = f"{kind}/{first.id}/{version}/{recipient}"
        outbox.put(conn, key, kind, recipient, payload, now=command.now, due_at=command.now)
