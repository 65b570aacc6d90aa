"""What a large claim file costs, beside pyx12 that does nothing but read it.

`./dev benchmark claims [CLAIMS]` prints a table in Markdown. Results: docs/performance-claims.md.
"""
