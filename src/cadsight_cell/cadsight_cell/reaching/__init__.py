"""Joint angles for a pose of the tool, and the service that finds them."""
