"""Ways to choose images to label; :mod:`cadsight_active.strategies.registry` is their table."""
