"""Hostile input, a file or a case each, with the answer it must get."""
