"""Effects: one pass per calendar, crash-safe. Record, then write, then confirm; deciding is done in `reconcile`."""
