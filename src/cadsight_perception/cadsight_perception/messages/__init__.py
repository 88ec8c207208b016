"""Results as messages that this package alone makes."""
