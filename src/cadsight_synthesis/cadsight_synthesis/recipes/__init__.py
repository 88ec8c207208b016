"""Recipes: what an image shows, sampled by number."""
