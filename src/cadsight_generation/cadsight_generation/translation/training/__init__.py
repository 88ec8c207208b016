"""How a translator is trained, and which of its epochs is kept."""
