"""What is measured of images that networks make."""
