"""Models as folders on the disk: their cards, files, and the images that they learned from."""
