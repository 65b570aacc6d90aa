"""Outgoing webhooks: other programs are told what happened, once it is committed, in order, until they have it.

What happened is put on the books in the transaction in which it happened (`store.webhooks`). `deliver` takes it from
there, `sign` and `post` are the two halves of sending it.
"""
