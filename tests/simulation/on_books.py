"""What the books, and what people see, say of an event of ours: heard of, named, beside its own, on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calsync.testing.memory_state import Change
from tests.simulation.held import STILL, Held

if TYPE_CHECKING:
    from tests.simulation.observer import Observer


_UNDER_WAY = "SELECT id FROM owed_writes WHERE link = ? AND cause != 'copy' AND state = 'sent'"
# Given up or refused the second time, though it had taken effect, or about to go out once more: all the same to whoever
# has no answer.
_ON_BOOKS = "SELECT 1 FROM owed_writes WHERE id = ?"
_NEVER_HEARD = "SELECT 1 FROM owed_writes WHERE id = ? AND state IN ('sent', 'superseded', 'rejected')"


def writes_under_way(observer: Observer, link: str) -> tuple[str, ...]:
    """Our writes of a link that are on their way."""
    return tuple(one for (one,) in observer.books.rows(_UNDER_WAY, link))


def given_up_on_the_way(observer: Observer, link: str, change: Change) -> tuple[str, ...]:
    """Our writes of just this content that nobody waited for any more when they arrived."""
    query = "SELECT id, content FROM owed_writes WHERE link = ? AND state = 'superseded' AND sent_at IS NOT NULL"
    marker = (change.after.marker if change.after is not None else None) or ""
    return tuple(one for one, content in observer.books.rows(query, link) if content is not None and content in marker)


def was_never_heard(observer: Observer, sent: tuple[str, ...]) -> bool:
    """Whether no answer came to any of these writes, so that nobody knows them to have arrived."""
    # Books that are older than the write know nothing of it.
    return bool(sent) and all(
        observer.books.rows(_NEVER_HEARD, one) or (observer.power_lost and not observer.books.rows(_ON_BOOKS, one))
        for one in sent
    )


def is_booked(observer: Observer, held: Held) -> bool:
    """Whether the books know its name."""
    copied = "SELECT 1 FROM link_copies WHERE remote_id = ? AND link IN (SELECT id FROM links WHERE calendar = ?)"
    return observer.is_own(held) or bool(observer.books.rows(copied, held.key[2], held.key[1]))


def is_unsigned(observer: Observer, held: Held) -> bool:
    """Whether nothing tells any more that it came from us: neither a marker of ours nor its name."""
    if held.stored is None or held.stored.marker in observer.markers:
        return False
    return not is_booked(observer, held)


def is_of_the_past(observer: Observer, held: Held) -> bool:
    """Whether it is marked for an earlier generation of its link, so that it is nobody's but the person's.

    Its link was given another name because the service refused this one, for what was gone for good. Should it come
    back all the same, with an account that was swapped for instance, then our event stands under the new name, and
    by its marker this one is foreign.
    """
    if is_booked(observer, held) or held.stored is None or held.stored.marker not in observer.markers:
        return False
    marker = held.stored.marker or ""
    return observer.books.rows("SELECT generation FROM links WHERE id = ?", held.link) != [(int(marker.split(".")[3]),)]


def is_beside(observer: Observer, held: Held) -> bool:
    """Whether it stands beside its link's own event, be it a former one that came back after it was made anew."""
    return held.is_copy or not observer.is_own(held)


def stands_alone(observer: Observer, held: Held) -> bool:
    """Whether it is a copy, and all that there is: the event itself under another id."""
    return held.is_copy and all(other.stored is None for other in observer.of_link[held.link] if other is not held)


def is_a_late_create(observer: Observer, held: Held, change: Change) -> bool:
    """Whether it is a create that was given up on its way, and arrives all the same."""
    query = (
        "SELECT content FROM owed_writes"
        " WHERE link = ? AND kind = 'create' AND state = 'superseded' AND sent_at IS NOT NULL"
    )
    marker = (change.after.marker if change.after is not None else None) or ""
    return any(content is not None and content in marker for (content,) in observer.books.rows(query, held.link))


def is_asked_to_restore(observer: Observer, held: Held) -> bool:
    """Whether a person knew that it cannot be understood, and said that the booking is to be put back over it."""
    told = (one for one in observer.drifts.values() if one.link == held.link and one.kind == "unreadable")
    asked = any(one.open and one.resolved_by is not None for one in told)
    # It may have been on its way while its worker lost the lease, and another one decided the same.
    sent = "SELECT 1 FROM owed_writes WHERE link = ? AND cause = 'restore' AND sent_at IS NOT NULL"
    return asked and bool(observer.books.rows(sent, held.link))


def left_before_the_stop(observer: Observer, calendar: str, link: str) -> bool:
    """Whether it was on its way when another worker, which had the lease by then, stopped the calendar."""
    [(stopped,)] = observer.books.rows("SELECT max(started_at) FROM stops WHERE calendar = ?", calendar)
    [(sent,)] = observer.books.rows("SELECT max(sent_at) FROM owed_writes WHERE link = ?", link)
    return stopped is not None and sent is not None and sent < stopped


def is_wanted(observer: Observer, link: str) -> bool:
    """Whether the record calls for anything there: what is cancelled goes, edited or not."""
    subject = observer.subject_of(link)
    return any(until == STILL and key[:2] == subject for key, until in observer.called_for.items())
