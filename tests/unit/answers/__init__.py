"""What people decide about edits and calendars."""
