"""The other ways in: appointments, people and session logs from files. Reads nothing but what it is handed."""
