"""Changes of images, labels following."""
