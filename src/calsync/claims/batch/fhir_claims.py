"""Service lines of FHIR R4 claims: a Bundle, one Claim, or one resource a line (NDJSON) (claims sheet, 10).

Each claim is judged by the standard's own model; one that does not fit it is held by itself, not the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, BinaryIO, Final

from fhir.resources.R4B.claim import Claim, ClaimItem
from pydantic import ValidationError

from calsync.claims.batch.json_stream import Beside, bundle_entries, one_value, past_mark
from calsync.claims.batch.lines import (
    MOST_LINES,
    BatchLine,
    FileRefused,
    ServiceDate,
    one_day,
    read_code,
    shown_id,
    units_problem,
    usable_id,
)
from calsync.claims.reasons import ReasonCode

_LONGEST_LINE: Final = 1024 * 1024
_ENCOUNTER: Final = "Encounter/"
_BILLED: Final = ("/cpt", "hcpcs", "2.16.840.1.113883.6.12", "2.16.840.1.113883.6.285")


def read_fhir(file: BinaryIO, *, by_lines: bool = False) -> Iterator[BatchLine]:
    """The lines of the file, in its order; `by_lines` for NDJSON. Raises FileRefused."""
    claims = 0
    for place, resource in resources(file, by_lines=by_lines):
        if is_claim(resource):
            claims += 1
            yield from _lines(claims, place, resource)
        else:
            _refuse_hidden([resource], place)
    if not claims:
        raise FileRefused(ReasonCode.FILE_NO_CLAIMS)


def resources(file: BinaryIO, *, by_lines: bool) -> Iterator[tuple[str, Any]]:
    """Every resource with its place. Raises FileRefused for what is neither a bundle nor a claim."""
    if by_lines:
        yield from ((f"row {number}", one_value(line)) for number, line in ndjson_lines(file))
        return
    for number, entry in enumerate(bundle_entries(file), 1):
        if isinstance(entry, Beside):
            if is_claim(entry):
                yield "the claim", dict(entry)
            elif entry.get("resourceType") != "Bundle":
                raise FileRefused(ReasonCode.FILE_UNREADABLE, "neither a Bundle nor a Claim")
            else:
                _refuse_hidden(entry.values(), "beside the entries")
        elif isinstance(entry, dict):
            _refuse_hidden((value for key, value in entry.items() if key != "resource"), f"entry {number}")
            yield f"entry {number}", entry.get("resource")
        else:
            _refuse_hidden([entry], f"entry {number}")


def ndjson_lines(file: BinaryIO) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, by number. Raises FileRefused for one that is no JSON object."""
    number = 0
    file = past_mark(file)
    while line := file.readline(_LONGEST_LINE + 1):
        number += 1
        if not line.strip():
            continue
        if (text := _object_text(line)) is None:
            raise FileRefused(ReasonCode.FILE_UNREADABLE, f"row {number}")
        yield number, text


def _object_text(line: bytes) -> str | None:
    """The line as text, if it is one JSON object."""
    try:
        text = line.decode()
        return text if len(line) <= _LONGEST_LINE and isinstance(one_value(text), dict) else None
    except ValueError:
        return None


def is_claim(resource: object) -> bool:
    """Whether it is a claim, whatever else is the matter with it."""
    return isinstance(resource, dict) and str(resource.get("resourceType")).strip().lower() == "claim"


def _refuse_hidden(values: Iterable[object], place: str) -> None:
    """Refuse a file with claims where none is looked for: they would be sent along unseen. Raises FileRefused."""
    if any(_holds_a_claim(value) for value in values):
        raise FileRefused(ReasonCode.FILE_UNREADABLE, f"{place}, a claim inside another resource")


def _holds_a_claim(value: object) -> bool:
    if isinstance(value, list):
        return any(map(_holds_a_claim, value))
    return is_claim(value) or (isinstance(value, dict) and any(map(_holds_a_claim, value.values())))


def _lines(number: int, place: str, resource: dict[str, Any]) -> list[BatchLine]:
    try:
        claim = Claim.model_validate(resource)
    except (ValidationError, ValueError, TypeError, RecursionError):
        # The model's own text quotes the claim.
        return _unreadable(number, place, resource)
    items = claim.item or []
    if any(map(_holds_a_claim, resource.values())):
        return _unreadable(number, place, resource)
    if not items or len(items) > MOST_LINES or claim.use != "claim" or claim.status not in ("active", "cancelled"):
        return _unreadable(number, place, resource)
    return [_line(number, place, claim, item) for item in items]


def _unreadable(number: int, place: str, resource: dict[str, Any]) -> list[BatchLine]:
    """One held line for each item that can be counted, at least one."""
    items = resource.get("item")
    found = items[:MOST_LINES] if isinstance(items, list) else []
    return [
        BatchLine(
            claim=number,
            place=f"{place}, item {order}",
            claim_id=_plain_id(resource),
            line=_sequence(item, order),
            stated=_plain_encounter(item),
            problems=(ReasonCode.CLAIM_UNREADABLE,),
        )
        for order, item in enumerate(found or [None], 1)
    ]


def _line(number: int, place: str, claim: Claim, item: ClaimItem) -> BatchLine:
    problems = []
    day = _date(claim, item)
    if day.problem is not None:
        problems.append(day.problem)
    encounters = _encounters(item)
    if len(encounters) > 1:
        problems.append(ReasonCode.AMBIGUOUS_MATCH)
    code, is_code = _billed_code(item)
    if not is_code or claim.modifierExtension or item.modifierExtension:
        # A modifier extension may turn a claim's meaning round; none is known here.
        problems.append(ReasonCode.CLAIM_UNREADABLE)
    if (odd := units_problem(code, None if item.quantity is None else str(item.quantity.value))) is not None:
        problems.append(odd)
    prior = _prior(claim)
    return BatchLine(
        claim=number,
        place=f"{place}, item {item.sequence}",
        claim_id=shown_id(_claim_id(claim)),
        line=shown_id(str(item.sequence)),
        stated=usable_id(encounters[0]) if len(encounters) == 1 else None,
        day=day.day,
        code=code,
        where=usable_id(_code(item.locationCodeableConcept)),
        frequency="8" if claim.status == "cancelled" else "7" if prior is not None else "1",
        control=usable_id(prior),
        problems=tuple(problems),
    )


def _date(claim: Claim, item: ClaimItem) -> ServiceDate:
    """The item's date, which must lie in the period that the whole claim is said to be for."""
    found, whole = _own_date(item), claim.billablePeriod
    if found.day is None or whole is None:
        return found
    first, last = _plain(whole.start) or found.day, _plain(whole.end) or found.day
    return found if first <= found.day <= last else ServiceDate(problem=ReasonCode.DATE_REPEATED)


def _plain(moment: object) -> date | None:
    # A datetime is a date to Python.
    return moment if type(moment) is date else None


def _own_date(item: ClaimItem) -> ServiceDate:
    if item.servicedDate is not None:
        return _days(item.servicedDate, item.servicedDate)
    if item.servicedPeriod is None:
        return ServiceDate(problem=ReasonCode.DATE_MISSING)
    return _days(item.servicedPeriod.start, item.servicedPeriod.end)


def _days(first: object, last: object) -> ServiceDate:
    """Plain dates only: of a year, a month or an instant the day would be a guess."""
    start, end = _plain(first), _plain(last)
    if start is not None and end is not None:
        return one_day(start, end)
    return ServiceDate(problem=ReasonCode.DATE_UNREADABLE)


def _encounters(item: ClaimItem) -> list[str]:
    found = (_encounter(one.reference, one.identifier) for one in item.encounter or [])
    return sorted({one for one in found if one})


def _claim_id(claim: Claim) -> str | None:
    for one in claim.identifier or []:
        if one.value:
            return str(one.value)
    return None if claim.id is None else str(claim.id)


def _prior(claim: Claim) -> str | None:
    """The number of the claim that this one replaces; empty if it replaces one without naming it."""
    for related in claim.related or []:
        kinds = related.relationship.coding or [] if related.relationship is not None else []
        if any(one.code == "prior" for one in kinds):
            named = related.claim.identifier if related.claim is not None else None
            return str(named.value or "") if named is not None else ""
    return None


def _code(concept: Any) -> str | None:
    for one in (concept.coding or []) if concept is not None else []:
        if one.code:
            return str(one.code)
    return None


def _billed_code(item: ClaimItem) -> tuple[str | None, bool]:
    """The item's one code: that of CPT or HCPCS where it is coded in several systems; and whether there is one."""
    codings = [one for one in item.productOrService.coding or [] if one.code]
    billed = [one for one in codings if any(mark in str(one.system).lower() for mark in _BILLED)] or codings
    codes = {str(one.code) for one in billed}
    code, is_sound = read_code(codes.pop() if len(codes) == 1 else None)
    return code, is_sound and code is not None


def _encounter(reference: object, identifier: Any = None) -> str | None:
    """The id in a reference such as `Encounter/A-1` or `https://…/Encounter/A-1/_history/3`, else the identifier."""
    _, found, rest = str(reference or "").rpartition(_ENCOUNTER)
    if found:
        return rest.partition("/_history/")[0] or None
    return str(identifier.value) if identifier is not None and identifier.value else None


def _plain_id(resource: dict[str, Any]) -> str | None:
    identifiers = resource.get("identifier")
    first = identifiers[0] if isinstance(identifiers, list) and identifiers else None
    value = first.get("value") if isinstance(first, dict) else resource.get("id")
    return shown_id(value) if isinstance(value, str) else None


def _sequence(item: object, order: int) -> str:
    value = item.get("sequence") if isinstance(item, dict) else None
    return str(value) if isinstance(value, int) else str(order)


def _plain_encounter(item: object) -> str | None:
    named = item.get("encounter") if isinstance(item, dict) else None
    first = named[0] if isinstance(named, list) and len(named) == 1 else None
    reference = first.get("reference") if isinstance(first, dict) else None
    return usable_id(_encounter(reference)) if isinstance(reference, str) else None
