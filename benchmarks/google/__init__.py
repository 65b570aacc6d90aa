"""What calsync costs on Google, beside a client that does nothing but send the same requests by the same library.

`python -m benchmarks.google [CALENDARS] [EVENTS]` and `python -m benchmarks.google.push [EDITS]` print tables in
Markdown. Google is the stand-in; for the first it runs in another process. Results: docs/performance-google.md.
"""
