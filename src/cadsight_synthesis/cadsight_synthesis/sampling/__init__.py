"""Scenes out of recipes: one module a kind."""
