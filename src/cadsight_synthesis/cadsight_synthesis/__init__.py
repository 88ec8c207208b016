"""Images made from images and CAD, with labels that follow."""
