"""Mails to the people who cause and settle edits: what they say, when they may go, and how they leave."""
