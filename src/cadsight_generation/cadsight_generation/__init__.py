"""Images that networks make: translated or generated, held to their labels, and sorted."""
