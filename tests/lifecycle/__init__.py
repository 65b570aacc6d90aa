"""The practices' published rules, a test for each numbered line (GT, PB, HT, ALL), by commands and pages."""
