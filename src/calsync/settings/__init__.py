"""The configuration: its model, reading it with all problems at once, its documentation, and the secrets it names."""

from calsync.settings.load import load
from calsync.settings.model import CalendarConfig, ConnectorModels, Provider, Settings

__all__ = ["CalendarConfig", "ConnectorModels", "Provider", "Settings", "load"]
