"""Measurements, each a package with one command: `./dev benchmark NAME`."""
