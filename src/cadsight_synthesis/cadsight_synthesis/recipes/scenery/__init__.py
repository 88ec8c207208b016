"""What recipes have in common: places, looks, lamps, captured sessions."""
