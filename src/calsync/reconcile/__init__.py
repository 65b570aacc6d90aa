"""The verbs: pure functions over the domain. No I/O, no clock, no database; called by the worker and by tests."""
