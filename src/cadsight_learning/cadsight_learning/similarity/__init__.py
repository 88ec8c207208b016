"""How alike two sets of images are."""
