"""What the choice of images to label saves: strategies beside each other (Eversberg)."""
