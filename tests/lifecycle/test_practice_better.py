"""Practice Better's rules, each by its number. What is shown on pages stands with the tests of the pages."""

from __future__ import annotations

from calsync.booking.commands import Command, Rulebook
from calsync.booking.terms import Terms, practice_terms, terms_of
from calsync.cli.context import App
from calsync.store import records
from tests.lifecycle.conftest import Make
from tests.lifecycle.practice import CLIENT, PROVIDER, SUPPORT, Practice

TIMES = 'every = "30m"\n[weekly]\ntuesday = ["09:00-12:00"]\nwednesday = ["09:00-12:00"]\n'


def terms(practice: Practice, key: str, actor: str = CLIENT) -> Terms:
    """What a page tells this person about a session."""
    app = App(practice.site.folder / "calsync.toml")
    rulebook = Rulebook.of_settings(app.settings)
    assert practice.site.now is not None
    with app.database.reading() as conn:
        one = records.appointment(conn, key)
        assert one is not None
        told = terms_of(conn, Command(actor=actor, now=practice.site.now, rulebook=rulebook), one)
        assert told.practice == practice_terms(
            conn, Command(actor="system", now=practice.site.now, rulebook=rulebook), "P-1"
        )
    app.database.dispose()
    return told


def test_pb_01_a_client_cancels_with_a_reason_in_their_own_words(better: Practice) -> None:
    better.book("A-1", "2026-11-05T10:00")
    better.refused("reason-needed", "appointments", "cancel", "A-1", by=CLIENT)
    better.cancel("A-1", "--reason", "my train does not run", by=CLIENT)
    assert better.status("A-1") == "cancelled"
    assert better.history("A-1")[-1]["reason"] == "my train does not run"


def test_pb_02_the_policy_is_told_before_the_client_confirms(better: Practice) -> None:
    better.book("A-1", "2026-11-05T10:00")
    told = terms(better, "A-1")
    assert told.practice.text is not None
    assert "24 hours' notice" in told.practice.text
    assert (str(told.practice.late_fee), told.practice.currency) == ("50.00", "USD")
    assert (told.late, told.fee, told.cancel.allowed, told.cancel.reason) == (False, None, True, "text")
    better.at("2026-11-04T10:01")
    told = terms(better, "A-1")
    assert (told.late, str(told.fee), told.cancel.allowed) == (True, "50.00", True)
    assert (told.move.allowed, told.move.code) == (False, "client-notice")
    assert told.formats == ("video", "phone", "in-person")


def test_pb_03_a_packages_credit_goes_back_exactly_once(better: Practice) -> None:
    better.do("packages", "add", "--client", "C-1", "--sessions", "2", "--id", "PK", by=SUPPORT)
    better.book("A-1", "2026-11-05T10:00", "--package", "PK")
    better.book("A-2", "2026-11-06T10:00", "--package", "PK")

    def left() -> int:
        return int(better.json("packages", "show", "PK")["left"])

    assert left() == 0
    line = ("--provider", "P-1", "--start", "2026-11-09T10:00", "--minutes", "50", "--package", "PK")
    better.refused("no-credit", "appointments", "book", *line, "--client", "C-1", by=SUPPORT)
    better.refused("package-of-another", "appointments", "book", *line, "--client", "C-2", by=SUPPORT)
    better.move("A-1", "2026-11-12T10:00", "--reason", "asked")
    assert left() == 0  # moving keeps the credit used
    assert better.cancel("A-1", "--reason", "ill", by=CLIENT)["packages"] == ["PK"]
    for _ in range(3):
        better.refused("already-cancelled", "appointments", "cancel", "A-1", "--reason", "ill", by=CLIENT)
    assert left() == 1
    assert [one["change"] for one in better.json("packages", "show", "PK")["history"]] == [-1, -1, 1]


def test_pb_03_a_credit_of_a_lapsed_request_goes_back_too(better: Practice) -> None:
    better.do("packages", "add", "--client", "C-1", "--sessions", "1", "--id", "PK", by=SUPPORT)
    better.book("A-1", "2026-11-05T10:00", "--package", "PK")
    better.do("appointments", "ask-to-reschedule", "A-1", "--reason", "course", by=PROVIDER)
    better.at("2026-11-05T09:00")
    better.passes()
    better.passes()
    assert better.json("packages", "show", "PK")["left"] == 1


def test_pb_04_a_client_chooses_format_date_and_a_free_time(better: Practice) -> None:
    times = better.site.folder / "times.toml"
    times.write_text(TIMES, encoding="utf-8")
    better.do("availability", "set", "--provider", "P-1", str(times))
    better.book("A-1", "2026-11-04T09:00")
    better.book("A-2", "2026-11-10T09:30", client="C-2")
    move = ("appointments", "reschedule", "A-1", "--reason", "a meeting")
    better.refused("reason-needed", *move[:3], "--start", "2026-11-10T11:00", by=CLIENT)
    said = better.refused("format-unknown", *move, "--start", "2026-11-10T11:00", "--format", "pigeon", by=CLIENT)
    assert "video, phone, in-person" in said
    taken = better.refused("slot-taken", *move, "--start", "2026-11-10T09:30", by=CLIENT)
    assert "Free that day: 10:30, 11:00" in taken
    none = better.refused("slot-taken", *move, "--start", "2026-11-12T09:00", by=CLIENT)
    assert "Nothing is free that day" in none
    assert "practitioner" in none
    better.do(*move, "--start", "2026-11-10T11:00", "--format", "phone", by=CLIENT)
    assert (better.start("A-1"), better.show("A-1")["format"]) == ("2026-11-10T11:00", "phone")


def test_pb_05_the_practitioner_is_told_and_the_client_gets_a_confirmation(better: Practice) -> None:
    better.book("A-1", "2026-11-05T10:00")
    better.move("A-1", "2026-11-06T10:00", "--reason", "a meeting", by=CLIENT)
    better.cancel("A-1", "--reason", "ill", by=CLIENT)
    for kind in ("appointment-rescheduled", "appointment-cancelled"):
        assert sorted(who for who, _ in better.owed(kind)) == ["client:C-1", "provider:P-1"]


def test_pb_07_a_practice_may_let_clients_change_nothing(make: Make) -> None:
    practice = make(
        "practice-better", changed=('by = ["provider", "client", "support", "system"]', 'by = ["provider"]')
    )
    practice.book("A-1", "2026-11-25T10:00")
    for line in (("cancel", "A-1"), ("reschedule", "A-1", "--start", "2026-11-26T10:00")):
        said = practice.refused(f"who-may-{line[0]}", "appointments", *line, "--reason", "ill", by=CLIENT)
        assert "contact your practitioner" in said
    told = terms(practice, "A-1")
    assert (told.cancel.allowed, told.move.allowed) == (False, False)
    assert "contact your practitioner" in str(told.cancel.why)


def test_pb_07_or_nothing_near_to_the_start(make: Make) -> None:
    practice = make("practice-better", changed=('client_late = "fee"', 'client_late = "refuse"'))
    practice.book("A-1", "2026-11-03T08:00")
    said = practice.refused("client-notice", "appointments", "cancel", "A-1", "--reason", "ill", by=CLIENT)
    assert "contact your practitioner" in said


def test_pb_08_a_late_cancellation_for_a_fee_is_recorded(better: Practice) -> None:
    better.book("A-1", "2026-11-04T10:00")
    better.at("2026-11-03T10:01")
    assert str(terms(better, "A-1").fee) == "50.00"
    answer = better.cancel("A-1", "--reason", "ill", by=CLIENT)
    assert better.status("A-1") == "late-cancelled"
    assert [(fee["id"], fee["amount"], fee["state"]) for fee in better.fees()] == [(answer["fees"][0], "50.00", "owed")]
    better.refused("already-late-cancelled", "appointments", "cancel", "A-1", "--reason", "ill", by=CLIENT)
    assert len(better.fees()) == 1
