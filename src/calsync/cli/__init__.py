"""The command line: a file for each command group. Each parses, calls one function, prints, returns an exit code."""
