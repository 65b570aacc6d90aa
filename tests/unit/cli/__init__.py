"""Tests of `calsync.cli`."""
