"""The HTTP face: health, metrics, hooks, the interface for programs, and the pages behind links in mails."""
