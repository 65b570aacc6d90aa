"""Random input to every reader of what strangers write; a small fixed budget in the test run, more by `./dev fuzz`."""
