"""Commands of parts, and of images that nobody took."""
