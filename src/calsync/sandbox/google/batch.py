"""The batch endpoint: many requests in one, answered in any order (contract sheet 3.5, 16 row 47)."""

from __future__ import annotations

import re
from http import HTTPStatus

from calsync.sandbox.google.api import Answer, Api, Asked
from calsync.sandbox.google.faults import ApiError

BOUNDARY = "batch_sandbox"
_WRITES = ("PATCH", "PUT", "DELETE")


def answer_batch(api: Api, content_type: str, outer: dict[str, str], body: bytes) -> Answer | bytes:
    """Return the multipart answer's octets, or a refusal of the whole."""
    found = re.search(r'boundary="?([^";]+)"?', content_type)
    if found is None:
        return _refused(400, "parseError")
    parts = _parts(body, found[1])
    if not parts or len(parts) > api.state.knobs.batch_limit:
        return _refused(400, "invalid")
    answers = []
    written: set[str] = set()
    for content_id, asked in parts:
        headers = {**outer, **asked.headers}
        path = asked.target.split("?")[0]
        if api.state.knobs.batch_conflicts and asked.verb in _WRITES and path in written:
            answers.append((content_id, _refused(409, "conflict")))
            continue
        if asked.verb in _WRITES:
            written.add(path)
        answers.append((content_id, api.answer(Asked(asked.verb, asked.target, headers, asked.body, batched=True))))
    if api.state.knobs.batch_shuffled:
        answers.reverse()
    rendered = b"".join(_part(content_id, answer) for content_id, answer in answers)
    return rendered + f"--{BOUNDARY}--".encode()


def _refused(code: int, reason: str) -> Answer:
    return Answer(code, ApiError(code, reason).body())


def _parts(body: bytes, boundary: str) -> list[tuple[str, Asked]]:
    parts = []
    for chunk in body.split(b"--" + boundary.encode())[1:-1]:
        head, _, inner = chunk.lstrip(b"\r\n").partition(b"\n\n" if b"\r\n\r\n" not in chunk else b"\r\n\r\n")
        content_id = _headers(head).get("content-id", "")
        parts.append((content_id, _inner(inner.strip(b"\r\n"))))
    return parts


def _inner(text: bytes) -> Asked:
    head, _, body = text.replace(b"\r\n", b"\n").partition(b"\n\n")
    first, _, rest = head.partition(b"\n")
    verb, target, *_ = first.decode("utf-8").split(" ")
    return Asked(verb, target, _headers(rest), body.strip())


def _headers(text: bytes) -> dict[str, str]:
    found = {}
    for line in text.decode("utf-8").splitlines():
        name, colon, value = line.partition(":")
        if colon:
            found[name.strip().lower()] = value.strip()
    return found


def _part(content_id: str, answer: Answer) -> bytes:
    named = content_id.replace("<", "<response-", 1)
    content = answer.content
    lines = [
        f"--{BOUNDARY}",
        "Content-Type: application/http",
        f"Content-ID: {named}",
        "",
        f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
        *(f"{name}: {value}" for name, value in answer.headers.items()),
        *(["Content-Type: application/json; charset=UTF-8"] if content else []),
        f"Content-Length: {len(content)}",
        "",
        "",
    ]
    return "\r\n".join(lines).encode() + content + b"\r\n"
