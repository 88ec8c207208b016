"""What critic and generator descend: losses, penalties, and the changes of images that the critic sees."""
