"""What the benchmarks of Google and Outlook have in common: sweeps over many calendars, and edits answered by push."""
