"""The embedded appointment book: all sanctioned ways to change a record. Calendars follow the records."""
