"""What a person decides about edits and calendars: one use case each, shared by the command line and the pages.

Above `worker`, `claims` and `booking`, because one answer may change a record, owe a write and settle a claim, all in
one transaction.
"""
