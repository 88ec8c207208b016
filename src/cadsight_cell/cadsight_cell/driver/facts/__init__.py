"""What the drivers of a real cell understand: by version as read from their sources, and as installed."""
