"""Whole installations: commands, processes that are killed, and the real worker in front of each service."""
