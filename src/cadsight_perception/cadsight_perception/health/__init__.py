"""How the node is: states, counts, times, and whether it is there."""
