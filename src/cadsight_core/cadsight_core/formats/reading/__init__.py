"""What the readers of all formats go through: files and images found, notes taken, labels merged."""
