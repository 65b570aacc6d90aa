"""`python -m tests.simulation`: histories from seeds or plans. See `--help`."""

from __future__ import annotations

import sys

from tests.simulation.command import main

sys.exit(main())
