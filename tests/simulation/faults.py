"""Every kind of fault: how it comes about in a history, or, where an event in memory has no such thing, which test
shows what the connectors make of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

CRASHES = frozenset(
    {
        "crash-before-begin",
        "crash-before-commit",
        "crash-after-commit",
        "crash-before-send",
        "crash-after-effect",
        "mail-crash",
        "mail-taken-and-crash",
        "power-loss",
    }
)


@dataclass(frozen=True)
class Kind:
    """One kind. `fired_as` are the names under which histories count it; `test` proves it where none does."""

    name: str
    fired_as: tuple[str, ...] = ()
    test: str = ""
    becomes: str = ""  # what a connector makes of it


def _kind(name: str, *fired_as: str) -> Kind:
    return Kind(name, fired_as or (name,))


def _by_test(name: str, becomes: str, test: str) -> Kind:
    return Kind(name, test=test, becomes=becomes)


_DAV = "tests/unit/connectors/caldav"
KINDS: tuple[Kind, ...] = (
    # The network.
    _kind("request lost", "request-lost"),
    _kind("answer lost after the effect", "answer-lost", "unknown-done"),
    _kind("write carried out twice", "doubled"),
    _kind("write of unknown end that never arrived", "unknown-undone"),
    _by_test("connection reset", "unavailable, or a write of unknown end", f"{_DAV}/test_kept_connections.py::"
             "test_a_write_whose_kept_connection_ends_is_of_unknown_effect"),
    _by_test("total deadline passed", "unavailable", f"{_DAV}/test_kept_connections.py::"
             "test_silence_on_a_kept_connection_ends_at_the_deadline"),
    _by_test("slow drip", "unavailable", f"{_DAV}/test_hostile_dav.py::"
             "test_a_slow_drip_ends_at_the_total_deadline"),
    _by_test("redirect of a write", "malformed", f"{_DAV}/test_hostile_dav.py::"
             "test_a_redirected_write_is_never_written"),
    _by_test("HTML with 200", "malformed", f"{_DAV}/test_hostile_dav.py::test_a_web_page_with_200_is_no_write"),
    _by_test("truncated body", "malformed", f"{_DAV}/test_hostile_dav.py::"
             "test_trouble_is_said_to_be_trouble_by_every_method"),
    # Answers that say no.
    _kind("answer that cannot be read", "fails:malformed", "fails-after:malformed"),
    _kind("401 once", "fails:auth-revoked"),
    _kind("401 after the effect", "fails-after:auth-revoked"),
    _kind("token revoked", "trouble:auth-revoked"),
    _kind("403, scope lost", "fails:forbidden", "trouble:forbidden"),
    _kind("403, writing only", "read-only"),
    _kind("404, calendar gone", "trouble:not-found"),
    _by_test("409, name taken", "a conflict that is read", "src/calsync/testing/conformance/writing.py::"
             "test_a_create_under_a_taken_id_doubles_nothing"),
    _kind("410, cursor expired", "fails:cursor-expired", "expire"),
    _kind("412 that is true", "meanwhile"),
    _kind("412 that is false", "false-conflict"),
    _by_test("413, 418, 423", "malformed or unavailable", f"{_DAV}/test_parts.py::test_statuses_become_our_errors"),
    _kind("429 with seconds", "fails:throttled", "fails:throttled-briefly"),
    _by_test("429 with a date", "throttled until then", "tests/unit/connector/test_retry_after.py::"
             "test_retry_after_in_all_its_forms"),
    _kind("429 with an absurd wait", "fails:throttled-absurdly", "trouble:throttled-absurdly"),
    _kind("429 without a wait", "fails:throttled-silently", "trouble:throttled-silently"),
    _kind("500", "fails:unavailable", "trouble:unavailable"),
    _kind("503 after the effect", "fails-after:unavailable"),
    # Feeds and listings.
    _kind("feed lags", "lag"),
    _kind("feed repeats", "repeated"),
    _kind("order changed", "shuffled"),
    _kind("item on two pages", "on-two-pages"),
    _kind("items missing, cursor as if they had come", "truncated"),
    _kind("last page missing", "last-page-missing"),
    _kind("next cursor empty", "cursor-empty"),
    _kind("cursor goes back", "cursor-back"),
    _kind("tombstone missing", "tombstone-missing"),
    _kind("full listing short", "short-listing"),
    _kind("listing emptied", "emptied"),
    # Reading.
    _kind("read answers old news", "stale-read"),
    _kind("read says: could not look", "read-unknown"),
    # Events.
    _kind("version moved, content equal", "touched"),
    _by_test("content moved, version equal (weak tags)", "read back and compared by content",
             f"{_DAV}/test_hostile_dav.py::test_without_a_strong_version_the_event_is_read_back"),
    _kind("id changed", "renamed"),
    _kind("calendar emptied by a person", "wipe"),
    _kind("account swapped", "swap-account"),
    _kind("marker taken off", "strip"),
    _kind("marker copied", "duplicate", "copy-across"),
    _kind("marker forged", "forged-signature", "forged-place"),
    # Hooks.
    _kind("hook lost", "hook-lost"),
    _kind("hook doubled", "hook-doubled"),
    _kind("hook late", "hook-late"),
    _kind("hook forged", "hook-forged"),
    _kind("hook before the change is readable", "hook-early"),
    # Time.
    _kind("clock back", "clock-back"),
    _kind("clock forward", "clock-forward"),
    _kind("clocks go forward (DST)", "dst-forward"),
    _kind("clocks go back (DST)", "dst-back"),
    # Processes and the database.
    _kind("crash before a transaction", "crash-before-begin"),
    _kind("crash before a commit", "crash-before-commit"),
    _kind("crash after a commit", "crash-after-commit"),
    _kind("crash before a request", "crash-before-send"),
    _kind("crash after a request's effect", "crash-after-effect"),
    _kind("crash inside a person's command", "command-crash-before-begin", "command-crash-before-commit",
          "command-crash-after-commit"),
    _kind("power loss", "power-loss"),
    _kind("backup restored", "restored"),
    _kind("disk full", "disk-full"),
    _kind("disk error", "disk-error"),
    _kind("database locked", "database-locked"),
    _kind("second worker", "second-worker"),
    _kind("zombie wakes past its lease", "zombie"),
    # Mail.
    _kind("SMTP 4xx", "mail-deferred"),
    _kind("SMTP 5xx", "mail-refused"),
    _kind("mail server away", "mail-server-away"),
    _kind("mail accepted, answer lost", "mail-taken-unheard"),
    _kind("mail lost, answer lost", "mail-lost-unheard"),
    _kind("crash before a mail's dialogue", "mail-crash"),
    _kind("crash after a mail was taken", "mail-taken-and-crash"),
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A kind's line of the table: how often it fired, and how often in the round of a crash or the one beside it."""

    kind: Kind
    fired: int
    met: int


def table(fired: Counter[str], met: Counter[str]) -> list[Line]:
    """A line for each kind."""
    return [Line(one, sum(fired[n] for n in one.fired_as), sum(met[n] for n in one.fired_as)) for one in KINDS]


def render(lines: list[Line], histories: int) -> str:
    """The table as Markdown."""
    head = "| fault | fired | met by a crash | where no history has it |\n| --- | ---: | ---: | --- |"
    told = [f"{histories:,} histories.", "", head]
    for line in lines:
        kind = line.kind
        if kind.test:
            told.append(f"| {kind.name} | | | {kind.becomes}: `{kind.test.rpartition('::')[2]}` |")
        else:
            told.append(f"| {kind.name} | {line.fired:,} | {line.met:,} | |")
    return "\n".join(told) + "\n"


def meetings(when: list[tuple[int, str]]) -> Counter[str]:
    """How often each kind fired in the same round as a crash, or the one before or after; `when`: round and kind."""
    crashes = {number for number, kind in when if kind.removeprefix("command-") in CRASHES}
    near = {number + by for number in crashes for by in (-1, 0, 1)}
    return Counter(kind for number, kind in when if number in near)
