"""Commands around images that networks make."""
