"""Live runs on the disk, and playing them again."""
