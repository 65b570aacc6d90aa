"""A strict stand-in for the Google Calendar API v3, its batch and its token endpoint (contract sheet 16)."""
