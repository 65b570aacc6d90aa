"""`calsync demo`: the whole job on one machine in a minute, with a real CalDAV server and stand-ins for the others."""
