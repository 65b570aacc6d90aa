"""JSON piece by piece: what is too deep, too large, doubled or cut off is refused, and the rest is as it was."""

from __future__ import annotations

import io
import json
from decimal import Decimal
from typing import Any

import ijson
import pytest

from calsync.claims.batch.fhir_cleared import write_bundle, write_ndjson
from calsync.claims.batch.json_stream import DEEPEST, LONGEST_ENTRY, Beside, as_text, bundle_entries, one_value
from calsync.claims.batch.lines import FileRefused


def entries(text: str) -> list[Any]:
    return list(bundle_entries(io.BytesIO(text.encode())))


def refused(text: str) -> tuple[str, str]:
    with pytest.raises(FileRefused) as refusal:
        entries(text)
    return str(refusal.value.code), refusal.value.where


def deep(levels: int, *, lists: bool = False) -> str:
    return ("[" * levels + "]" * levels) if lists else '{"a":' * levels + "1" + "}" * levels


def test_members_come_first_and_what_stands_beside_them_last_and_apart() -> None:
    found = entries('{"type":"batch","entry":[1,{"a":[]}],"total":2}')
    assert found == [1, {"a": []}, {"type": "batch", "total": 2}]
    assert [isinstance(one, Beside) for one in found] == [False, False, True]
    assert entries('{"entry":{"a":1},"b":[2]}') == [{"b": [2]}]
    assert entries("{}") == [{}]


@pytest.mark.parametrize("lists", [False, True])
def test_a_value_is_only_so_deep(lists: bool) -> None:
    inner = DEEPEST if not lists else DEEPEST + 1
    assert entries(f'{{"entry":[{deep(inner, lists=lists)}]}}')
    assert refused(f'{{"entry":[{deep(inner + 1, lists=lists)}]}}')[1].startswith("it is nested too deeply")
    assert refused(f'{{"b":{deep(inner + 1, lists=lists)}}}')[0] == "file-unreadable"
    with pytest.raises(ValueError, match="no JSON value"):
        one_value(deep(inner + 1, lists=lists))


def test_an_entry_is_only_so_large_and_each_for_itself() -> None:
    longest = [1] * (LONGEST_ENTRY - 1)
    assert [len(one) for one in entries(json.dumps({"entry": [longest, longest]}))[:2]] == [len(longest)] * 2
    assert refused(json.dumps({"entry": [[*longest, 1]]}))[0] == "file-unreadable"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[]", "it is no JSON object"),
        ('{"a":1,"a":2}', "a key stands twice in one object"),
        ('{"entry":[],"entry":[]}', "a key stands twice in one object"),
        ('{"entry":[{"b":{"a":1,"a":2}}]}', "a key stands twice in one object"),
        ('{"entry":[1]} {}', "it is no whole JSON text"),
        ('{"entry":[1', "it is no whole JSON text"),
        ("", "it is no whole JSON text"),
    ],
)
def test_a_bundle_is_one_sound_object(text: str, where: str) -> None:
    assert refused(text) == ("file-unreadable", where)


START, END, ENTRY = ("start_map", None), ("end_map", None), ("map_key", "entry")


@pytest.mark.parametrize(
    "events",
    [
        [],
        [START],
        [START, ENTRY],
        [START, ENTRY, ("start_array", None)],
        [START, ENTRY, ("start_array", None), START],
        [START, ENTRY, ("start_array", None), ("start_array", None), ("number", 1)],
        [START, ENTRY, ("start_array", None), ("end_array", None)],
        [START, END, START],
    ],
)
def test_what_a_parser_lets_pass_is_refused_all_the_same(
    events: list[tuple[str, str | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ijson, "basic_parse", lambda _source: iter(events))
    assert refused("{}")[0] == "file-unreadable"
    with pytest.raises(ValueError, match=r"no JSON value|more than one value"):
        one_value("{}")


def test_values_are_written_as_they_were_read() -> None:
    text = '{"a":[1,2.50,1e3,true,null,"\u00e9\\"\\n"],"b":{"c":-0.10}}'
    assert one_value(text)["a"][1] == Decimal("2.50")
    assert as_text(one_value('{"a":[2.50,true,null,"\u00e9\\""],"b":{"c":-0.10}}')) == (
        '{"a":[2.50,true,null,"\u00e9\\""],"b":{"c":-0.10}}'
    )


def bundle(text: str, *kept: int) -> str:
    target = io.StringIO()
    write_bundle(io.BytesIO(text.encode()), target, lambda number: number in kept)
    return target.getvalue()


CLAIMS = [f'{{"resource":{{"resourceType":"Claim","id":"{number}"}}}}' for number in (1, 2, 3)]


def test_a_bundle_without_some_of_its_claims() -> None:
    person = '{"resource":{"resourceType":"Patient"}}'
    text = f'{{"total":5,"resourceType":"Bundle","entry":[{person},{",".join(CLAIMS)},"odd"],"type":"batch"}}'
    assert bundle(text, 1, 3) == (
        f'{{"resourceType":"Bundle","entry":[\n{person},\n{CLAIMS[0]},\n{CLAIMS[2]},\n"odd"\n],\n"total":4,\n"type":"batch"}}\n'
    )
    assert bundle(f'{{"resourceType":"Bundle","entry":[{CLAIMS[0]}]}}', 1) == (
        f'{{"resourceType":"Bundle","entry":[\n{CLAIMS[0]}\n]}}\n'
    )
    assert bundle('{"resourceType":"Claim","id":"1"}', 1) == '{"resourceType":"Claim","id":"1"}\n'


def test_lines_without_some_of_its_claims() -> None:
    rows = ['{"resourceType":"Claim","id":"1"}', '{"resourceType":"Patient"}', '{"resourceType":"Claim","id":"2"}']
    target = io.StringIO()
    write_ndjson(io.BytesIO(("\n\n".join(rows)).encode()), target, lambda number: number == 2)
    assert target.getvalue() == f"{rows[1]}\n{rows[2]}\n"
