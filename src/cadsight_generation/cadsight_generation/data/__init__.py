"""Images on their way into the networks that make images: of one size, known by their content."""
