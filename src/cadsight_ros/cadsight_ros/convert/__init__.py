"""Messages to our types and back, and what comes with them."""
