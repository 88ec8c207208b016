"""What stands before the simulated camera: a part that the arm holds, or a table on which parts lie."""
