"""One module a step, named NNNN_what.py; a released one is never edited."""
