"""Images of one domain made to look like those of another, with their labels."""
