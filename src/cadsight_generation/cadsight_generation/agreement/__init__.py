"""Labels of generated images that two networks agree on which know nothing of each other."""
