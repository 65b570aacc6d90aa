"""Files with only what may be sent: valid, whole claims, counts and levels that fit, and never an old file."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
import pyx12.params
import pyx12.x12n_document

from calsync.claims.batch.checking import read_batch
from calsync.claims.batch.cleared import withdraw, write_cleared
from calsync.claims.batch.lines import FileRefused
from calsync.claims.batch.x12_claims import read_x12
from calsync.claims.batch.x12_cleared import write_x12
from calsync.errors import UserError
from tests.unit.claims.batch.sample_world import SAMPLES, SampleWorld


def is_valid(path: Path) -> bool:
    """Whether pyx12's full check of the guide finds nothing wrong."""
    with path.open(encoding="latin-1") as source:
        return bool(
            pyx12.x12n_document.x12n_document(
                param=pyx12.params.params(), src_file=source, fd_997=None, fd_html=None, fd_xmldoc=None, map_path=None
            )
        )


def kept(name: str, wanted: set[int]) -> str:
    with (SAMPLES / name).open(encoding="latin-1", newline="") as source:
        target = io.StringIO()
        write_x12(source, target, lambda claim: claim in wanted)
    return target.getvalue()


def write(world: SampleWorld, name: str, target: Path) -> bool:
    with read_batch(world.gate, SAMPLES / name) as batch:
        list(batch.check(world.gate, "support:b"))
        return write_cleared(batch, target)


class TestX12:
    @pytest.mark.parametrize(
        "wanted", [{1}, {2}, {3}, {4}, {5}, {1, 5}, {2, 3}, {3, 4}, {1, 2, 3}, {4, 5}, {1, 2, 3, 4, 5}]
    )
    def test_any_choice_of_claims_is_a_valid_file_with_just_these(self, wanted: set[int], tmp_path: Path) -> None:
        whole = [one.claim_id for one in read_x12(io.StringIO(kept("v03-many-claims-two-st.x12", {1, 2, 3, 4, 5})))]
        text = kept("v03-many-claims-two-st.x12", wanted)
        assert [one.claim_id for one in read_x12(io.StringIO(text))] == [whole[one - 1] for one in sorted(wanted)]
        path = tmp_path / "part.x12"
        path.write_text(text, encoding="latin-1")
        assert is_valid(path)

    def test_everything_kept_is_the_same_file(self) -> None:
        for name in ("v01-one-claim-one-line.x12", "v02-one-claim-many-dates.x12", "v03-many-claims-two-st.x12",
                     "v05-odd-separators-crlf.x12", "v07-newline-is-terminator.x12", "v09-latin1-name.x12",
                     "v08-two-interchanges-other-separators.x12"):  # fmt: skip
            whole = (SAMPLES / name).read_bytes().decode("latin-1")
            assert kept(name, set(range(9))).rstrip("\r\n") == whole.rstrip("\r\n"), name

    def test_levels_are_numbered_anew_and_know_their_children(self) -> None:
        lines = kept("v03-many-claims-two-st.x12", {3}).splitlines()
        assert [one for one in lines if one.startswith("HL")] == ["HL*1**20*1~", "HL*2*1*22*0~"]
        assert [one for one in lines if one[:2] in ("ST", "SE", "GE") or one[:3] == "IEA"] == [
            "ST*837*0001*005010X222A1~", "SE*26*0001~", "GE*1*1~", "IEA*1*000000001~",
        ]  # fmt: skip
        assert not [one for one in lines if "SAMPLE*ALEX" in one], "a subscriber without claims goes"

    def test_an_interchange_without_claims_goes(self) -> None:
        text = kept("v08-two-interchanges-other-separators.x12", {2})
        assert text.count("ISA") == 1
        assert [one.claim_id for one in read_x12(io.StringIO(text))] == ["A-1005"]

    def test_a_subscriber_keeps_her_own_claims_when_her_childs_go(self) -> None:
        whole = (SAMPLES / "v02-one-claim-many-dates.x12").read_text("latin-1")
        head, claim = whole.split("HL*3", 1)
        claim = "CLM" + claim.split("CLM", 1)[1]
        own = claim.split("SE*", 1)[0].replace("C-2000", "C-1999")
        text = head + own + "HL*3" + whole.split("HL*3", 1)[1]
        count = text[text.index("ST*837") :].split("SE*")[0].count("~") + 1
        text = text.replace("SE*" + whole.split("SE*", 1)[1].split("*")[0], f"SE*{count}")
        target = io.StringIO()
        write_x12(io.StringIO(text), target, lambda number: number == 1)
        assert [one.split("~")[0] for one in target.getvalue().splitlines() if one.startswith("HL")] == [
            "HL*1**20*1", "HL*2*1*22*0",
        ]  # fmt: skip
        assert {one.claim_id for one in read_x12(io.StringIO(target.getvalue()))} == {"C-1999"}
        both = io.StringIO()
        write_x12(io.StringIO(text), both, lambda _: True)
        assert both.getvalue() == text


class TestAnyForm:
    def test_a_claim_with_one_held_line_is_left_out_whole(self, lite: SampleWorld, tmp_path: Path) -> None:
        assert write(lite, "b03-no-service-date.x12", tmp_path / "out.x12") is False
        assert not (tmp_path / "out.x12").exists()

    def test_an_old_file_is_withdrawn_and_none_is_made_when_nothing_may_be_sent(
        self, lite: SampleWorld, tmp_path: Path
    ) -> None:
        out = tmp_path / "out.x12"
        assert write(lite, "v01-one-claim-one-line.x12", out) is True
        assert is_valid(out)
        assert out.stat().st_mode & 0o077 == 0
        withdraw(out)
        assert write(lite, "g01-wrong-date.x12", out) is False
        assert list(tmp_path.glob("*.x12")) == []

    def test_a_place_that_cannot_be_written_or_cleared_is_told(self, lite: SampleWorld, tmp_path: Path) -> None:
        with pytest.raises(UserError, match="it cannot be written"):
            write(lite, "v01-one-claim-one-line.x12", tmp_path / "missing" / "out.x12")
        with pytest.raises(UserError, match="it cannot be removed"):
            withdraw(tmp_path)

    def test_csv_keeps_the_rows_of_cleared_claims(self, lite: SampleWorld, tmp_path: Path) -> None:
        assert write(lite, "c05-bad-ragged-and-nul.csv", tmp_path / "out.csv")
        rows = list(csv.reader((tmp_path / "out.csv").read_text().splitlines()))
        assert [row[2] for row in rows] == ["appointment", "A-1001", "A-1102"]
        assert rows[2][0].startswith("=HYPERLINK"), "a claim file is for programs and stays as it is"

    def test_rows_of_one_claim_wait_together_wherever_they_stand(self, lite: SampleWorld, tmp_path: Path) -> None:
        path = tmp_path / "in.csv"
        path.write_text(
            "claim_id,appointment,service_date\nC-1,A-1001,2026-11-10\nC-2,A-1102,2026-11-10\nC-1,A-1005,2026-11-18\n"
        )
        with read_batch(lite.gate, path) as batch:
            assert [str(one.verdict) for one in batch.check(lite.gate, "support:b")] == ["held", "cleared"]
            write_cleared(batch, tmp_path / "out.csv")
        assert "C-1" not in (tmp_path / "out.csv").read_text()

    def test_a_bundle_keeps_what_is_no_claim_and_its_numbers(self, lite: SampleWorld, tmp_path: Path) -> None:
        whole = json.loads((SAMPLES / "f02-bad-dates.json").read_text())
        good = json.loads((SAMPLES / "f01-good.json").read_text())["entry"][0]
        good["resource"]["total"] = {"value": 12345678901234.50, "currency": "USD"}
        person = {"resource": {"resourceType": "Patient", "id": "K-1"}}
        path = tmp_path / "in.json"
        whole |= {"entry": [whole["entry"][1], person, good], "total": 3}
        path.write_text(json.dumps(whole).replace("12345678901234.5", "12345678901234.50"))
        with read_batch(lite.gate, path) as batch:
            list(batch.check(lite.gate, "support:b"))
            write_cleared(batch, tmp_path / "out.json")
        text = (tmp_path / "out.json").read_text()
        made = json.loads(text)
        assert made["entry"] == [person, good]
        assert (made["total"], made["type"], "12345678901234.50" in text) == (2, whole["type"], True)

    def test_ndjson_keeps_its_lines(self, lite: SampleWorld, tmp_path: Path) -> None:
        good = json.loads((SAMPLES / "f01-good.json").read_text())["entry"]
        bad = json.loads((SAMPLES / "f02-bad-dates.json").read_text())["entry"][1]
        path = tmp_path / "in.ndjson"
        lines = [json.dumps(one["resource"]) for one in (bad, *good)]
        path.write_text("\n".join(lines))
        with read_batch(lite.gate, path) as batch:
            list(batch.check(lite.gate, "support:b"))
            write_cleared(batch, tmp_path / "out.ndjson")
        assert (tmp_path / "out.ndjson").read_text().splitlines() == lines[1:]

    @pytest.mark.parametrize(("old", "new"), [(b"D8*20261110", b"D8*20261111"), (b"*150*", b"*950*")])
    def test_a_file_that_changed_meanwhile_is_not_written(
        self, lite: SampleWorld, tmp_path: Path, old: bytes, new: bytes
    ) -> None:
        path, content = tmp_path / "in.x12", (SAMPLES / "v01-one-claim-one-line.x12").read_bytes()
        assert old in content
        path.write_bytes(content)
        with read_batch(lite.gate, path) as batch:
            list(batch.check(lite.gate, "support:b"))
            path.write_bytes(content.replace(old, new))
            with pytest.raises(FileRefused):
                write_cleared(batch, tmp_path / "out.x12")
        assert list(tmp_path.glob("*x12*")) == [path], "nor is anything left of it"
