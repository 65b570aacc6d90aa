"""The Google Calendar connector: a plug-in that turns the Calendar API v3 into calsync's calendar protocol."""
