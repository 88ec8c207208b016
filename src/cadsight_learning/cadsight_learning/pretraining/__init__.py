"""Starting checkpoints, learned on drawn solids."""
