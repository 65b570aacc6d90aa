"""How a provider's calendar comes to be connected, from the link to the first write, and how it is let go again."""
