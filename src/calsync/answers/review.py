"""Working through the review queue: who looks after an edit, until when it may rest, whom it waits for, what was said.

Each is one transaction with its audit row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from calsync.answers.edits import Settled, settle_drift, settle_edit
from calsync.answers.words import Desk, Word
from calsync.domain.drift import Drift, Phase, Resolution
from calsync.errors import NotFoundError, Problem, Refused
from calsync.store import audit, drifts, edits, outbox, support_notes
from calsync.store.edits import EditRow
from calsync.store.known import known_appointment
from calsync.store.support_notes import SupportNote

AGAIN_AFTER: Final = timedelta(minutes=10)
"""How soon a provider may be asked once more about the same edit."""

LONGEST_REST: Final = timedelta(days=30)
LONGEST_NOTE: Final = 2000
_WAITS_FOR: Final = frozenset({"provider", "client", "billing"})


def assign(desk: Desk, edit: str, to: str | None, *, by: str, seen: str | None) -> None:
    """Give the edit to somebody, or to nobody (None).

    `seen` is whose it was when the person decided; Refused if somebody else took it meanwhile.
    """

    def take(row: EditRow) -> EditRow:
        if row.assigned not in (seen, to):
            whose = row.assigned or "nobody"
            raise Refused([Problem(f"it is {whose}'s by now", f"edit {edit}", "Look again")], code="taken-meanwhile")
        return replace(row, assigned=to)

    _change(desk, edit, take, by=by, told=("edit-assigned", {"to": to}))


def snooze(desk: Desk, edit: str, until: datetime | None, *, by: str) -> None:
    """Let the edit rest until then; None wakes it, and it waits for nobody any more."""
    if until is not None:
        _check_rest(desk, edit, until)

    def rest(row: EditRow) -> EditRow:
        return replace(row, snoozed_until=until, waiting_for=None)

    told = {"until": None if until is None else until.isoformat()}
    _change(desk, edit, rest, by=by, told=("edit-snoozed", told))


def wait_for(desk: Desk, edit: str, whom: str, until: datetime, *, by: str) -> None:
    """Somebody was asked: the edit leaves the queue until they answer, or until then."""
    if whom not in _WAITS_FOR:
        raise Refused([Problem("it cannot wait for that", f"edit {edit}", "provider, client or billing")])
    _check_rest(desk, edit, until)

    def wait(row: EditRow) -> EditRow:
        return replace(row, snoozed_until=until, waiting_for=whom)

    _change(desk, edit, wait, by=by, told=("edit-waits", {"for": whom, "until": until.isoformat()}))


def ask_again(desk: Desk, edit: str, *, by: str) -> None:
    """Have the provider's mail about an edit written once more, with a fresh link.

    Refused where nothing waits for an answer any more, and within ten minutes of the last time.
    """
    now = desk.clock.now()
    with desk.database.transaction() as conn:
        row = _lock(conn, edit)
        found = [one for one in drifts.of_edit(conn, edit) if one.resolution in (Resolution.OPEN, Resolution.REVERTED)]
        if not found:
            raise Refused([Problem("it is settled already", f"edit {edit}")], code="already-settled")
        kind = "edit-reverted" if all(one.phase is Phase.UPCOMING for one in found) else "edit-after-start"
        recipient, key = f"provider:{row.provider}", f"ask-again:{edit}:"
        if any(one.key.startswith(key) for one in outbox.of_recipient(conn, recipient, now - AGAIN_AFTER)):
            what = "the provider was asked again a few minutes ago"
            raise Refused([Problem(what, f"edit {edit}", "Give them ten minutes")], code="asked-just-now")
        fresh = key + desk.ids.new_id("ask")
        outbox.put(conn, fresh, kind, recipient, {"edit": edit}, now=now, due_at=now)
        _note(conn, desk, edit, by, ("edit-asked-again", {"mail": fresh}))


def add_note(desk: Desk, appointment: str, how: str, text: str, *, by: str) -> None:
    """Keep what was said on the telephone ("call"), or a word for whoever looks next ("note").

    The text stays out of the log: people write names into notes.
    """
    kept = text.strip()
    if how not in ("call", "note") or not kept or len(kept) > LONGEST_NOTE:
        what = f"a note is a call or a note, and has up to {LONGEST_NOTE} characters"
        raise Refused([Problem(what, f"appointment {appointment}")], code="bad-note")
    now = desk.clock.now()
    with desk.database.transaction() as conn:
        known_appointment(conn, appointment)
        note = SupportNote(desk.ids.new_id("note"), appointment, now, by, how, kept)
        support_notes.insert(conn, note)
        subject, detail = f"appointment:{appointment}", {"note": note.id, "how": how}
        audit.append(conn, at=now, actor=by, what="note-added", subject=subject, detail=detail)


def settle(desk: Desk, edit: str, word: Word, *, drift: str | None = None, seen: str | None = None) -> Settled:
    """Answer an edit, or one drift of it, as `edits` does.

    `seen` is the edit's `seen_mark` when the person decided. Refused if somebody answered, or the calendar was changed
    further, meanwhile: nobody answers what they have not looked at.
    """
    with desk.database.transaction() as conn:
        _lock(conn, edit)
        known = drifts.of_edit(conn, edit)
        if seen is not None and seen != seen_mark(known):
            raise _meanwhile(conn, edit, known)
        if drift is None:
            return settle_edit(conn, desk, edit, word)
        if drift not in {one.id for one in known}:
            raise NotFoundError("drift", drift)
        return settle_drift(conn, desk, drift, word)


def _meanwhile(conn: Connection, edit: str, known: Sequence[Drift]) -> Refused:
    told = [one.resolved_by for one in drifts.answers(conn, [one.id for one in known]).values() if one.resolved_by]
    what = f"it was answered by {told[0]} meanwhile" if told else "it was changed further in the calendar meanwhile"
    return Refused([Problem(what, f"edit {edit}", "Look again, then decide")], code="changed-meanwhile")


def seen_mark(found: Sequence[Drift]) -> str:
    """A text that changes whenever one of these drifts does."""
    newest = max((one.changed_at for one in found), default=None)
    still = sum(one.resolution in (Resolution.OPEN, Resolution.REVERTED) for one in found)
    return f"{'' if newest is None else newest.isoformat()}/{still}"


def _change(
    desk: Desk, edit: str, change: Callable[[EditRow], EditRow], *, by: str, told: tuple[str, dict[str, Any]]
) -> None:
    with desk.database.transaction() as conn:
        row = change(_lock(conn, edit))
        edits.assign(conn, edit, assigned=row.assigned, snoozed_until=row.snoozed_until, waiting_for=row.waiting_for)
        _note(conn, desk, edit, by, told)


def _lock(conn: Connection, edit: str) -> EditRow:
    row = edits.get(conn, edit) if edits.lock(conn, edit) else None
    if row is None:
        raise NotFoundError("edit", edit)
    return row


def _check_rest(desk: Desk, edit: str, until: datetime) -> None:
    now = desk.clock.now()
    if not now < until <= now + LONGEST_REST:
        what = f"it may rest for up to {LONGEST_REST.days} days from now"
        raise Refused([Problem(what, f"edit {edit}", "Choose a time within them")], code="bad-rest")


def _note(conn: Connection, desk: Desk, edit: str, by: str, told: tuple[str, dict[str, Any]]) -> None:
    what, detail = told
    audit.append(conn, at=desk.clock.now(), actor=by, what=what, subject=f"edit:{edit}", detail=detail)
