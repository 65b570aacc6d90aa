"""Claim files, checked before they are sent: X12 837P, CSV and FHIR claims, line by line, in bounded memory.

`checking` is the way through: a reader (`x12_claims`, `csv_claims`, `fhir_claims`) yields lines, `matching` ties each
to one appointment or to none, `judging` asks the gate, and a `*_cleared` module writes what may be sent. Nothing that a
file says is believed before the whole of it was read, and nothing of it is kept but ids, dates and codes, and those
only until the check ends.
"""
