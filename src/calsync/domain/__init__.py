"""The nouns: frozen values with no I/O, no clock and no randomness. Imports the standard library and pure date libraries only."""
