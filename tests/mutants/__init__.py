"""Broken variants of calsync, each caught by a named check of the simulation: what no check catches is a missing check.

`patches/NN-name.patch`: the first line says what is broken, `breaks:` which invariants, `killed-by:` the history that
shows it. Line numbers do not matter, the lines do: when code that a patch touches changes, write its lines anew.
A mutant that nothing can catch carries a line `survives:` with the reason.
"""
