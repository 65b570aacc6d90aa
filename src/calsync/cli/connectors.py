"""Which connectors are installed, for reading the config."""

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Final

import structlog

from calsync.settings import ConnectorModels

GROUP: Final = "calsync.connectors"

_log = structlog.get_logger(__name__)


def find_connectors() -> Mapping[str, ConnectorModels]:
    """The connectors that can be used here, by name; one whose libraries are not installed is left out, and logged."""
    found: dict[str, ConnectorModels] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        try:
            found[entry.name] = entry.load()
        except ImportError as error:
            _log.info("connector_not_usable", connector=entry.name, missing=error.name)
    return found
