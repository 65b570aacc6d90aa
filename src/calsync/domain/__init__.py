"""The nouns: frozen values with no I/O, no clock and no randomness. Imports pure date libraries only."""
