"""The only SQL. A module per table family; `dialect` alone knows how SQLite and PostgreSQL differ."""
