"""Files of ours: written whole or not at all, and never over what we did not write."""
