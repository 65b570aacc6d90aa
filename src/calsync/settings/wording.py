"""From the model's errors to sentences for the person who wrote the config. Never shows a value that may be secret."""

import difflib
import re
from collections.abc import Callable, Iterable
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from calsync.errors import Problem
from calsync.settings.toml_scan import KeyPath

_SECRET_NAME: Final = re.compile(r"password|passwd|secret|token|api_?key|private_?key|credential", re.IGNORECASE)

_SENTENCES: Final = {
    "missing": "is missing",
    "int_type": "is not a whole number",
    "int_from_float": "is not a whole number",
    "int_parsing": "is not a whole number",
    "float_type": "is not a number",
    "float_parsing": "is not a number",
    "finite_number": "is not a finite number",
    "bool_type": "is neither true nor false (without quotes)",
    "string_type": "is not a text in quotes",
    "path_type": "is not a path in quotes",
    "tuple_type": "is not a list",
    "list_type": "is not a list",
    "dict_type": "is not a table",
    "mapping_type": "is not a table",
    "model_type": "is not a table",
    "model_attributes_type": "is not a table",
}


def describe_errors(
    error: ValidationError, model: type[BaseModel], where: Callable[[KeyPath], str]
) -> Iterable[Problem]:
    """One problem for each error, with the place that `where` gives for its key."""
    for detail in error.errors(include_url=False, include_context=True, include_input=False):
        key: KeyPath = tuple(detail["loc"])
        if detail["type"] == "extra_forbidden":
            yield describe_unknown(str(key[-1]), _known_keys(model, key[:-1]), where(key))
        else:
            yield Problem(_sentence(detail), where(key), _remedy(detail))


def describe_unknown(name: str, known: Iterable[str], where: str) -> Problem:
    """A key that is not one: which comes nearest, or, for a secret, the key that takes a file instead."""
    names = sorted(known)
    if _SECRET_NAME.search(name) and f"{name}_file" in names:
        return Problem("a secret may not stand in the config", where, f"Put it into a file and name that: {name}_file")
    near = difflib.get_close_matches(name[:60], names, n=1, cutoff=0.5)
    hint = f'Did you mean "{near[0]}"?' if near else f"Known here: {', '.join(names)}" if names else "Remove it"
    return Problem("is not a known key", where, hint)


def _sentence(detail: ErrorDetails) -> str:
    context: dict[str, Any] = detail.get("ctx", {})
    match detail["type"]:
        case "value_error":
            return (
                f"is {context['error']}"
                if str(context["error"]).startswith(("not ", "longer "))
                else str(context["error"])
            )
        case "literal_error":
            return f"is not one of {context['expected'].replace(' or ', ', ')}".replace("'", '"')
        case "greater_than" | "greater_than_equal" | "less_than" | "less_than_equal":
            return detail["msg"].replace("Input should be", "should be")
    return _SENTENCES.get(detail["type"], detail["msg"].replace("Input should", "should"))


def _remedy(detail: ErrorDetails) -> str:
    return "Add it" if detail["type"] == "missing" else ""


def _known_keys(model: type[BaseModel], at: KeyPath) -> list[str]:
    """Keys of the table at `at` in `model`; none if that is no table of fixed keys."""
    here: type[BaseModel] | None = model
    for part in at:
        if here is None or isinstance(part, int):
            continue
        here = next(
            (_model_in(field.annotation) for name, field in here.model_fields.items() if part in (name, field.alias)),
            None,
        )
    return [field.alias or name for name, field in here.model_fields.items() if not field.exclude] if here else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that an annotation such as `tuple[Provider, ...]` or `Rules | None` speaks of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)
