"""The methods of the API as the discovery document of the client package names them: paths, parameters, scopes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import unquote

SCOPE = "https://www.googleapis.com/auth/"


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the API. `path` holds its segments, parameters in braces."""

    id: str
    verb: str
    path: tuple[str, ...]
    parameters: Mapping[str, Mapping[str, Any]]
    scopes: frozenset[str]
    answer: str | None


@cache
def document() -> dict[str, Any]:
    """The document that ships inside google-api-python-client."""
    folder = files("googleapiclient").joinpath("discovery_cache", "documents")
    loaded: dict[str, Any] = json.loads(folder.joinpath("calendar.v3.json").read_text(encoding="utf-8"))
    return loaded


@cache
def methods() -> tuple[Method, ...]:
    """All methods, those with more fixed segments first."""
    found = [
        Method(
            id=method["id"].removeprefix("calendar."),
            verb=method["httpMethod"],
            path=tuple(method["path"].split("/")),
            parameters={**document()["parameters"], **method.get("parameters", {})},
            scopes=frozenset(method["scopes"]),
            answer=method.get("response", {}).get("$ref"),
        )
        for resource in document()["resources"].values()
        for method in resource["methods"].values()
    ]
    return tuple(sorted(found, key=lambda one: sum(part.startswith("{") for part in one.path)))


def match(verb: str, path: str) -> tuple[Method, dict[str, str]] | None:
    """Return the method at a path below the service's root, with its path parameters decoded; None if there is none."""
    segments = path.strip("/").split("/")
    for method in methods():
        if method.verb != verb or len(method.path) != len(segments):
            continue
        found: dict[str, str] = {}
        for pattern, text in zip(method.path, segments, strict=True):
            if pattern.startswith("{"):
                found[pattern[1:-1]] = unquote(text)
            elif pattern != text:
                break
        else:
            return method, found
    return None


_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def unfit_parameter(method: Method, name: str, values: list[str]) -> bool:
    """Whether a query parameter is unknown to the method, or of another type or value than it takes."""
    known = method.parameters.get(name)
    if known is None or (len(values) > 1 and not known.get("repeated")):
        return True
    return any(not _fits(known, value) for value in values)


def _fits(known: Mapping[str, Any], value: str) -> bool:
    if "enum" in known and value not in known["enum"]:
        return False
    if known["type"] == "boolean":
        return value in ("true", "false")
    if known["type"] == "integer":
        return value.isascii() and value.isdecimal() and int(value) >= int(known.get("minimum", 0))
    if known.get("format") == "date-time":
        return _STAMP.fullmatch(value) is not None
    return True
