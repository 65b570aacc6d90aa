"""Local stand-ins for calendar services over real HTTP, with people who edit and weather that spoils."""
