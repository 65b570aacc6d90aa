"""Claim files: sample files with their exact answers, and hostile ones."""
