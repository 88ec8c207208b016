"""Which images to label next, and why."""
