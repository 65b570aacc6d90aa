"""What a month leaves behind: memory and rows, by a virtual clock, with nobody and with somebody at the calendar."""
