"""Reconciliation reports: gathered from the books, built as one plain value, shown as text, JSON or CSV."""
