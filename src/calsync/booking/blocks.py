"""Out-of-office blocks: mirrored as busy events, and no session is booked over them (R-5)."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from calsync.booking.command import Command, note, rules_for
from calsync.booking.rulebook import PracticeRules
from calsync.booking.rules import check_own, check_who, refuse
from calsync.domain.appointment import Appointment, Block
from calsync.errors import NotFoundError
from calsync.store import booked_time, record_changes, records


def add_block(conn: Connection, command: Command, block: Block) -> list[str]:
    """Block a provider's time. Sessions inside it stay booked; their ids are returned, for somebody must move them.

    Refused: `id-taken`, `bad-time`, `who-may-block`, `not-yours`.
    """
    rules = rules_for(conn, command, block.provider)
    check_who(rules, rules.policy.blocks.by, "block", command.actor)
    check_own(command.actor, block.provider)
    if records.block(conn, block.id) is not None:
        raise refuse("id-taken", f"there is a block {block.id!r} already", "Choose another id")
    if block.span.end_at <= block.span.start_at:
        raise refuse("bad-time", "the end is not after the start", "Choose an end after it")
    taken = booked_time.taken_between(conn, block.provider, block.span.start_at, block.span.end_at)
    record_changes.put_block(
        conn, block, now=command.now, actor=command.actor, action="blocked", reason=command.reason, note=command.note
    )
    note(conn, command, "block-added", f"block:{block.id}", {"provider": block.provider})
    return [one.id for one in taken if one.kind == "appointment"]


def block_old_time(conn: Connection, command: Command, rules: PracticeRules, one: Appointment) -> str:
    """Put an out-of-office time over a session that is given up, so that nobody books it anew; returns its id."""
    key = f"{one.id}.away"
    standing = records.block(conn, key)
    version = standing.version + 1 if standing is not None else 1
    block = Block(key, one.provider, one.span, rules.policy.blocks.title, version=version)
    record_changes.put_block(
        conn, block, for_appointment=one.id, now=command.now, actor=command.actor, action="blocked", note=command.note
    )
    note(conn, command, "block-added", f"block:{key}", {"provider": one.provider, "appointment": one.id})
    return key


def remove_block(conn: Connection, command: Command, block_id: str) -> bool:
    """Give the time back; the event leaves the calendars. False if it was removed before."""
    known = records.block(conn, block_id)
    if known is None:
        raise NotFoundError("block", block_id)
    rules = rules_for(conn, command, known.provider)
    check_who(rules, rules.policy.blocks.by, "block", command.actor)
    check_own(command.actor, known.provider)
    if known.cancelled:
        return False
    record_changes.put_block(
        conn,
        replace(known, cancelled=True, version=known.version + 1),
        now=command.now,
        actor=command.actor,
        action="removed",
        reason=command.reason,
        note=command.note,
    )
    note(conn, command, "block-removed", f"block:{block_id}", {"provider": known.provider})
    return True
