"""Where a run and its sessions keep what they made, and what one said of itself while it was live."""
