"""Meshes, images and materials that scenes are made of: shipped, drawn by rule, or the user's."""
