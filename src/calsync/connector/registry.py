"""Finds connectors: plug-ins under the entry point group `calsync.connectors`, and those that a test adds.

A plug-in is loaded when it is first asked for, so that a connector whose packages are missing disturbs nobody else.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from calsync.connector.protocol import PROTOCOL_VERSION, Connector
from calsync.errors import UserError

GROUP: Final = "calsync.connectors"


class Registry:
    """Connectors by name. `extra` ones, and those added by `register`, go before installed ones of the same name."""

    def __init__(self, extra: Iterable[Connector] = (), *, plugins: Iterable[EntryPoint] | None = None) -> None:
        found = entry_points(group=GROUP) if plugins is None else plugins
        self._plugins: dict[str, EntryPoint] = {plugin.name: plugin for plugin in found}
        self._loaded: dict[str, Connector] = {}
        for connector in extra:
            self.register(connector)

    @property
    def names(self) -> tuple[str, ...]:
        """All known names, sorted; whether each can be loaded shows only when it is asked for."""
        return tuple(sorted({*self._plugins, *self._loaded}))

    def register(self, connector: Connector) -> None:
        """Add a connector under its own name. Raises `UserError` if it speaks another version of the protocol."""
        _check_version(connector.name, connector)
        self._loaded[connector.name] = connector

    def get(self, name: str) -> Connector:
        """Return a connector. Raises `UserError` for an unknown name, a missing package or another protocol version."""
        if name not in self._loaded:
            if name not in self._plugins:
                raise self._unknown(name)
            self._loaded[name] = _load(self._plugins[name])
        return self._loaded[name]

    def usable(self) -> Mapping[str, Connector]:
        """Return all connectors that can be loaded here, by name."""
        usable: dict[str, Connector] = {}
        for name in self.names:
            try:
                usable[name] = self.get(name)
            except UserError:
                continue
        return usable

    def _unknown(self, name: str) -> UserError:
        near = difflib.get_close_matches(name, self.names, n=1)
        hint = f'Did you mean "{near[0]}"? ' if near else ""
        known = ", ".join(self.names) or "none"
        return UserError.of(f'there is no connector "{name[:40]}"', remedy=f"{hint}Known: {known}")


def _load(plugin: EntryPoint) -> Connector:
    try:
        connector: Connector = plugin.load()
    except ModuleNotFoundError as problem:
        # Only a package that is not there is the person's to mend. A name missing in a module that is there is a fault
        # of the plug-in, and goes up as it is.
        missing = problem.name or "?"
        what = f'connector "{plugin.name}" needs the Python package "{missing}", which is not installed'
        raise UserError.of(what, remedy=f"Run: {_install_command(plugin)}") from problem
    _check_version(plugin.name, connector)
    return connector


def _install_command(plugin: EntryPoint) -> str:
    if plugin.dist is None:
        return f"pip install 'calsync[{plugin.name}]'"
    extras = plugin.dist.metadata.get_all("Provides-Extra") or []
    return (
        f"pip install '{plugin.dist.name}[{plugin.name}]'"
        if plugin.name in extras
        else f"pip install {plugin.dist.name}"
    )


def _check_version(name: str, connector: object) -> None:
    version = getattr(connector, "protocol_version", None)
    if version == PROTOCOL_VERSION:
        return
    older = isinstance(version, int) and version < PROTOCOL_VERSION
    raise UserError.of(
        f'connector "{name}" speaks version {version} of the connector protocol, calsync {PROTOCOL_VERSION}',
        remedy="Upgrade the package of the connector" if older else "Upgrade calsync",
    )
