"""Whether the labels of an image still hold after a network changed it."""
