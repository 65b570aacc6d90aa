"""Tests of `calsync.settings`."""
