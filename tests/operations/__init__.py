"""What an admin relies on: units, metrics, backups, documentation."""
