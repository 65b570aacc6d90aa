"""FHIR files with only the claims that may be sent; everything that is no claim stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, TextIO

from calsync.claims.batch.fhir_claims import is_claim, ndjson_lines
from calsync.claims.batch.json_stream import Beside, as_text, bundle_entries, one_value

Keep = Callable[[int], bool]


def write_ndjson(source: BinaryIO, target: TextIO, keep: Keep) -> None:
    """Copy the lines of kept claims, and those of other resources."""
    claims = 0
    for _, line in ndjson_lines(source):
        if is_claim(one_value(line)):
            claims += 1
            if not keep(claims):
                continue
        target.write(line if line.endswith("\n") else line + "\n")


def write_bundle(source: BinaryIO, target: TextIO, keep: Keep) -> None:
    """Copy a bundle with the entries of kept claims and of other resources; or the one claim, if it is kept."""
    claims = written = 0
    for entry in bundle_entries(source):
        if isinstance(entry, Beside):
            _end(entry, target, written)
            continue
        if isinstance(entry, dict) and is_claim(entry.get("resource")):
            claims += 1
            if not keep(claims):
                continue
        target.write(("," if written else '{"resourceType":"Bundle","entry":[') + "\n" + as_text(entry))
        written += 1


def _end(beside: Beside, target: TextIO, written: int) -> None:
    if not written:
        target.write(as_text(dict(beside)) + "\n")
        return
    if "total" in beside:
        beside["total"] = written
    others = [f"{as_text(key)}:{as_text(value)}" for key, value in beside.items() if key != "resourceType"]
    target.write("\n]" + "".join(f",\n{one}" for one in others) + "}\n")
