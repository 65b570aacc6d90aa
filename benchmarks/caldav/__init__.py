"""What calsync costs on a CalDAV server, beside vdirsyncer and beside a client that does nothing but send requests.

All three work on the same server in one run, through a process that counts what passes. Results: docs/performance.md.
"""
