"""Pixels: images, crops, lenses, and drawing on images."""
