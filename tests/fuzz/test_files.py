"""Files and tokens that people and programs hand in, broken at random: refused with a reason, or read."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calsync.claims.batch.csv_claims import read_csv
from calsync.claims.batch.fhir_claims import read_fhir
from calsync.claims.batch.lines import BatchLine, FileRefused
from calsync.claims.batch.x12_claims import read_x12
from calsync.domain.marker import Marker, sign_marker, verify_marker
from calsync.domain.rule import RuleRefused, parse_rule
from calsync.domain.time_text import read_time
from calsync.errors import ConfigError, Refused, UserError
from calsync.settings import load
from calsync.settings.durations import parse_duration
from calsync.settings.render import render_config
from calsync.settings.secrets import KeyRing
from calsync.web.paging import place_text, read_place
from calsync.web.problems import ApiProblem
from tests.fuzz.budget import budget
from tests.fuzz.damage import ODD_TEXTS, broken_json, broken_text, texts
from tests.hostile.test_csv import NOW, plan_of
from tests.unit.claims.batch.sample_world import SAMPLES
from tests.unit.settings.configs import ADA, ADAS_CALENDAR, CONNECTORS
from tests.unit.worker.world import KEYS

X12 = [path.read_text("latin-1") for path in sorted(SAMPLES.glob("v*.x12"))]
X12_TOKENS = (*ODD_TEXTS, "~", "*", ":", "^", "~LX*2", "SV1*HC:90837*1*UN*1", "DTP*472*RD8*20261110-20261111",
              "CLM*X*1***11:B:7",               "REF*6R*A-1005", "SE*1*0001", "ISA*", "\r\n")  # fmt: skip
CLAIMS_CSV = [path.read_text("utf-8", "replace") for path in sorted(SAMPLES.glob("c*.csv"))]
FHIR = json.loads((SAMPLES / "f01-good.json").read_text())
TABLE = """id,provider,client,start,end,zone,kind,status,series,rule
A-1,P-1,C-1,2026-11-24T10:00,2026-11-24T10:50,Europe/Berlin,initial,scheduled,S-1,FREQ=WEEKLY;COUNT=4
A-2,P-1,C-2,2026-11-25T10:00,2026-11-25T10:50,Europe/Berlin,follow-up,cancelled,,
A-3,P-1,"C-2",2026-10-25T02:30+02:00,2026-10-25T03:30+01:00,Europe/Berlin,,,,
"""
LINE = dict(zip(TABLE.splitlines()[0].split(",")[:6], TABLE.splitlines()[1].split(",")[:6], strict=True))
IMPORT = [TABLE, json.dumps(LINE) + "\n"]
CONFIG_TOKENS = (
    *ODD_TEXTS,
    "[",
    "]",
    "[[providers]]",
    "=",
    '"',
    '"""',
    "{",
    "}",
    "[sync]",
    "\t",
    "inf",
    "nan",
    "#",
    "id = 1",
)


@pytest.fixture(scope="module")
def folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="calsync-fuzz-"))


@budget(80)
@given(st.sampled_from("~\n").flatmap(lambda separator: broken_text(X12, X12_TOKENS, separator)))
def test_a_claim_file_is_refused_or_told_line_by_line(text: str) -> None:
    with suppress(FileRefused):
        assert all(isinstance(line, BatchLine) for line in read_x12(io.StringIO(text, newline="")))


@budget(50)
@given(broken_text(CLAIMS_CSV, (*ODD_TEXTS, ",", '"', ";")))
def test_so_is_a_table_of_claims(text: str) -> None:
    with suppress(FileRefused):
        list(read_csv(io.StringIO(text, newline="")))


@budget(40)
@given(broken_json(FHIR), st.booleans())
def test_so_is_a_bundle(bundle: object, by_lines: bool) -> None:
    with suppress(FileRefused):
        list(read_fhir(io.BytesIO(json.dumps(bundle).encode()), by_lines=by_lines))


@budget(80)
@given(
    text=broken_text(IMPORT, (*ODD_TEXTS, ",", '"', ";", "\t")), encoding=st.sampled_from(("utf-8", "utf-8", "utf-16"))
)
def test_an_import_is_refused_with_its_rows_or_planned(folder: Path, text: str, encoding: str) -> None:
    path = folder / "sessions.csv"
    path.write_bytes(text.encode(encoding, "surrogatepass"))
    with suppress(Refused):
        plan_of(path)


@budget(40)
@given(text=broken_text([ADA + ADAS_CALENDAR, render_config(CONNECTORS)], CONFIG_TOKENS))
def test_a_config_is_refused_with_its_lines_or_loaded(folder: Path, text: str) -> None:
    path = folder / "calsync.toml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        load(path, CONNECTORS)
    except ConfigError as refusal:
        assert all(problem.where for problem in refusal.problems)  # noqa: PT017 - both ends are fine


@budget(40)
@given(text=broken_text(["k1:" + "A" * 43 + "=\n", '{"keys": []}', "[[keys]]\nid = 'k1'\n"], CONFIG_TOKENS))
def test_a_key_file_is_refused_or_read(folder: Path, text: str) -> None:
    path = folder / "calsync.key"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    path.chmod(0o600)
    with suppress(UserError):
        KeyRing.read(path)


MARKER = sign_marker(KEYS, Marker("L1", 3, "hash", "place"))
PLACE = place_text((NOW, "A-1")) or ""
READERS: dict[str, tuple[list[str], str, Callable[[str], object], tuple[type[Exception], ...]]] = {
    "marker": ([MARKER], ".", lambda text: verify_marker(KEYS, text), ()),
    "page": ([PLACE], "|", read_place, (ApiProblem,)),
    "duration": (["5m", "90s", "60d"], "m", parse_duration, (ValueError,)),
    "time": (
        ["2026-11-24T10:00", "2026-11-24T10:00:00-05:00"], ":",
        lambda text: read_time(text, "Europe/Berlin"), (ValueError,),
    ),
    "rule": (
        ["FREQ=WEEKLY;COUNT=4;BYDAY=MO,TU", "FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20270101T000000Z"], ";",
        parse_rule, (RuleRefused,),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", READERS)
@budget(40)
@given(data=st.data())
def test_a_text_is_refused_or_read(kind: str, data: st.DataObject) -> None:
    samples, separator, read, refusals = READERS[kind]
    text = data.draw(broken_text(samples, separator=separator) | texts)
    with suppress(*refusals):
        told = read(text)
        if isinstance(told, Marker):
            assert text == MARKER
        if isinstance(told, datetime):
            told.isoformat()
