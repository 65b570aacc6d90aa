"""For tests, and for authors of connectors: virtual ports, calendars in memory, and the conformance suite.

Nothing of the product imports this package but the demo command.
"""
