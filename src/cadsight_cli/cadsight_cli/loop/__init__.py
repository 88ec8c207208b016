"""`cadsight loop`: the loop on the simulated table, whose lamp changes half way, and its history."""
