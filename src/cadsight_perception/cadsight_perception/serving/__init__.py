"""Which models are served: loading them, trying them aside, changing them."""
