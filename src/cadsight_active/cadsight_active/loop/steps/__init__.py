"""The steps of a cycle that take long, and the process in which they are done."""
