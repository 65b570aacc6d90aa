"""The config's documentation, printed from its model: `calsync.toml` with every key explained, and a JSON schema."""

import json
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from datetime import time, timedelta
from decimal import Decimal
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from calsync.settings.durations import format_duration
from calsync.settings.lifecycle import Reason
from calsync.settings.model import CalendarConfig, ConfigFile, ConnectorModels, Provider
from calsync.settings.practice import Practice
from calsync.settings.webhooks import Webhook

_WIDTH: Final = 100

_CONFIG_HEAD: Final = """\
# calsync.toml: every key, with its unit, its default and the reason for it.
#
# A key that is commented out has the value shown, which is its default. Relative paths start at this file's folder.
# Durations are written "90s", "5m", "24h", "60d". Files in conf.d/ are read after this one and may add keys; a key may
# stand in one file only. `calsync config check` names every problem at once.
"""
_PRACTICE_HEAD: Final = """\
# One practice's own rules. The name of this file, without .toml, is what `practice = "..."` names.
#
# A key that is commented out follows calsync.toml or the default.
"""
_PROVIDERS_HEAD: Final = """\
# Providers and their calendars. One [[providers]] table each, its [[providers.calendars]] tables below it.
"""
_WEBHOOKS_HEAD: Final = """\
# Other programs that are told what happened. One [[webhooks]] table each; none by default.
"""
_REASONS_HEAD: Final = """\
# The practice's list of reasons: one [[reasons]] table each, at the end of the file. None by default: people write
# their own words.
#
# [[reasons]]"""

Chosen = Mapping[str, object]
"""Values to write out instead of commented defaults, by dotted key."""


def render_config(connectors: Mapping[str, ConnectorModels], chosen: Chosen | None = None) -> str:
    """The text of a `calsync.toml` that explains every key, those of the given connectors included."""
    chosen = chosen or {}
    parts = [_CONFIG_HEAD]
    for name, field in ConfigFile.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            parts.append(_render_table(name, field.annotation, field.description, chosen))
    for name, connector in sorted(connectors.items()):
        about = f"What holds for every {name} calendar."
        parts.append(_render_table(f"connectors.{name}", connector.connector_settings, about, chosen))
    parts += [_render_providers(connectors), _render_webhooks()]
    return "\n".join(parts)


def render_practice(chosen: Chosen | None = None) -> str:
    """The text of a file in `practices/` that explains every key."""
    return "\n".join([_PRACTICE_HEAD, *_render_nested("", Practice, chosen or {}), *_render_reasons()])


def render_schema(connectors: Mapping[str, ConnectorModels]) -> str:
    """A JSON schema of `calsync.toml`, for editors. Keys of calendars are those that any of the connectors knows."""
    schema = ConfigFile.model_json_schema()
    schema["title"] = "calsync.toml"
    calendar = schema["$defs"]["CalendarConfig"]["properties"]
    for name, connector in sorted(connectors.items()):
        schema["properties"]["connectors"].setdefault("properties", {})[name] = _plain_schema(
            connector.connector_settings
        )
        calendar.update(_plain_schema(connector.calendar_settings).get("properties", {}))
    provider = schema["$defs"]["Provider"]["properties"]["calendars"]
    schema["$defs"]["Provider"]["properties"]["calendars"] = {"anyOf": [provider, {"const": "none"}]}
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def _plain_schema(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})
    # Connectors' models are flat; a definition could only be an enumeration, and is put where it is used.
    for field in schema.get("properties", {}).values():
        if reference := field.pop("$ref", None):
            field.update(definitions[reference.rpartition("/")[2]])
    return schema


def _render_nested(name: str, model: type[BaseModel], chosen: Chosen) -> Iterator[str]:
    for key, field in model.model_fields.items():
        inner = field.annotation
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            continue
        path = f"{name}.{key}" if name else key
        if any(_is_key(part) for part in inner.model_fields.values()):
            yield _render_table(path, inner, field.description, chosen)
        yield from _render_nested(path, inner, chosen)


def _is_key(field: FieldInfo) -> bool:
    return not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel))


def _render_table(name: str, model: type[BaseModel], about: str | None, chosen: Chosen) -> str:
    lines = [*_comment(about or ""), f"[{name}]"]
    for key, field in model.model_fields.items():
        if _is_key(field) and not field.exclude:
            key_name = field.alias or key
            lines += ["", *_render_key(key_name, field, chosen.get(f"{name}.{key_name}"))]
    return "\n".join([*lines, ""])


def _render_key(key: str, field: FieldInfo, chosen: object = None) -> Iterator[str]:
    yield from _comment(field.description or "")
    default = field.get_default(call_default_factory=True)
    if chosen is not None:
        yield f"{key} = {write_value(chosen)}"
    elif field.is_required() or default is None:
        yield f"# {key} = {write_value(field.examples[0])}" if field.examples else f"# {key} ="
    else:
        yield f"# {key} = {write_value(default)}"


def _render_providers(connectors: Mapping[str, ConnectorModels]) -> str:
    lines = [_PROVIDERS_HEAD, "# [[providers]]"]
    lines += _render_fields(Provider, "calendars", "calendars_reason", "calendars_since")
    lines += ["#", '# A provider who decidedly has no calendar: calendars = "none", and']
    lines += _render_fields(Provider, "id", "name", "email", "zone", "practice", "calendars")
    lines += ["#", "# [[providers.calendars]]", *_render_fields(CalendarConfig)]
    for name, connector in sorted(connectors.items()):
        lines += ["#", f"# With connector = {write_value(name)}:", *_render_fields(connector.calendar_settings)]
    return "\n".join([*lines, ""])


def _render_webhooks() -> str:
    return "\n".join([_WEBHOOKS_HEAD, "# [[webhooks]]", *_render_fields(Webhook), ""])


def _render_reasons() -> Iterator[str]:
    yield from _REASONS_HEAD.splitlines()
    for key, field in Reason.model_fields.items():
        yield "#"
        yield from (line if line.startswith("#") else f"# {line}" for line in _render_key(key, field))
    yield ""


def _render_fields(model: type[BaseModel], *left_out: str) -> Iterator[str]:
    for key, field in model.model_fields.items():
        if key in left_out or field.exclude:
            continue
        yield "#"
        for line in _render_key(field.alias or key, field):
            yield line if line.startswith("#") else f"# {line}"


def _comment(text: str) -> Iterable[str]:
    return [f"# {line}" for line in textwrap.wrap(text, _WIDTH, break_on_hyphens=False)]


def _write_key(key: object) -> str:
    text = str(key)
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else json.dumps(text)


def write_value(value: object) -> str:  # noqa: PLR0911 - one line for each kind of value
    """A value as TOML writes it."""
    match value:
        case bool():
            return "true" if value else "false"
        case Decimal():
            return json.dumps(str(value))
        case int() | float():
            return str(value)
        case timedelta():
            return json.dumps(format_duration(value))
        case time():
            return json.dumps(f"{value:%H:%M}")
        case list() | tuple() | set() | frozenset():
            return f"[{', '.join(write_value(item) for item in value)}]"
        case Mapping() if value:
            return f"{{ {', '.join(f'{_write_key(key)} = {write_value(item)}' for key, item in value.items())} }}"
        case Mapping():
            return "{}"
    return json.dumps(str(value), ensure_ascii=False)
