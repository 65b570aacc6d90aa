"""What calsync costs on Outlook, beside a client that does nothing but send the same requests by the same library.

`python -m benchmarks.outlook [MAILBOXES] [EVENTS]` and `python -m benchmarks.outlook.push [EDITS]` print tables in
Markdown. Graph is the stand-in; for the first it runs in another process. Results: docs/performance-outlook.md.
"""
