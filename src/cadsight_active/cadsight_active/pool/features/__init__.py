"""Features of images and objects: in memory, by which the nearest is found, and on the disk."""
