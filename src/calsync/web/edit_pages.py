"""The pages on which a provider answers an edit (R-17, people's text 1 and 2).

Ahead of a session: move it to where it was dragged, keep it, or something else (another time, cancel). Where the rules
forbid the drag, the page says why and what is free that day. Behind it: as booked, as the calendar shows, another time,
or it did not take place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from fastapi.responses import Response
from sqlalchemy import Connection

from calsync.answers.mail_book import free_on, offer_of
from calsync.booking.command import rules_for
from calsync.booking.conditions import refund_is_asked
from calsync.domain.drift import DriftKind, Scope
from calsync.domain.span import Span, wall_time
from calsync.domain.time_text import read_time
from calsync.errors import Refused
from calsync.notices import wording
from calsync.notices.facts import EditedSession, EditFacts, Fate
from calsync.notices.gather import Gatherer, waits_for_answer
from calsync.store import drifts, providers, records
from calsync.web.client_pages import reason_facts
from calsync.web.edit_answers import WHY, Answering, is_settled
from calsync.web.visit import STALE, Unclear, Visit, state_mark

_TO_A_TIME: Final = frozenset({DriftKind.MOVED, DriftKind.RESIZED})
_AHEAD: Final = ("keep", "move", "time", "cancel", "other")
_BEHIND: Final = ("stands", "seen", "time", "none")


@dataclass(frozen=True, slots=True)
class AnswersEdits:
    """What a link of kind `answer-edit` shows and does."""

    def show(self, visit: Visit) -> Response | None:
        """What happened and what may be said about it; with a wish in the address, the form of that one answer."""
        with visit.site.database.reading() as conn:
            facts = _facts(conn, visit)
            if not facts:
                return None
            view = _View(conn, visit, facts)
            step = visit.wish("do")
            if view.is_past:
                return view.past(step if step in _BEHIND else "")
            return view.ahead(step if step in _AHEAD else "")

    def act(self, visit: Visit) -> Response | None:
        """Answer, once."""
        try:
            with visit.site.database.transaction() as conn:
                facts = _facts(conn, visit)
                if not facts:
                    return None
                _check_state(conn, visit, facts)
                visit.use(conn)
                text = _carry_out(Answering(conn, visit, facts), facts)
        except Refused as refusal:
            if is_settled(refusal):
                return None
            raise
        return visit.told("Thank you", text)


def _carry_out(answering: Answering, facts: list[EditFacts]) -> str:
    step = answering.visit.given.get("do", "keep")
    is_past = _is_past(answering.visit, facts)
    if step == "time" and is_past:
        return answering.took_place(*answering.wall_times())
    if step == "time":
        return answering.move(answering.wall_times()[0])
    if step == "seen":
        seen = answering.sessions[0].observed
        if seen is None:
            raise Unclear("The calendar shows no time. Nothing was changed.")
        return answering.took_place(seen.start_at.isoformat(), seen.end_at.isoformat())
    plain = {
        "keep": answering.keep,
        "move": answering.move,
        "cancel": answering.cancel,
        "stands": answering.stands,
        "none": answering.none,
    }
    if step not in plain:
        raise Unclear("Please choose an answer. Nothing was changed.")
    return plain[step]()


def _facts(conn: Connection, visit: Visit) -> list[EditFacts]:
    gatherer = Gatherer(visit.site.settings, lambda _edit: None)
    payload = visit.link.payload
    wanted = [str(each) for each in payload.get("edits", ())] or [str(payload.get("edit"))]
    found = [gatherer.edit(conn, each) for each in wanted]
    return [one for one in found if one is not None]


def _state(conn: Connection, facts: list[EditFacts]) -> str:
    sessions = [session.appointment for one in facts for session in one.sessions if session.appointment is not None]
    found = [each for one in facts for each in drifts.of_edit(conn, one.edit)]
    return state_mark(records.appointments_by_ids(conn, sessions).values(), found)


def _check_state(conn: Connection, visit: Visit, facts: list[EditFacts]) -> None:
    """`Unclear` if there is something else to answer by now than the page showed."""
    found = [each for one in facts for each in drifts.of_edit(conn, one.edit)]
    if any(map(waits_for_answer, found)) and visit.shown_state != _state(conn, facts):
        raise Unclear(STALE)


def _is_past(visit: Visit, facts: list[EditFacts]) -> bool:
    """Whether the question is when the sessions were: all of them have begun."""
    return all(_has_begun(visit, session) for one in facts for session in one.sessions)


def _has_begun(visit: Visit, session: EditedSession) -> bool:
    return session.fate is Fate.PAST or (session.expected is not None and session.expected.start_at <= visit.now)


@dataclass(frozen=True, slots=True)
class _View:
    conn: Connection
    visit: Visit
    facts: list[EditFacts]

    @property
    def is_past(self) -> bool:
        return _is_past(self.visit, self.facts)

    @property
    def zone(self) -> str:
        known = providers.get(self.conn, self.visit.person)
        return known.zone if known is not None else "UTC"

    @property
    def sessions(self) -> list[EditedSession]:
        found = [session for one in self.facts for session in one.sessions]
        return sorted(found, key=lambda one: one.expected.start_at.timestamp() if one.expected else 0.0)

    @property
    def only(self) -> EditedSession | None:
        return self.sessions[0] if len(self.sessions) == 1 else None

    def ahead(self, step: str) -> Response:
        view = {
            "keep": self._keep,
            "move": self._move,
            "time": self._time,
            "cancel": self._cancel,
            "other": self._other,
        }
        if step not in ("", "keep") and self.visit.site.settings.records.is_elsewhere:
            return self._elsewhere()
        return view[step]() if step else self._overview()

    def _elsewhere(self) -> Response:
        """Where the session is changed: its records belong to another platform."""
        only, seen = self.only, self._seen()
        found = self.visit.site.settings.records
        return self.visit.show(
            "edit-elsewhere",
            **self._common(),
            url=found.page_of(only.appointment) if only is not None and only.appointment is not None else None,
            copy=wording.short_span(seen, self.zone) if seen is not None else "",
        )

    def _overview(self) -> Response:
        only, seen = self.only, self._seen()
        offer = self._offer()
        return self.visit.show(
            "edit",
            **self._common(),
            wanted=self._wanted(),
            can_move=offer is None or offer.may_move or offer.elsewhere is not None,
            elsewhere=self.visit.site.settings.records.is_elsewhere,
            because=offer.because if offer is not None else "",
            free=[wording.clock(at) for at in offer.free[:8]] if offer is not None else [],
            has_time=seen is not None or self._is_dragged_series(),
            keep=wording.clock(wall_time(only.expected.start_at, self.zone)) if only and only.expected else "",
        )

    def _keep(self) -> Response:
        only = self.only
        clock = wording.clock(wall_time(only.expected.start_at, self.zone)) if only and only.expected else ""
        return self.visit.show("edit-keep", **self._common(), keep=clock, why=list(WHY.items()))

    def _move(self) -> Response:
        offer = self._offer()
        if offer is not None and not offer.may_move:
            return self._time()
        if self._seen() is None and not self._is_dragged_series():
            return self._overview()
        return self.visit.show(
            "edit-move", **self._common(), wanted=self._wanted(), reasons=self._reasons("reschedule")
        )

    def _time(self) -> Response:
        only, offer = self.only, self._offer()
        if only is None or only.expected is None:
            return self._overview()
        day = self._day(only.expected)
        session = records.appointment(self.conn, only.appointment) if only.appointment is not None else None
        free = free_on(self.conn, self.visit.command(), session, day.date()) if session is not None else ()
        return self.visit.show(
            "edit-time",
            **self._common(),
            because=offer.because if offer is not None and not offer.may_move else "",
            wanted=self._wanted(),
            day=day.date().isoformat(),
            day_words=wording.long_day(day),
            free=[wording.clock(wall_time(one.start_at, self.zone)) for one in free],
            time=self.visit.given.get("time", ""),
            reasons=self._reasons("reschedule"),
        )

    def _cancel(self) -> Response:
        rules = rules_for(self.conn, self.visit.command(), self.visit.person)
        found = records.appointments_by_ids(
            self.conn, [one.appointment for one in self.sessions if one.appointment is not None]
        )
        command = self.visit.command()
        kinds = [rules.cancel_terms(one.kind) for one in found.values()]
        listed = rules.reasons("cancel", "provider")
        return self.visit.show(
            "edit-cancel",
            **self._common(),
            reasons=reason_facts(rules, "cancel", command),
            questions=[(one.text, each) for one in listed for each in one.questions],
            needs_aware=any("client-aware" in terms.require for terms in kinds),
            needs_note=any("note" in terms.require for terms in kinds),
            asks_refund=any(refund_is_asked(self.conn, rules, command, one) for one in found.values()),
            may_block="provider" in rules.policy.blocks.by,
            given=dict(self.visit.given),
        )

    def _other(self) -> Response:
        return self.visit.show("edit-other", **self._common(), is_single=self.only is not None)

    def past(self, step: str) -> Response:
        only, seen = self.only, self._seen()
        expected = only.expected if only is not None else None
        start = wall_time(expected.start_at, self.zone) if expected is not None else None
        return self.visit.show(
            "edit-past",
            **self._common(),
            step=step,
            booked=wording.long_span(expected, self.zone) if expected is not None else "",
            seen=wording.long_span(seen, self.zone) if seen is not None else "",
            day=start.date().isoformat() if start is not None else "",
            is_single=only is not None,
            given=dict(self.visit.given),
        )

    def _common(self) -> dict[str, Any]:
        shown = [session_words(one, self.zone) for one in self.sessions]
        state = _state(self.conn, self.facts)
        return {"sessions": shown, "first": shown[0], "many": len(shown) > 1, "state": state}

    def _reasons(self, act: str) -> dict[str, Any]:
        rules = rules_for(self.conn, self.visit.command(), self.visit.person)
        return reason_facts(rules, "cancel" if act == "cancel" else "reschedule", self.visit.command())

    def _offer(self) -> Any:
        drift = drifts.get(self.conn, self.only.drift) if self.only is not None and self._seen() else None
        return offer_of(self.conn, self.visit.site.settings, drift, self.visit.now) if drift is not None else None

    def _seen(self) -> Span | None:
        """Where the only session was dragged to, if it was dragged to a time at all."""
        only = self.only
        seen = only.observed if only is not None and only.kind in _TO_A_TIME else None
        return None if seen is None or seen.all_day else seen

    def _is_dragged_series(self) -> bool:
        found = [each for one in self.facts for each in drifts.of_edit(self.conn, one.edit)]
        return len(found) > 1 and all(one.scope is Scope.SERIES and one.kind in _TO_A_TIME for one in found)

    def _wanted(self) -> str:
        only, seen = self.only, self._seen()
        if only is None or seen is None or only.expected is None:
            return ""
        start, before = wall_time(seen.start_at, self.zone), wall_time(only.expected.start_at, self.zone)
        if start == before:
            return f"{wording.clock(start)}-{wording.clock(wall_time(seen.end_at, self.zone))}"
        return wording.clock(start) if start.date() == before.date() else wording.short_moment(seen.start_at, self.zone)

    def _day(self, expected: Span) -> Any:
        """The day that was asked for, else the one that it was dragged to, else its own."""
        try:
            return read_time(f"{self.visit.wish('day')}T00:00", expected.zone)
        except ValueError:
            seen = self._seen() or expected
            return wall_time(seen.start_at, self.zone)


def session_words(session: EditedSession, zone: str) -> dict[str, str]:
    """How pages tell one edited session."""
    expected = session.expected
    return {
        "booked": wording.short_span(expected, zone) if expected is not None else "A session",
        "long": wording.long_span(expected, zone) if expected is not None else "a session",
        "number": session.appointment or "unknown",
        "happened": wording.what_happened(session, zone),
        "ahead": "yes" if session.fate is not Fate.PAST else "",
    }
