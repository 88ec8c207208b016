"""What is measured of generated images: copies, quality, objects, and all of them together."""
