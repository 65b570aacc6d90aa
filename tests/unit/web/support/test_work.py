"""Working through the queue: every action leaves a named row, and nobody settles anything twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

from calsync.domain.drift import Resolution
from calsync.store import edits, outbox, records, stops
from calsync.store.tokens import Role
from tests.unit.web.support.office import Office


def _rows(text: str) -> list[str]:
    """The ids of the edits on a page of the queue, in order."""
    return [part.split('"')[0] for part in text.split('name="edit" value="')[1:]]


class TestOrder:
    def test_the_gravest_consequence_comes_first(self, office: Office) -> None:
        office.drag("4830", "2026-11-25T10:00", "2026-11-25T14:00")
        office.drag("4821", "2026-11-24T10:00", "2026-11-24T14:00")
        office.drag("4790", "2026-11-19T15:00", "2026-11-20T15:00")
        assert _rows(office.enter("ann").page("/support/queue")) == ["edit-4790", "edit-4821", "edit-4830"]

    def test_views_phases_and_providers_narrow_it(self, office: Office) -> None:
        office.drag("4821", "2026-11-24T10:00", "2026-11-24T14:00")
        office.drag("4790", "2026-11-19T15:00", "2026-11-20T15:00")
        ann = office.enter("ann")
        assert _rows(ann.page("/support/queue?phase=past")) == ["edit-4790"]
        assert _rows(ann.page("/support/queue?provider=P-2")) == []
        assert _rows(ann.page("/support/queue?view=mine")) == []
        ann.post("/support/queue", take="edit-4821")
        assert _rows(ann.page("/support/queue?view=mine")) == ["edit-4821"]
        assert _rows(ann.page("/support/queue?view=free")) == ["edit-4790"]
        bob = office.enter("bob")
        assert _rows(bob.page("/support/queue")) == ["edit-4790"]
        assert len(_rows(bob.page("/support/queue?view=all"))) == 2


class TestTriage:
    def test_two_do_not_take_the_same(self, office: Office) -> None:
        office.drag("4821", "2026-11-24T10:00", "2026-11-24T14:00")
        ann, bob = office.enter("ann"), office.enter("bob")
        assert ann.post("/support/queue", take="edit-4821", whose_edit="").status_code == 303
        late = bob.post("/support/queue", take="edit-4821")
        assert late.status_code == 409
        assert "ann" in late.text
        assert [row.actor for row in office.noted("edit-assigned")] == ["support:ann"]

    def test_what_rests_leaves_the_queue_until_then(self, office: Office) -> None:
        office.drag("4821", "2026-11-24T10:00", "2026-11-24T14:00")
        ann = office.enter("ann")
        ann.post("/support/edits/edit-4821/triage", what="snooze", for_="4h")
        assert _rows(ann.page("/support/queue")) == []
        assert _rows(ann.page("/support/queue?view=resting")) == ["edit-4821"]
        for _ in range(18):
            office.house.clock.advance(timedelta(minutes=14))  # nobody is logged out in between
            ann.page("/support/queue")
        assert _rows(ann.page("/support/queue")) == ["edit-4821"]
        assert office.noted("edit-snoozed")[0].actor == "support:ann"

    def test_the_provider_is_asked_again_once_in_ten_minutes(self, office: Office) -> None:
        office.drag("4821", "2026-11-24T10:00", "2026-11-24T14:00")
        ann = office.enter("ann")
        assert ann.post("/support/edits/edit-4821/ask").status_code == 303
        assert ann.post("/support/edits/edit-4821/ask").status_code == 409
        with office.house.database.reading() as conn:
            sent = outbox.of_recipient(conn, "provider:P-1", office.house.clock.now())
            row = edits.get(conn, "edit-4821")
        assert [(one.kind, one.payload) for one in sent] == [("edit-reverted", {"edit": "edit-4821"})]
        assert row is not None
        assert row.waiting_for == "provider"
        assert "waits for the provider" in ann.page("/support/edits/edit-4821")
        assert office.noted("edit-asked-again")[0].actor == "support:ann"


class TestSettling:
    def test_two_do_not_settle_the_same(self, office: Office) -> None:
        edit = office.drag("4790", "2026-11-19T15:00", "2026-11-20T15:00")
        ann, bob = office.enter("ann"), office.enter("bob")
        seen = bob.seen(edit)
        told = {"answer": "stands", "seen": seen}
        assert ann.post(f"/support/edits/{edit}/settle", **told).status_code == 303
        late = bob.post(f"/support/edits/{edit}/settle", answer="dismiss", seen=seen)
        assert late.status_code == 409
        assert "answered by support:ann" in late.text
        assert office.house.drift_of(edit).resolution is Resolution.ACKNOWLEDGED
        assert [row.actor for row in office.noted("drift-answered")] == ["support:ann"]

    def test_of_two_at_the_same_moment_one_is_told_so(self, office: Office) -> None:
        people = [office.enter("ann"), office.enter("bob")]
        for number in range(3):
            edit = office.drag(f"48{number}", f"2026-11-{16 + number}T15:00", f"2026-11-{16 + number}T17:00")
            told = {"answer": "dismiss", "seen": people[0].seen(edit)}
            marks = [one.mark() for one in people]
            with ThreadPoolExecutor(2) as pool:
                waiting = [
                    pool.submit(one.post, f"/support/edits/{edit}/settle", mark=mark, **told)
                    for one, mark in zip(people, marks, strict=True)
                ]
                assert sorted(one.result().status_code for one in waiting) == [303, 409]
        assert len(office.noted("drift-answered")) == 3

    def test_nobody_answers_what_they_have_not_looked_at(self, office: Office) -> None:
        edit = office.drag("4790", "2026-11-19T15:00", "2026-11-20T15:00")
        ann = office.enter("ann")
        seen = ann.seen(edit)
        with office.house.database.transaction() as conn:
            conn.exec_driver_sql("UPDATE drifts SET changed_at = changed_at + 1")
        late = ann.post(f"/support/edits/{edit}/settle", answer="stands", seen=seen)
        assert late.status_code == 409
        assert "changed further" in late.text
        assert office.house.drift_of(edit).resolution is Resolution.OPEN

    def test_an_answer_is_to_what_belongs_to_its_edit(self, office: Office) -> None:
        edit = office.drag("4790", "2026-11-19T15:00", "2026-11-20T15:00")
        other = office.house.drift_of(office.drag("4791", "2026-11-18T15:00", "2026-11-19T11:00"))
        ann = office.enter("ann")
        told = {"answer": "stands", "seen": ann.seen(edit), "drift": other.id}
        assert ann.post(f"/support/edits/{edit}/settle", **told).status_code == 404
        assert office.house.drift_of(other.edit).resolution is Resolution.OPEN

    def test_a_note_is_needed_only_where_a_date_or_a_bill_changes(self, office: Office) -> None:
        edit = office.drag("4790", "2026-11-19T15:00", "2026-11-20T15:00")
        ann = office.enter("ann")
        told = {"answer": "took-place", "start": "2026-11-20T15:00"}
        without = ann.post(f"/support/edits/{edit}/settle", seen=ann.seen(edit), **told)
        assert without.status_code == 409
        assert "note" in without.text
        told |= {"note": "she told me on the telephone"}
        assert ann.post(f"/support/edits/{edit}/settle", seen=ann.seen(edit), **told).status_code == 303
        with office.house.database.reading() as conn:
            one = records.appointment(conn, "4790")
        assert one is not None
        assert one.span.local_date == date(2026, 11, 20)
        assert office.house.drift_of(edit).resolution is Resolution.RECORD_CORRECTED

    def test_every_word_is_offered_and_carried_out(self, office: Office) -> None:
        ann = office.enter("ann")
        ends = {
            "restore": Resolution.OPEN,
            "stands": Resolution.ACKNOWLEDGED,
            "did-not-take-place": Resolution.ACKNOWLEDGED,
            "dismiss": Resolution.IGNORED,
        }
        for number, (word, end) in enumerate(ends.items()):
            edit = office.drag(f"47{number}", f"2026-11-{16 + number}T15:00", f"2026-11-{16 + number}T17:00")
            assert f'value="{word}"' in ann.page(f"/support/edits/{edit}")
            fields = {"answer": word, "note": "as she said", "seen": ann.seen(edit)}
            assert ann.post(f"/support/edits/{edit}/settle", **fields).status_code == 303, word
            assert office.house.drift_of(edit).resolution is end, word
        assert {row.actor for row in office.noted("drift-answered")} == {"support:ann"}
        assert _rows(ann.page("/support/queue?view=all")) == []

    def test_several_are_settled_at_once_and_what_was_left_is_named(self, office: Office) -> None:
        ticked = [office.drag(f"47{n}", f"2026-11-{16 + n}T15:00", f"2026-11-{16 + n}T17:00") for n in range(3)]
        ann = office.enter("ann")
        marks = {f"seen-{edit}": ann.seen(edit) for edit in ticked}
        ann.post(f"/support/edits/{ticked[1]}/settle", answer="stands", seen=marks[f"seen-{ticked[1]}"])
        answer = ann.post("/support/queue", edit=ticked, answer="stands", **marks)
        assert answer.status_code == 409
        assert "2 settled" in answer.text
        assert ticked[1] in answer.text
        for edit in ticked:
            assert office.house.drift_of(edit).resolution is Resolution.ACKNOWLEDGED
        assert len(office.noted("drift-answered")) == 3

    def test_several_cannot_be_given_one_time(self, office: Office) -> None:
        edit = office.drag("4790", "2026-11-19T15:00", "2026-11-20T15:00")
        ann = office.enter("ann")
        answer = ann.post("/support/queue", edit=[edit], answer="took-place", **{f"seen-{edit}": ann.seen(edit)})
        assert answer.status_code == 422
        assert office.house.drift_of(edit).resolution is Resolution.OPEN


class TestCalendars:
    def test_they_are_read_paused_and_resumed_by_somebody_named(self, office: Office) -> None:
        ann = office.enter("ann")
        for what, noted in (("pass", "pass-asked"), ("pause", "calendar-paused"), ("resume", "calendar-resumed")):
            assert ann.post("/support/calendars/work/work", what=what, note="why").status_code == 303
            assert [row.actor for row in office.noted(noted)] == ["support:ann"]

    def test_a_stop_shows_what_vanished_and_is_answered_once(self, office: Office) -> None:
        office.stop(count=7)
        ann, bob = office.enter("ann"), office.enter("bob")
        text = ann.page("/support/calendars/work")
        assert "7 of 9 events disappeared at once" in text
        assert text.count("written anew") == 7
        assert "emptied or replaced" in text
        told = {"as_": "restore", "stop": "stop-1"}
        assert ann.post("/support/calendars/work/stop", **told).status_code == 409  # without a reason
        told |= {"note": "emptied by mistake"}
        assert ann.post("/support/calendars/work/stop", **told).status_code == 303
        assert bob.post("/support/calendars/work/stop", **(told | {"as_": "edits"})).status_code == 409
        with office.house.database.reading() as conn:
            (one,) = stops.of_calendars(conn, ["work"])["work"]
        assert (one.released_as, one.released_by) == ("restore", "support:ann")

    def test_two_people_cancel_what_vanished(self, office: Office) -> None:
        office.stop(count=7)
        ann, bob = office.enter("ann"), office.enter("bob")
        told = {"stop": "stop-1", "note": "she leaves the practice"}
        assert "7 sessions to come are cancelled" in ann.page("/support/calendars/work")
        assert bob.post("/support/calendars/work/stop", as_="agree", **told).status_code == 409  # nothing is proposed
        assert ann.post("/support/calendars/work/stop", as_="propose", **told).status_code == 303
        assert ann.post("/support/calendars/work/stop", as_="agree", **told).status_code == 409  # not by herself
        assert office.statuses() == {"scheduled"}
        assert "Agree, and cancel 7" not in ann.page("/support/calendars/work")
        assert "Agree, and cancel 7" in bob.page("/support/calendars/work")
        assert bob.post("/support/calendars/work/stop", as_="agree", **told).status_code == 303
        assert office.statuses() == {"cancelled"}
        with office.house.database.reading() as conn:
            (one,) = stops.of_calendars(conn, ["work"])["work"]
            mailed = outbox.of_recipient(conn, "client:K-1", office.house.clock.now() - timedelta(hours=1))
        assert (one.released_as, one.released_by) == ("edits", "support:bob")
        assert [row.kind for row in mailed] == ["appointment-cancelled"] * 7
        assert [row.actor for row in office.noted("cancelling-proposed")] == ["support:ann"]

    def test_a_proposal_can_be_taken_back(self, office: Office) -> None:
        office.stop(count=6)
        ann, bob = office.enter("ann"), office.enter("bob")
        told = {"stop": "stop-1", "note": "no, she was ill"}
        assert ann.post("/support/calendars/work/stop", as_="propose", **told).status_code == 303
        assert ann.post("/support/calendars/work/stop", as_="take-back", **told).status_code == 303
        assert bob.post("/support/calendars/work/stop", as_="agree", **told).status_code == 409
        assert office.statuses() == {"scheduled"}

    def test_a_calendar_is_disconnected_by_somebody_who_is_sure(self, office: Office) -> None:
        office.stop(count=6)
        ann = office.enter("ann")
        assert ann.post("/support/calendars/work/disconnect", note="she leaves").status_code == 409
        assert ann.post("/support/calendars/work/disconnect", note="she leaves", sure="yes").status_code == 303
        assert [row.actor for row in office.noted("calendar-removed")] == ["support:ann"]
        assert office.statuses() == {"scheduled"}


class TestBrakes:
    def test_they_are_released_by_an_admin_in_stages(self, office: Office) -> None:
        amy = office.enter("amy", Role.ADMIN)
        assert amy.post("/support/fleet", what="stop", note="a zone bug").status_code == 303
        assert amy.post("/support/fleet", what="stop", note="again").status_code == 409
        assert amy.post("/support/fleet", what="release", share="0.01").status_code == 409  # without a reason
        assert amy.post("/support/fleet", what="release", share="0.01", note="mended").status_code == 303
        assert amy.post("/support/fleet", what="release", share="x", note="mended").status_code == 409
        assert [row.actor for row in office.noted("fleet-released")] == ["support:amy"]


class TestNotes:
    def test_they_stay_on_the_page_and_out_of_the_log(self, office: Office) -> None:
        office.book("4821", "2026-11-24T10:00")
        ann = office.enter("ann")
        ann.post("/support/appointments/4821/note", how="call", text="Jo said: ten is right")
        assert "Jo said: ten is right" in ann.page("/support/appointments/4821")
        (row,) = office.noted("note-added")
        assert row.actor == "support:ann"
        assert "Jo" not in str(row.detail)
        assert ann.post("/support/appointments/4821/note", how="call", text="x" * 3000).status_code == 409
        assert ann.post("/support/appointments/4821/note", how="odd", text="x").status_code == 409


class TestTimeline:
    def test_it_tells_that_the_mails_link_was_opened_by_a_person(self, office: Office) -> None:
        edit = office.drag("4790", "2026-11-19T15:00", "2026-11-20T15:00")
        path, visitor, ann = office.house.link(edit), office.visitor(), office.enter("ann")
        visitor.get(path)
        assert "opened the mail" not in ann.page("/support/appointments/4790")
        visitor.get(path, headers={"Sec-Fetch-User": "?1"})
        assert "The provider opened the mail" in ann.page("/support/appointments/4790")
