"""Images of the two domains, on their way into a network."""
