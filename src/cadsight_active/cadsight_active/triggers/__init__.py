"""What begins a new cycle; :mod:`cadsight_active.triggers.registry` is the table."""
