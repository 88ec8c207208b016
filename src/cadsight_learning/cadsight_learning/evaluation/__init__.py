"""Models beside labelled images that they did not learn from."""
