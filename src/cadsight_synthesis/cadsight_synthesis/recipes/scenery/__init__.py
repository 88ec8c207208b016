"""What recipes have in common: positions, looks, lamps, captured sessions."""
