"""calsync mirrors appointment records into providers' calendars and guards the claims that follow from them."""

from typing import Final

__version__: Final = "0.1.0"
