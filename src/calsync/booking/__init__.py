"""The embedded appointment book: all sanctioned ways to change a record. Calendars follow the records.

Who stands above this package (faces, worker, answers) uses

- `commands`: every command by its name, each `command(conn, Command, id, what is wished) -> Outcome`, in the caller's
  transaction; refused ones raise `Refused` (with a stable `code`) and have changed nothing;
- `Command(actor=, now=, reason=, note=, rulebook=Rulebook.of_settings(settings))`: who asks, when, why, by which rules;
- `rules`: the one place where a practice's values (`calsync.settings.practice`) become a yes or a no;
- `terms`: what a person may do with a session and what it costs, before they decide; `rescheduling.may_move` for one
  time in particular; `slots` for free times;
- `requests`: asking a client for another time; `find_request(conn, token)`, `answer(conn, command, request, span)`,
  `put_link` for further links to the same request, `expire_requests(database, rulebook, now)` for the timer;
- `confirming.reviews`: providers who have upset plans more often than their practice allows;
- `horizon`: the sessions of series, made as time goes on.
"""
