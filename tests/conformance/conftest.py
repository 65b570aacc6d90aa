"""The suite is a package of its own; this lets pytest explain its assertions."""

import pytest

pytest.register_assert_rewrite("calsync.testing.conformance")
