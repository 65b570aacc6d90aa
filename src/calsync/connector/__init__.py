"""What a connector must implement, and the wrappers put around any connector in one place."""
