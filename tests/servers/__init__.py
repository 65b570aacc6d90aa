"""Servers that tests start: calendar servers, PostgreSQL, mail, names, and proxies that meddle."""
