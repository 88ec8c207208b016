"""What the choice of images to label is worth: strategies beside each other (Eversberg)."""
