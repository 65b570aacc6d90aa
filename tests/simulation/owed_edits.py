"""After a clean pass: does a drift tell of every edit that was there when it began?"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tests.simulation.on_books import is_beside, is_booked, is_of_the_past, is_unsigned
from tests.simulation.sights import Shown
from tests.simulation.telling import about

if TYPE_CHECKING:
    from tests.simulation.observer import Observer


def check_owed(
    observer: Observer, calendar: str, pos: int, before: datetime, expected: dict[str, Counter[Shown]]
) -> None:
    """Every edit that was in place when a clean pass began is on the books when it ends."""
    horizon, behind = (before + timedelta(days=400)).timestamp(), (before - timedelta(days=60)).timestamp()
    for held in observer.events.values():
        if held.key[1] != calendar or held.edited_at is None or held.edited_at > before:
            continue
        subject = observer.subject_of(held.link)
        if subject is None or (held.stored is not None and held.stored.unreadable is not None):
            continue
        if observer.books.rows("SELECT 1 FROM links WHERE id = ? AND state = 'retired'", held.link):
            continue  # cancelled: what people do with a copy that was flagged before is theirs
        if is_unsigned(observer, held):
            continue  # its marker was taken off before anybody read it under that name: who could know whose it is?
        if is_of_the_past(observer, held):
            continue  # it came back after its link had gone on under another name: a person's own from then on
        if not is_booked(observer, held) and held.now and all(not behind <= span[0] < horizon for span in held.now):
            continue  # its name was never told to us, and it lies where no listing looks: nobody can have read it
        wanted = expected.get(f"{subject[0]}:{subject[1]}", Counter())
        accepted = [one for one in observer.drifts.values() if one.link == held.link and one.accepted]
        for span, at in held.since.items():
            # A copy far back in time stands beside nothing that is mirrored there.
            beyond = span[0] > horizon or (is_beside(observer, held) and span[1] < behind)
            known = any(one.observed == span for one in accepted) or wanted[span] or beyond
            if at <= pos and not known and not about(observer, held, at, observed=span):
                observer.fail("I2-lost", f"{held.key} shows {span} since {at}, and no drift tells of it")
        for span, at in held.gone.items():
            # Another session may have been moved there, and away again: what is called for stands all the same.
            known = any(one.expected == span for one in accepted) or held.now[span] >= wanted[span]
            elsewhere = any(
                other.now[span] or (other.edited_at is not None and other.edited_at > before)
                for other in observer.of_link[held.link]
                if other is not held
            )
            if at <= pos and not known and not elsewhere and not about(observer, held, at, expected=span):
                observer.fail("I2-lost", f"{held.key} lacks {span} since {at}, and no drift tells of it")
