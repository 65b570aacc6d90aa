"""What must hold for every input, by hypothesis: expand, compare, decide, the gate; zones and changes of clocks."""
