"""Which appointment a line is about: by ids that the file gives, in the configured order, never by client and date.

An id that fits no appointment is passed over, because systems put other things there as well; one that fits several
holds the line. The date is never looked at: it is what is being checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection

from calsync.claims.batch.lines import usable_id
from calsync.claims.reasons import ReasonCode
from calsync.settings.claims import Join
from calsync.store import claims_map, gate_lookups
from calsync.store.claim_spool import ClaimSpool, SpooledLine

OTHER_LETTERS: Final = "matched although its letters are not in the same case"


@dataclass(frozen=True, slots=True)
class Match:
    """What a line is about, and how it was found where that needs saying; or why it is not known."""

    appointment: str | None = None
    note: str | None = None
    problem: ReasonCode | None = None


@dataclass(slots=True)
class _Known:
    """What the books know of the ids of one block."""

    parties: dict[str, tuple[str, str]] = field(default_factory=dict)
    any_case: dict[str, list[str]] = field(default_factory=dict)
    mapped: dict[tuple[str, str | None], set[str]] = field(default_factory=dict)


def match_lines(conn: Connection, spool: ClaimSpool, join: Sequence[Join]) -> None:
    """Tie every line of the spool to its appointment, and note what does not fit; then find what is claimed twice."""
    for block in spool.blocks():
        known = _look_up(conn, block, join)
        found = [(line, _match(line, claim, known, join)) for claim in block for line in claim]
        spool.tie((match.appointment, match.note, line.seq) for line, match in found)
        spool.add_problems((match.problem, line.seq) for line, match in found if match.problem is not None)
        spool.add_problems(_mismatches(conn, [(line, match.appointment) for line, match in found], known))
    spool.find_doubled()


def _look_up(conn: Connection, block: list[list[SpooledLine]], join: Sequence[Join]) -> _Known:
    wanted = {one for claim in block for line in claim for one in _candidates(line, claim, join)}
    known = _Known(gate_lookups.parties(conn, sorted(wanted)))
    unknown = wanted - known.parties.keys()
    known.any_case = gate_lookups.in_any_case(conn, unknown) if unknown else {}
    if "claims-map" in join:
        ids = {one for claim in block for line in claim if (one := usable_id(line.claim_id))}
        known.mapped = claims_map.appointments_of(conn, ids)
    return known


def _candidates(line: SpooledLine, claim: list[SpooledLine], join: Sequence[Join]) -> Iterator[str]:
    for way in join:
        if (read := _NAMED.get(way)) is not None and (named := read(line, claim)):
            yield named


def _match(line: SpooledLine, claim: list[SpooledLine], known: _Known, join: Sequence[Join]) -> Match:
    if ReasonCode.AMBIGUOUS_MATCH in line.problems.split():
        return Match()
    for way in join:
        read = _NAMED.get(way)
        match = _mapped(line, known) if read is None else _named(read(line, claim), known)
        if match is not None:
            return match
    # A row that cannot be read says so already.
    broken = {ReasonCode.ROW_UNREADABLE, ReasonCode.CLAIM_UNREADABLE} & set(line.problems.split())
    return Match() if broken else Match(problem=ReasonCode.NO_MATCHING_APPOINTMENT)


def _named(name: str | None, known: _Known) -> Match | None:
    if name is None:
        return None
    if name in known.parties:
        return Match(name)
    alike = known.any_case.get(name.lower(), [])
    if len(alike) > 1:
        return Match(problem=ReasonCode.AMBIGUOUS_MATCH)
    return Match(alike[0], OTHER_LETTERS) if alike else None


def _mapped(line: SpooledLine, known: _Known) -> Match | None:
    name = usable_id(line.claim_id)
    if name is None:
        return None
    found = known.mapped.get((name, line.line)) or known.mapped.get((name, None)) or set()
    if len(found) > 1:
        return Match(problem=ReasonCode.AMBIGUOUS_MATCH)
    return Match(next(iter(found))) if found else None


def _stated(line: SpooledLine, _claim: list[SpooledLine]) -> str | None:
    return line.stated


def _claim_of_one_line(line: SpooledLine, claim: list[SpooledLine]) -> str | None:
    return usable_id(line.claim_id) if len(claim) == 1 else None


_NAMED: Final[dict[str, Callable[[SpooledLine, list[SpooledLine]], str | None]]] = {
    "appointment-reference": _stated,
    "claim-id": _claim_of_one_line,
}


def _mismatches(
    conn: Connection, found: Iterable[tuple[SpooledLine, str | None]], known: _Known
) -> Iterator[tuple[str, int]]:
    """Lines whose provider or client is another one than the appointment's; ids that we do not know say nothing."""
    tied = [(line, appointment) for line, appointment in found if appointment is not None]
    told = [(line, one) for line, one in tied if line.provider or line.client]
    if not told:
        return
    named = {one for _, one in told}
    parties = known.parties | gate_lookups.parties(conn, sorted(named - known.parties.keys()))
    providers = gate_lookups.known_providers(conn, {line.provider for line, _ in told if line.provider})
    clients = gate_lookups.known_clients(conn, {line.client for line, _ in told if line.client})
    for line, one in told:
        provider, client = parties.get(one, (line.provider, line.client))
        if line.provider in providers and line.provider != provider:
            yield ReasonCode.PROVIDER_MISMATCH, line.seq
        if line.client in clients and line.client != client:
            yield ReasonCode.CLIENT_MISMATCH, line.seq
