"""A strict stand-in for the calendar part of Microsoft Graph v1.0 and for Entra's token endpoints (sheet 9)."""
