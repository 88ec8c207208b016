"""Charts, and images drawn on."""
