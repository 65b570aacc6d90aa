"""Scripted scenarios that are crashed at each port in turn, and whose every database call is made to fail: no luck."""
