"""The interface for programs under fire: what its own description allows, and what it forbids, sent to the real app.

Whatever comes, the answer is one that the description foresees, in its shape; and the books stay sound.
"""

from __future__ import annotations

import json
from itertools import count
from typing import Any

import pytest
import schemathesis
from httpx import Response
from hypothesis import given
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from calsync.store import audit, records
from calsync.store.records import AppointmentFilter
from tests.fuzz.budget import budget
from tests.unit.web.conftest import House

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 12
KNOWN = {
    "appointment": "4822",
    "provider": "P-1",
    "client": "K-1",
    "series": "S-1",
    "by": "support:sam",
    "zone": "America/New_York",
    "start": "2026-12-24T15:00",
    "end": "2026-12-24T15:50",
}
QUIET = budget(EXAMPLES)


def send(house: House, case: Case[Any], headers: dict[str, str]) -> Response:
    """Send a case as it is to the app, without the library's own transport."""
    told = case.as_transport_kwargs(base_url="http://testserver", headers=headers)
    body = json.dumps(told["json"]).encode() if "json" in told else told.get("data")
    content = body.encode("utf-8", "replace") if isinstance(body, str) else body
    named = {name: str(value).encode("utf-8", "replace") for name, value in told["headers"].items()}
    answer: Response = house.client.request(
        told["method"], told["url"], params=told.get("params"), content=content, headers=named
    )
    return answer


def aim(case: Case[Any]) -> None:
    """Have a case name what is on the books, so that more than the doorman is met."""
    for name in case.path_parameters:
        case.path_parameters[name] = KNOWN.get(name, case.path_parameters[name])
    if isinstance(case.body, dict):
        case.body.update({name: KNOWN[name] for name in case.body.keys() & KNOWN.keys()})


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_every_answer_is_a_foreseen_one(house: House, method: str, mode: GenerationMode) -> None:
    house.edit("4821")
    house.book("4822", "2026-12-24T10:00")
    headers = house.token("admin")
    schema = schemathesis.openapi.from_dict(house.app.openapi())
    operations = [found.ok() for found in schema.include(method=method).get_all_operations() if isinstance(found, Ok)]
    assert len(operations) > 2

    turns = count()
    for operation in operations:

        @QUIET
        @given(case=operation.as_strategy(generation_mode=mode))
        def fire(case: Case[Any]) -> None:
            if mode is GenerationMode.POSITIVE and next(turns) % 2:
                aim(case)
            case.validate_response(send(house, case, headers), checks=CHECKS)

        fire()

    with house.database.reading() as conn:
        assert audit.verify(conn).is_whole
        assert list(records.appointments(conn, AppointmentFilter()))
