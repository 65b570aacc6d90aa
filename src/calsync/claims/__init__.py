"""The claims gate: may this session's claim be sent, with which date of service, and if not, who must act.

`assess` is the whole decision and is pure; `case` and `policy` are its inputs, `answer` its output, `reasons` the
stable codes. The rooms it looks into, in the order of what outranks what: `readings` (dates), `log`, `words`,
`drifts`, `calendars`, then `minutes`, `books`, and `standing` (what an answer means for a claim that already went
out).
"""
